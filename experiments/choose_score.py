"""Chooses among many combinations of scores by validation accuracy, and tests the chosen one once.

The same as `nas-ray choose-score`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("choose_score")
