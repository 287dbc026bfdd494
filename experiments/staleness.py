"""What late rows cost searchers, with 1, 8 and 32 workers and a fixed number of asks late, by many seeds.

The same as `nas-ray staleness`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("staleness")
