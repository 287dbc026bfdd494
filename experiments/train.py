"""Trains the best arch of a search to the end, exports the net, and shows other nets beside it.

The same as `nas-ray train`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("train")
