"""Tunes the recipe of the best arch of a search by short trainings, and says which settings matter.

The same as `nas-ray tune-recipe`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("tune_recipe")
