"""Tells what a trained net sees in images: the class of each, and how sure the net is.

The same as `nas-ray predict`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("predict")
