"""Finds the arch of the whole space that FreeREA's score likes best, and proves that no other is better.

The same as `nas-ray best-arch`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("best_arch")
