"""The arguments of one-shot search; a light module, for quick answers."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated

from nas_ray.errors import UsageError, unknown_name
from nas_ray.search.argument_groups import StoppingArgs
from nas_ray.search.arguments import RunnableArgs
from nas_ray.search.one_shot.texts import method_texts
from nas_ray.terminal import ranges
from nas_ray.terminal.argument_groups import SpaceArgs
from nas_ray.terminal.ranges import Range, check_ranges
from nas_ray.training.recipes import PADDING, Recipe

WITHOUT = (
    *("nats-sss", "darts-cells", "layerwise", "layerwise-nets", "nasnet", "pnas", "nasnet-cells"),
    *("macro", "grammar", "grammar-nets", "hand-designed", "rnn-tree", "rnn-nets"),
)
"""Spaces of this package that have no trainable supernet."""


@dataclass(frozen=True)
class OneShotArgs(RunnableArgs, StoppingArgs, SpaceArgs):
    """Arguments of one-shot search: methods and seeds, each of which is a trial."""

    method: tuple[str, ...] = ("darts1", "gdas", "drnas")
    """Methods, separated by commas or spaces: darts1, darts2, gdas, pc-darts, drnas, darts-, sdarts-rs,
    sdarts-adv, fair-darts, beta-darts, lambda-darts, oles, p-darts, darts-pt, rs-ws, enas, and without
    training zero-cost-pt and te-nas (docs/one_shot.md). Parts and numbers may be changed, as in
    darts1,derive=perturbation,arch_lr=1e-3."""
    seeds: Annotated[int, Range(1, 10_000)] = 4
    """Searches of each method."""
    seed: Annotated[int, ranges.SEED] = 0
    """First seed; the others follow."""
    epochs: Annotated[int | None, ranges.EPOCHS] = None
    """Epochs of each search; None means the published number of each method."""
    batch_size: Annotated[int | None, ranges.SOME] = None
    """Images of a step, or streams of a text; None means the published number of each method."""
    arch_lr: Annotated[float | None, Range(0.0, 1e3, above=True)] = None
    """Learning rate of the architecture weights of all methods that learn by gradient; None means the
    published one of each, which is for some 20,000 steps."""
    channels: Annotated[int | None, ranges.CHANNELS] = None
    """Width of the first cells of the supernet, or of the state of a recurrent one; None means that of the
    space, 16 and 300."""
    cells: Annotated[int | None, ranges.CELLS] = None
    """Cells of the supernet, on nats-tss of each stage; None means the published number."""
    search_set: Annotated[float, Range(0.01, 0.99)] = 0.5
    """Share of the training images that trains weights; the others train architecture weights. Both are
    drawn at random, with the same share of every class."""
    data_fraction: Annotated[float, Range(0.0, 1.0, above=True)] = 1.0
    """Share of the images of both parts that is used."""
    batch_seed: Annotated[int, ranges.SEED] = 0
    """Seed that splits the images, the same for all methods and seeds."""
    flip: bool = True
    """Whether images are mirrored, left to right, half of the time."""
    crop_padding: Annotated[int, PADDING] = 4
    """Black pixels around an image, of which a random part of the old size is cut; 0 for none."""
    cutout: Annotated[int, Range(0, 10**6)] = 0
    """Side in pixels of a random square that is set to the mean colour; 0 for none."""
    lambda_max: bool = False
    """Measure after each epoch the largest eigenvalue of the validation loss in the architecture weights."""

    def smoked(self) -> OneShotArgs:
        """Returns the same arguments with a tiny budget."""
        return dataclasses.replace(
            self,
            seeds=min(self.seeds, 2),
            epochs=min(self.epochs or 2, 2),
            batch_size=min(self.batch_size or 16, 16),
            channels=min(self.channels or 4, 4),
            cells=min(self.cells or 1, 1),
            data_fraction=min(self.data_fraction, 0.05),
        )

    @property
    def methods(self) -> list[str]:
        """The methods with their changes, each once, in the order given.

        Raises:
            UsageError: none is given, or one sets the seed.
        """
        return method_texts(self.method)

    @property
    def settings(self) -> list[str]:
        """What the trials are asked for: each method with each seed."""
        seeds = range(self.seed, self.seed + self.seeds)
        return [f"{method},seed={seed}" for method in self.methods for seed in seeds]

    @property
    def image_recipe(self) -> Recipe:
        """Augmentation and split of the images."""
        return Recipe(
            batch_size=self.batch_size or 64,
            flip=self.flip,
            crop_padding=self.crop_padding,
            cutout=self.cutout,
            data_fraction=self.data_fraction,
            valid_fraction=1 - self.search_set,
        )

    def check(self) -> None:
        """Checks what needs no images.

        Raises:
            UsageError: a number out of range, or a method that is none.
        """
        check_ranges(self)
        if self.scheduler != "none" and self.driver == "process":
            raise UsageError(
                f"--scheduler {self.scheduler} is one of Ray Tune and needs --driver ray; leave one of them "
                "out."
            )
        from nas_ray.shared_weights.methods.named import METHODS, parse_method
        from nas_ray.shared_weights.prune import NAMES

        if self.space.partition(":")[0] in WITHOUT:
            raise UsageError(
                f"A one-shot search needs a space with a trainable supernet, such as nats-tss or darts; got "
                f"{self.space}."
            )
        for text in self.settings:
            name = text.partition(",")[0]
            if name not in METHODS and name not in NAMES:
                raise UsageError(unknown_name("one-shot method", name, [*METHODS, *NAMES]))
            if name not in NAMES:  # whose options need torch: `prepare_one_shot`
                parse_method(text)
