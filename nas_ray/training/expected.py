"""How long trainings will take, told before they start: seconds of a step, measured, times what is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from nas_ray.images.splits import NetImages
from nas_ray.process.seeded import seeded
from nas_ray.terminal.text import about
from nas_ray.training.image_task import ImageTask
from nas_ray.training.recipes import Recipe
from nas_ray.training.task import Batch, Task
from nas_ray.training.training_data import MOST_BYTES, Draw, EpochSampler, Indices, KeptImages
from nas_ray.training.training_module import TrainingModule

REPEATS = 3
"""Steps that are timed, of which the fastest counts: what else runs here makes others slower."""
ENOUGH_S = 3.0
"""After so many seconds no further step is timed."""


@dataclass(frozen=True)
class Expected:
    """How long what is left will take.

    A one-shot search, whose step is a function, says `Expected(epochs, steps * seconds_of(step))`.

    Attributes:
        epochs: that are left, of all nets together.
        epoch_seconds: of one of them.
        once: seconds that are spent beside them, such as for decoding images.
        at_once: how many are trained at a time.
        at_most: whether some may end earlier.
    """

    epochs: float
    epoch_seconds: float
    once: float = 0.0
    at_once: int = 1
    at_most: bool = False

    @property
    def seconds(self) -> float:
        """All of it."""
        return (self.epochs * self.epoch_seconds + self.once) / self.at_once

    def __str__(self) -> str:
        most = "at most " if self.at_most else ""
        together = f", {self.at_once} at a time" if self.at_once > 1 else ""
        epochs = "1 epoch" if self.epochs == 1 else f"{self.epochs:,.0f} epochs"
        each = f"{self.epoch_seconds:.1f} s" if self.epoch_seconds >= 0.095 else "less than 0.1 s"
        return f"{most}{about(self.seconds)}: {epochs} of {each}, by one batch here{together}"


@dataclass(frozen=True)
class Epoch:
    """What one epoch is made of, apart from the net.

    Attributes:
        draw: returns one training batch, made as a training makes it.
        steps: training batches of an epoch.
        passes: what is validated, in batches of that size.
        once: seconds for making the data ready, once in a training.
    """

    draw: Callable[[], Batch]
    steps: int
    passes: float
    once: float = 0.0


def epoch_of_images(
    images: NetImages,
    parts: tuple[Indices, Indices],
    recipe: Recipe,
    *,
    world: int = 1,
    device: torch.device | str = "cpu",
) -> Epoch:
    """Returns an epoch of images as one of `world` processes sees it; one batch of them is decoded.

    Args:
        images: of the training split.
        parts: positions to train on, and to validate with.
        recipe: batch size and augmentation.
        world: processes that share each batch.
        device: where images are kept.
    """
    train, valid = parts
    batch_size = max(1, recipe.batch_size // world)
    size, keeps = min(batch_size, len(train)), KeptImages(images, train, recipe, device).keeps
    most = MOST_BYTES if keeps else 0

    def draw(count: int, kept: KeptImages) -> Batch:
        return kept[Draw(torch.arange(count), 0)]

    draw(1, KeptImages(images, train[:1], recipe, device, most))  # what only the first image of all takes
    some = KeptImages(images, train[:size], recipe, device, most)
    decoded, drawn = (_timed(lambda: draw(size, some), device) for _ in range(2))
    return Epoch(
        lambda: draw(size, some),
        len(EpochSampler(len(train), batch_size, world=world)),
        len(valid) / size,
        max(0.0, decoded - drawn) / size * (len(train) + len(valid)) if keeps else 0.0,
    )


def epoch_of_task(task: Task, recipe: Recipe) -> Epoch:
    """Returns an epoch of any task."""
    if isinstance(task, ImageTask):
        return epoch_of_images(task.images, task.parts(recipe), recipe)
    train, valid = task.loaders(recipe, 0, 0)
    batch = next(iter(train))
    return Epoch(lambda: batch, len(train), len(valid))


def epoch_seconds(module: TrainingModule, epoch: Epoch, *, threads: int | None = None) -> float:
    """Returns the seconds that `module` takes for an epoch here, from a few steps on one batch.

    The module has learned a little afterwards: give one that is not needed any more. Torch's random state
    stays as it was.

    Args:
        module: a training, on the device where it will be.
        epoch: its batches.
        threads: with which it will be trained; None for those of this process.
    """
    optimiser = module.configure_optimizers()["optimizer"]
    batches = module.recipe.bn_batches + epoch.passes

    def train() -> None:
        optimiser.zero_grad()
        inputs, targets = epoch.draw()
        with _precision(module):
            loss = module.training_step((inputs.to(module.device), targets.to(module.device)), 0)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    with seeded(0):
        inputs = epoch.draw()[0].to(module.device)

        def look() -> None:
            with torch.no_grad(), _precision(module):
                module(inputs)

        step = seconds_of(train, threads=threads, device=module.device)
        forward = seconds_of(look, threads=threads, device=module.device) if batches else 0.0
    return epoch.steps * step + batches * forward


def seconds_of(
    step: Callable[[], object],
    *,
    threads: int | None = None,
    repeats: int = REPEATS,
    device: torch.device | str = "cpu",
) -> float:
    """Returns the seconds of `step`, the fastest of some calls; a first one warms up, if it is short.

    Args:
        step: what is done again and again.
        threads: of torch while it is measured; None for those of this process.
        repeats: calls that are timed, fewer where one takes seconds.
        device: whose work is waited for.
    """
    taken: list[float] = []
    with _threads(threads):
        first = _timed(step, device)
        while len(taken) < repeats and first + sum(taken) < ENOUGH_S:
            taken.append(_timed(step, device))
    return min(taken, default=first)


def _timed(step: Callable[[], object], device: torch.device | str) -> float:
    wait = torch.cuda.synchronize if torch.device(device).type == "cuda" else None
    began = time.perf_counter()
    step()
    if wait is not None:
        wait()
    return time.perf_counter() - began


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(before if count is None else count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _precision(module: TrainingModule) -> torch.autocast:
    """Returns the context in which Lightning computes with the recipe's precision."""
    half = torch.float16 if module.recipe.precision.startswith("16") else torch.bfloat16
    return torch.autocast(module.device.type, half, enabled=module.recipe.precision.endswith("mixed"))
