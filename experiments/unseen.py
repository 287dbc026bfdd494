"""A search on images that no architecture was tuned for, beside a random net and ResNet-20.

The same as `nas-ray unseen`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("unseen")
