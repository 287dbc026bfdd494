"""A search with any searcher at its own defaults: built in, of a package, or your own as module:class.

The same as `nas-ray search`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("search")
