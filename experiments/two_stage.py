"""Scores archs with zero-cost proxies, trains the best for an epoch, and the best of those for longer.

The same as `nas-ray two-stage`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("two_stage")
