"""One-shot search: trains one net with all operations per method and seed, and derives an arch from it.

The same as `nas-ray one-shot`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("one_shot")
