"""Progressive search (Liu et al., ECCV 2018): archs of one block, then larger ones that a net recommends.

The same as `nas-ray search pnas`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("pnas")
