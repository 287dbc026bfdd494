"""Scores a whole space, or a list of archs, on all cores and GPUs, by workers that live long.

The same as `nas-ray score-space`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("score_space")
