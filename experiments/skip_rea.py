"""Regularized evolution inside a filter on the number of skip connections in the cell.

The same as `nas-ray search skip_rea`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("skip_rea")
