"""Regularized evolution (Real et al., AAAI 2019) on zero-cost proxies, with real accuracy at the end.

The same as `nas-ray search rea`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("rea")
