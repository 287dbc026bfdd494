"""Runs published tables again on stored scores: our figures beside theirs, and whether they agree.

The same as `nas-ray reproduce`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("reproduce")
