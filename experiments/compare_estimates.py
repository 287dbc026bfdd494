"""What scores, short trainings and mixtures of both say of longer trainings of a space.

The same as `nas-ray compare-estimates`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("compare_estimates")
