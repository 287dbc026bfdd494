"""What some nets have for their training alone: a second classifier half way, and paths that are dropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from torch import Tensor, nn

from nas_ray.errors import UsageError
from nas_ray.process.seeded import seeded
from nas_ray.spaces.base import SearchSpace
from nas_ray.training.recipes import Recipe
from nas_ray.training.recurrent import RecurrentNet
from nas_ray.training.text_options import RECURRENT


@runtime_checkable
class AuxiliaryNet(Protocol):
    """A net that can be trained with a second classifier; asked where a recipe has `auxiliary_weight`.

    The classifier belongs to the training and not to the net, which is scored, kept and used without it.
    """

    def auxiliary_head(self) -> nn.Module:
        """Returns a new second classifier, initialised from torch's global state."""

    def with_auxiliary(self, x: Tensor, head: nn.Module) -> tuple[Tensor, Tensor]:
        """Returns the outputs of the net for inputs `x`, and those of the second classifier."""


@runtime_checkable
class PathsNet(Protocol):
    """A net that can drop paths; asked where a recipe has `drop_path`.

    Attributes:
        drop_path: share of its paths that it drops in training mode; 0 when it is new.
    """

    drop_path: float


def check_takes(net: nn.Module, recipe: Recipe) -> None:
    """Checks that a net has what a recipe asks of it.

    Raises:
        UsageError: it has no second classifier, or drops no paths.
    """
    asked = (
        ("auxiliary_weight", AuxiliaryNet, "the methods auxiliary_head and with_auxiliary"),
        ("drop_path", PathsNet, "the attribute drop_path"),
        *((option, RecurrentNet, "a state and dropouts") for option in RECURRENT),
    )
    for option, kind, what in asked:
        if getattr(recipe, option) and not isinstance(net, kind):
            space = "darts-rnn" if kind is RecurrentNet else "darts"
            raise UsageError(
                f"The recipe option {option} needs a net with {what}, such as those of the space {space}, "
                f"got {type(net).__name__}; give {option}=0."
            )


def check_nets(space: SearchSpace, num_outputs: int, recipes: Sequence[Recipe]) -> None:
    """Checks, by one net, that those of a space have what recipes ask of them, before any is trained.

    Raises:
        UsageError: they have not.
    """
    options = ("auxiliary_weight", "drop_path", *RECURRENT)
    asking = [recipe for recipe in recipes if any(getattr(recipe, option) for option in options)]
    if asking:
        with seeded(0):
            net = space.build(space.sample(np.random.default_rng(0)), num_outputs)
        for recipe in asking:
            check_takes(net, recipe)


def second_classifier(net: nn.Module, recipe: Recipe) -> nn.Module | None:
    """Returns the second classifier that `recipe` asks for, None where it asks for none.

    Raises:
        UsageError: the net has not what the recipe asks for.
    """
    check_takes(net, recipe)
    return net.auxiliary_head() if recipe.auxiliary_weight and isinstance(net, AuxiliaryNet) else None


def both_outputs(net: nn.Module, second: nn.Module, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the outputs of a net and of its second classifier."""
    assert isinstance(net, AuxiliaryNet)
    return net.with_auxiliary(inputs, second)


def set_drop_path(net: nn.Module, rate: float) -> None:
    """Sets the share of paths that a net drops in training mode, where it can drop some."""
    if isinstance(net, PathsNet):
        net.drop_path = rate
