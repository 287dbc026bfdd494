"""Random search on zero-cost proxies: the baseline for every other searcher.

Archs are drawn uniformly, none twice; the best by fitness is reported with its real benchmark accuracy.

    python experiments/random_search.py --num-samples 200 --proxies naswot
    python experiments/random_search.py --time-budget-s 60 --dataset ImageNet16-120
"""

from __future__ import annotations

from nas_ray.search.arguments import SearchArgs
from nas_ray.search.cli import main

if __name__ == "__main__":
    main(SearchArgs, "random_search", name="random_search", description=__doc__)
