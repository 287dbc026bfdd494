"""Steps of one-shot searches on a device: their speed, their losses, the hours of published searches."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import torch
from torch import Tensor

from nas_ray.shared_weights.methods.named import METHODS
from nas_ray.shared_weights.methods.search import OneShotSearch

from .setup import CLASSES, Row, Setup

NAMES = ("darts1", "darts2", "gdas", "drnas")
IMAGES = 25_000
"""Images of CIFAR-10 that train weights in the published searches; as many others train the architecture."""
SAME = 1e-3
"""How far the losses of a CPU and of a GPU may be apart, relative."""


def one_shot(setup: Setup) -> Iterator[Row | str]:
    """Seconds of a step on the device, its loss beside that of a CPU, and the hours of the published search.

    Raises:
        RuntimeError: the losses of the first step differ.
    """
    size = setup.some(64, 8)
    images, labels = torch.randn(2, size, 3, 32, 32), torch.arange(size) % CLASSES
    batches = ((images[0], labels), (images[1], labels))
    for name in NAMES:
        losses = {device: _first_loss(setup, name, device, batches) for device in ("cpu", setup.device)}
        search = _search(setup, name, setup.device)
        seconds = setup.fastest(functools.partial(search.step, *batches), repeats=10)
        method = METHODS[name]
        hours = method.epochs * -(-IMAGES // method.batch_size) * seconds / 3600
        apart = abs(losses[setup.device] / losses["cpu"] - 1)
        peak = torch.cuda.max_memory_allocated() / 2**20 if setup.gpu else float("nan")
        yield {"method": name, "s of a step": seconds, "h of the published search": hours,
               "loss apart from the CPU's": apart, "peak MiB": peak}  # fmt: skip
        if not apart < SAME:
            raise RuntimeError(f"a step of {name} must have the loss of a CPU, but differs by {apart:.2g}")
    yield "Hours are those of the steps alone, of one seed."


def _search(setup: Setup, name: str, device: str) -> OneShotSearch:
    space = setup.space
    made = OneShotSearch(METHODS[name], space, CLASSES, steps_per_epoch=100, seed=0, device=device)
    made.begin_epoch(0)
    return made


def _first_loss(setup: Setup, name: str, device: str, batches: tuple[tuple[Tensor, Tensor], ...]) -> float:
    """Returns the training loss of the first step, which depends on drawn weights alone."""
    search = _search(setup, name, device)
    return float(search.step(*batches)["train_loss"])
