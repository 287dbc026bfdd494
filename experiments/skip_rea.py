"""Regularized evolution inside a filter on the number of skip connections in the cell.

Archs are generated and mutated only within --min-skips to --max-skips (default 0 to 1).

    python experiments/skip_rea.py --proxies synflow --min-skips 1 --max-skips 6
"""

from __future__ import annotations

from nas_ray.search.arguments import SkipReaArgs
from nas_ray.search.cli import main

if __name__ == "__main__":
    main(SkipReaArgs, "skip_rea", name="skip_rea", description=__doc__)
