"""Searchers and spaces against each other on several sets of images, in equal time.

The same as `nas-ray contest`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("contest")
