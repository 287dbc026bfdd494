"""Random search on zero-cost proxies: the baseline for every other searcher.

The same as `nas-ray search random_search`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("random_search")
