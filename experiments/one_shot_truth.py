"""How often do one-shot methods find what is right? Searches on images with a known answer.

The same as `nas-ray one-shot-truth`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("one_shot_truth")
