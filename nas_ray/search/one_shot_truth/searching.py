"""One search on images with a known answer."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from nas_ray.images.generated import Pairs
from nas_ray.images.pairs import pair_images
from nas_ray.images.unseen.draws import TRAIN
from nas_ray.process.seeded import seeded
from nas_ray.search.one_shot_truth.one_edge import OneEdge, one_edge_net
from nas_ray.shared_weights.methods import OneShotSearch, parse_method

EPOCHS = 5
SIZE = 12
"""Pixels of an image."""
PART = 100
"""Images of a batch in derivation and evaluation."""


@dataclass(frozen=True)
class Task:
    """A search of one method.

    Attributes:
        method: as `parse_method` reads it.
        shortcut: how often the short pairs are right.
        seed: of images, weights and order.
        steps: of the search.
        batch_size: images of a batch.
        channels: width of the net.
        images: how many there are.
    """

    method: str
    shortcut: float
    seed: int
    steps: int
    batch_size: int
    channels: int
    images: int


@lru_cache(maxsize=1)
def standardised(shortcut: float, seed: int, count: int) -> tuple[Tensor, Tensor]:
    """Returns `count` images `[N, 3, S, S]` with mean 0 and deviation 1, and their labels `[N]`."""
    pixels, labels = pair_images(Pairs(shortcut=shortcut, seed=seed, size=SIZE), TRAIN, count)
    images = torch.from_numpy((pixels - pixels.mean()) / pixels.std())
    return images[:, None].expand(-1, 3, -1, -1).contiguous(), torch.from_numpy(labels)


DIVERGED = "diverged"
"""What stands in the place of an arch where the loss of a search was no number any more."""


def search(task: Task) -> dict[str, Any]:
    """Returns the row of a search: the arch found, and the accuracy of the supernet on the held-out half.

    The first half of the images trains weights, the second the architecture; every second image is of class
    0 in both. What is found depends on the task alone.
    """
    start = time.perf_counter()
    inputs, targets = standardised(task.shortcut, task.seed, task.images)
    half = task.images // 2
    method, _ = parse_method(task.method)
    each = max(1, task.steps // EPOCHS)
    with seeded(task.seed):
        made = OneShotSearch(
            method,
            OneEdge(task.channels),
            2,
            image_size=SIZE,
            epochs=EPOCHS,
            steps_per_epoch=each,
            seed=task.seed,
            make_net=one_edge_net,
        )
        order = torch.Generator().manual_seed(task.seed)

        def batch(first: int, last: int) -> tuple[Tensor, Tensor]:
            places = torch.randint(first, last, (task.batch_size,), generator=order)
            return inputs[places], targets[places]

        loss = torch.zeros(())
        for epoch in range(EPOCHS):
            made.begin_epoch(epoch)
            for _ in range(each):
                loss = made.step(batch(0, half), batch(half, task.images))["train_loss"]
            made.end_epoch()
            if made.finished:
                break
        train, valid = (
            list(zip(torch.split(inputs[part], PART), torch.split(targets[part], PART), strict=True))
            for part in (slice(0, half), slice(half, None))
        )
        arch = made.derive(valid, train) if torch.isfinite(loss) else DIVERGED
        accuracy = made.evaluate(valid)
    seconds = time.perf_counter() - start
    return {**vars(task), "arch": arch, "supernet_acc": accuracy, "seconds": seconds}
