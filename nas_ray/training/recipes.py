"""Training recipes as data, and the text that names one, such as `epochs:4` or `nats-12:cutout=8`."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_type_hints

from nas_ray.errors import UsageError, printable, unknown_name
from nas_ray.errors.checks import TEXT
from nas_ray.terminal.ranges import EPOCHS, SOME, Range, ranges_of
from nas_ray.training.text_options import TEXT_OPTIONS, TEXT_RECIPES, TextOptions

PADDING = Range(0, 512)
"""Pixels that random crops may reach beyond an image."""
SHARE = Range(0.0, 1.0, below=True)
MANY = Range(0.0, 1e30)
SCHEDULES = ("cosine", "linear", "constant")
POLICIES = ("none", "cifar10", "imagenet", "randaugment", "trivial")
ADDED = ("auxiliary_weight", "drop_path", "valid_on_training_images", *TEXT_OPTIONS)
"""Options that earlier versions did not have."""
PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")


@dataclass(frozen=True)
class Recipe(TextOptions):
    """How a net is trained; nothing but data, so that it can be printed, stored and compared.

    SGD with momentum throughout: it is what the benchmarks were trained with, and accuracy then differs by
    the arch alone.

    Raises:
        UsageError: a value is out of range.
    """

    epochs: Annotated[int, EPOCHS] = 12
    """Passes over the training images; the learning rate ends there."""
    batch_size: Annotated[int, SOME] = 256
    """Images of a step."""
    lr: Annotated[float, Range(0.0, 1e30, above=True)] = 0.1
    """Learning rate after the warm-up."""
    momentum: Annotated[float, SHARE] = 0.9
    """Of SGD."""
    nesterov: bool = True
    """Whether the momentum is Nesterov's."""
    weight_decay: Annotated[float, MANY] = 5e-4
    """L2 penalty of all parameters, those of batch normalisation included."""
    schedule: str = "cosine"
    """Learning rate over the steps: cosine to 0, linear to 0, or constant."""
    warmup_epochs: Annotated[float, MANY] = 0.0
    """Epochs in which the learning rate grows linearly from 0."""
    flip: bool = True
    """Whether images are mirrored, left to right, half of the time."""
    crop_padding: Annotated[int, PADDING] = 4
    """Black pixels around an image, of which a random part of the old size is cut; 0 for none."""
    cutout: Annotated[int, Range(0, 10**6)] = 0
    """Side in pixels of a random square that is set to the mean colour; 0 for none."""
    autoaugment: str = "none"
    """Policy of torchvision: none, cifar10, imagenet (AutoAugment), randaugment or trivial."""
    label_smoothing: Annotated[float, SHARE] = 0.0
    """Share of the target that is spread over all classes."""
    clip_grad_norm: Annotated[float, MANY] = 0.0
    """Largest norm of the gradient; 0 for no limit."""
    auxiliary_weight: Annotated[float, MANY] = 0.0
    """Weight of the loss of a second classifier half way, which nets of darts, nasnet and pnas have; 0 for
    none."""
    drop_path: Annotated[float, SHARE] = 0.0
    """Share of the paths of a net that is dropped in each step, growing linearly over the epochs from 0."""
    ema: Annotated[float, SHARE] = 0.0
    """Decay per step of an average of the weights, which is then what is validated; 0 for none."""
    bn_batches: Annotated[int, Range(0, 10**6)] = 0
    """Training batches over which the statistics of batch normalisation are averaged anew for validation; 0
    leaves the running ones, which lag behind the weights in the first epochs."""
    precision: str = "32-true"
    """Lightning's name: 32-true, bf16-mixed or 16-mixed."""
    channels_last: bool = True
    """Whether images and weights lie in memory with the channels last, which is faster on CPU and GPU."""
    data_fraction: Annotated[float, Range(0.0, 1.0, above=True)] = 1.0
    """Share of the training images that is used."""
    balanced: bool = False
    """Whether that share has equally many images of each class."""
    valid_fraction: Annotated[float, SHARE] = 0.2
    """Share of the training split that is held out, with equal shares of each class, for valid_acc."""
    valid_on_training_images: bool = False
    """A fault of the released code of LCMNAS, to see what it does: what is held out is not used, and
    valid_acc is measured on as many of the images that are trained on."""
    class_weights: bool = False
    """Whether rare classes weigh as much as frequent ones in the loss."""
    seeds: Annotated[int, Range(1, 1_000)] = 1
    """Nets that are trained per arch, each with its own initialisation and order; accuracy is their mean."""

    def __post_init__(self) -> None:
        for name, known in ranges_of(Recipe).items():
            known.check(f"The recipe option {name}", getattr(self, name))
        _check(self, "nesterov", self.momentum > 0 or not self.nesterov, "be false without momentum")
        averaged = "be 0 with momentum or ema, which average in ways of their own"
        _check(self, "nonmonotone", not (self.nonmonotone and (self.momentum or self.ema)), averaged)
        _check(self, "warmup_epochs", self.warmup_epochs <= self.epochs, "be at most the epochs")
        for name, words in (("schedule", SCHEDULES), ("autoaugment", POLICIES), ("precision", PRECISIONS)):
            _check(self, name, getattr(self, name) in words, f"be one of {', '.join(words)}")

    def written(self) -> dict[str, Any]:
        """Returns the options by name, without those of `ADDED` that are not used.

        So what is told apart by its recipe stays equal to what versions without these options wrote.
        """
        unused = {name for name in ADDED if getattr(self, name) == getattr(Recipe, name)}
        return {name: value for name, value in dataclasses.asdict(self).items() if name not in unused}

    def drop_path_in(self, epoch: int) -> float:
        """Returns the share of paths that is dropped in an epoch (from 0).

        Source: Liu et al., "DARTS", ICLR 2019, released code: `drop_path * epoch / epochs`.
        """
        return self.drop_path * min(epoch, self.epochs) / self.epochs if self.epochs else 0.0

    def lr_factor(self, step: int, steps_per_epoch: int) -> float:
        """Returns the learning rate of a step (from 0), as a share of `lr`.

        Source: Dong et al., "NATS-Bench", TPAMI 2021, and its published code for the cosine, which is
        evaluated at every step: `(1 + cos(pi t / T)) / 2`.
        """
        epoch = step / steps_per_epoch
        if epoch < self.warmup_epochs:
            return epoch / self.warmup_epochs
        if self.schedule == "constant":
            return 1.0
        left = self.epochs - self.warmup_epochs
        done = min(1.0, (epoch - self.warmup_epochs) / left) if left else 1.0
        return (1 + math.cos(math.pi * done)) / 2 if self.schedule == "cosine" else 1 - done


def _check(recipe: Recipe, name: str, holds: bool, must: str) -> None:
    if not holds:
        raise UsageError(f"The recipe option {name} must {must}, got {getattr(recipe, name)}.")


RECIPES: dict[str, Recipe] = {
    # Small batches for many steps per epoch, and statistics that fit the weights after few of them.
    "fast": Recipe(
        epochs=4, batch_size=64, warmup_epochs=0.5, crop_padding=2, schedule="linear", bn_batches=8
    ),
    # Dong et al., "NATS-Bench", TPAMI 2021, table 2: both schedules of the topology space.
    "nats-12": Recipe(epochs=12),
    "nats-200": Recipe(epochs=200),
    # Lopes and Alexandre, LCMNAS, 2022, released code: how a search judges nets, on 4,000 images.
    "lcmnas": Recipe(
        epochs=4,
        batch_size=96,
        lr=0.001,
        nesterov=False,
        weight_decay=3e-4,
        schedule="constant",
        cutout=16,
    ),
    # Liu et al., "DARTS", ICLR 2019, section 3.2: how cells are judged, on nets of 36 channels and 20 cells.
    "darts-600": Recipe(
        epochs=600,
        batch_size=96,
        lr=0.025,
        nesterov=False,
        weight_decay=3e-4,
        cutout=16,
        clip_grad_norm=5.0,
        auxiliary_weight=0.4,
        drop_path=0.2,
    ),
    # The same for small nets and few epochs: rate and momentum as in `fast`, and less is cut out and dropped.
    "darts-fast": Recipe(
        epochs=15,
        batch_size=64,
        weight_decay=3e-4,
        warmup_epochs=0.5,
        crop_padding=2,
        cutout=8,
        clip_grad_norm=5.0,
        auxiliary_weight=0.4,
        drop_path=0.1,
        bn_batches=8,
    ),
    **{name: Recipe(**options) for name, options in TEXT_RECIPES.items()},
}


def parse_recipe(text: str) -> Recipe:
    """Returns the recipe that `text` names, with the changes it lists.

    Args:
        text: a key of `RECIPES`, or `epochs:4` for the fast one with 4 epochs; either may go on with
            `:name=value,name=value`, as in `nats-12:cutout=8,label_smoothing=0.1`.

    Raises:
        UsageError: unknown recipe or option, or a value that does not fit.
    """
    TEXT.check("A recipe", text)
    name, _, rest = text.strip().partition(":")
    if name == "epochs":
        count, _, rest = rest.partition(":")
        recipe = _changed(RECIPES["fast"], [f"epochs={count}"], text)
        if any(part.partition("=")[0].strip() == "epochs" for part in rest.split(",")):
            raise UsageError(f"The recipe {text!r} must give epochs once, as epochs:4 or fast:epochs=4.")
    elif name in RECIPES:
        recipe = RECIPES[name]
    else:
        raise UsageError(
            f"{unknown_name('recipe', name, [*RECIPES, 'epochs'])} Write epochs:4, or a recipe with changes "
            "such as nats-12:cutout=8."
        )
    return _changed(recipe, [part for part in rest.split(",") if part.strip()], text)


def _changed(recipe: Recipe, changes: list[str], text: str) -> Recipe:
    values: dict[str, str] = {}
    for change in changes:
        name, equals, value = (part.strip() for part in change.partition("="))
        if name in get_type_hints(Recipe) and (not equals or name in values):
            raise UsageError(f"The recipe {text!r} must give {name} once, as {name}=VALUE.")
        values[name] = value
    return changed(recipe, values)


def changed(recipe: Recipe, values: Mapping[str, str]) -> Recipe:
    """Returns `recipe` with the options that `values` give as text.

    Raises:
        UsageError: unknown option, or a value that does not fit.
    """
    hints = get_type_hints(Recipe)
    unknown = [name for name in values if name not in hints]
    if unknown:
        raise UsageError(unknown_name("recipe option", unknown[0], list(hints)))
    made: dict[str, Any] = {name: _value(name, value, hints[name]) for name, value in values.items()}
    return dataclasses.replace(recipe, **made)


def _value(name: str, text: str, kind: type) -> Any:
    if kind is bool:
        if text.lower() not in ("true", "false", "yes", "no", "1", "0"):
            raise UsageError(f"The recipe option {name} must be true or false, got {text!r}.")
        return text.lower() in ("true", "yes", "1")
    try:
        return kind(text)
    except ValueError as error:
        shown = printable([text])[0]
        what = {int: "a whole number", float: "a number"}[kind]
        raise UsageError(f"The recipe option {name} must be {what}, got '{shown}'.") from error
