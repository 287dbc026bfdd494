"""Settings beside archs as changes of a recipe; a light module, for quick answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_type_hints

from nas_ray.errors import UsageError, unknown_name
from nas_ray.spaces.base import SearchSpace
from nas_ray.spaces.conditional import Setting, plain
from nas_ray.spaces.dependence import corners
from nas_ray.spaces.setting_kinds import Choice, Interval
from nas_ray.training.recipes import Recipe, changed
from nas_ray.training.text_options import TEXT_OPTIONS

SAME_IMAGES = ("valid_fraction", "data_fraction", "balanced", "valid_on_training_images")
"""Options that say which images are trained on and held out, which all trials of a search share."""
EPOCHS = "epochs"
OF_IMAGES = ("flip", "crop_padding", "cutout", "autoaugment", "valid_fraction", "balanced")
"""Options that change nothing where a text is learned."""


def check_settings(settings: Mapping[str, Setting], recipe: Recipe) -> None:
    """Checks that every point of `settings` changes `recipe` to one that works.

    Raises:
        UsageError: a setting is no option of a recipe, or must be the same for all trials, or has a value out
            of its range.
    """
    kinds = get_type_hints(Recipe)
    options = [name for name in kinds if name not in SAME_IMAGES]
    for name, setting in settings.items():
        if name in SAME_IMAGES:
            raise UsageError(
                f"The setting {name} would measure trials on different images; give it in --fidelity, as in "
                f"fast:{name}=VALUE."
            )
        if name not in options:
            raise UsageError(
                f"{unknown_name('recipe option', name, options)} With --fidelity a setting is one."
            )
        numbers = plain(setting)
        if kinds[name] is int and isinstance(numbers, Interval) and not numbers.whole:
            raise UsageError(
                f"The setting {name} must be a range of whole numbers such as 1..4, got {setting}."
            )
    for made in corner_recipes(settings, recipe):
        if made.epochs > recipe.epochs:
            raise UsageError(
                f"The setting {EPOCHS} must stay within the {recipe.epochs} epochs of --fidelity, got "
                f"{settings[EPOCHS]}; give a longer fidelity."
            )


def corner_recipes(settings: Mapping[str, Setting], recipe: Recipe) -> list[Recipe]:
    """Returns the recipes that must work so that those of all points of `settings` do, each once.

    Raises:
        UsageError: a value that does not fit.
    """
    return list(dict.fromkeys(changed(recipe, values) for values in corners(settings)))


def check_means(names: Iterable[str], *, text: bool) -> None:
    """Checks that options of a recipe mean something to what is learned, by their names alone.

    Args:
        names: of what was given.
        text: whether a text is learned, else images.

    Raises:
        UsageError: one is about the other.
    """
    unread = OF_IMAGES if text else TEXT_OPTIONS
    about, learned = ("images", "a text") if text else ("texts", "images")
    for name in names:
        if name in unread:
            raise UsageError(
                f"The recipe option {name} is about {about} and would change nothing of a training on "
                f"{learned}; leave it out."
            )


def names_in(recipe: str) -> list[str]:
    """Returns the options that the text of a recipe changes, as in `epochs:4:lr=0.1,cutout=8`."""
    _, _, changes = recipe.strip().partition(":")
    return [part.partition("=")[0].strip() for part in changes.replace(":", ",").split(",") if "=" in part]


def recipe_with(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    """Returns `recipe` with the options that `values` give, as numbers, truth values or texts.

    Raises:
        UsageError: no option, one that says which images are used, or a value that does not fit.
    """
    options = [name for name in get_type_hints(Recipe) if name not in SAME_IMAGES]
    texts: dict[str, str] = {}
    for name, value in values.items():
        if name in SAME_IMAGES:
            raise UsageError(
                f"The option {name} would measure trials on different images; give it in the recipe, as in "
                f"fast:{name}=VALUE."
            )
        if name not in options:
            raise UsageError(unknown_name("recipe option", str(name), options))
        try:
            (texts[name],) = Choice((value.item() if hasattr(value, "item") else value,)).options
        except UsageError as error:
            raise UsageError(f"The recipe option {name} cannot be what was given: {error}") from error
    return changed(recipe, texts)


class Recipes:
    """How each arch of a space is trained: by one recipe, which the settings of a point change.

    Args:
        space: of the archs; a `Product` has points.
        recipe: what settings change.

    Raises:
        UsageError: see `check_settings`.
    """

    def __init__(self, space: SearchSpace, recipe: Recipe) -> None:
        from nas_ray.spaces.product import product_of  # which imports numpy

        self._recipe = recipe
        self._product = product_of(space)
        if self._product is not None:
            check_settings(self._product.settings, recipe)

    @property
    def corners(self) -> list[Recipe]:
        """The recipes that must work so that all do."""
        return (
            [self._recipe] if self._product is None else corner_recipes(self._product.settings, self._recipe)
        )

    def __call__(self, arch: str) -> Recipe:
        """Returns the recipe of an arch or a point.

        Raises:
            UsageError: no point of the space.
        """
        return self._recipe if self._product is None else changed(self._recipe, self._product.split(arch)[1])
