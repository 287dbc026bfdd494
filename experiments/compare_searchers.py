"""Compares searchers, yours among them, with many seeds on stored accuracies or scores, in seconds.

The same as `nas-ray compare-searchers`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("compare_searchers")
