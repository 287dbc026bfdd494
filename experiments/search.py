"""A search with any searcher at its own defaults: built in, of a package, or your own as module:class.

Your own is a subclass of nas_ray.ArchSearcher with a method ask(), in a file in the working directory.

    python experiments/search.py --searcher rea --num-samples 100
    python experiments/search.py --searcher mine:Walk --proxies naswot
"""

from __future__ import annotations

from nas_ray.search.arguments import AnySearchArgs
from nas_ray.search.cli import main

if __name__ == "__main__":
    main(AnySearchArgs, name="search", description=__doc__)
