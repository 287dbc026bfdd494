"""Recipes to search among: options of a recipe, each with what it may be."""

from __future__ import annotations

from collections.abc import Mapping

from nas_ray.errors.checks import instance
from nas_ray.spaces.conditional import Setting
from nas_ray.spaces.setting_space import SettingSpace
from nas_ray.training.recipes import Recipe, changed, parse_recipe
from nas_ray.training.settings import check_settings

RECIPE = instance((str, Recipe), "a Recipe, or a text such as 'nats-12' or 'epochs:4'")


class RecipeSpace(SettingSpace):
    """The recipes that differ from `recipe` in `settings`, whose names are options of a recipe.

    A range is linear, logarithmic or of whole numbers, a choice has numbers or words, and each may depend on
    a choice that stands before it::

        recipes = RecipeSpace("lr=log:0.01..1,schedule=cosine/constant,warmup_epochs=0..2:if:schedule:cosine")
        both = Product(NatsTss(), recipes)  # ARCH@lr=0.1,schedule=cosine,warmup_epochs=1

    Every point is known to be a recipe: values are checked where the space is made.

    Args:
        settings: see `SettingSpace`.
        recipe: what they change.

    Raises:
        UsageError: settings that are none, that are no options of a recipe, or whose values do not fit.
    """

    def __init__(self, settings: Mapping[str, Setting | str] | str, recipe: Recipe | str = "nats-12") -> None:
        super().__init__(settings)
        RECIPE.check("recipe", recipe)
        self.recipe = parse_recipe(recipe) if isinstance(recipe, str) else recipe
        check_settings(self.settings, self.recipe)

    def recipe_of(self, point: str) -> Recipe:
        """Returns the recipe of a point of this space.

        Raises:
            UsageError: no point of this space.
        """
        return changed(self.recipe, self.split(point))
