"""REINFORCE (Zoph and Le, ICLR 2017): a policy learns by its rewards which archs to draw.

The same as `nas-ray search reinforce`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("reinforce")
