"""What a trained net says of images: a class for each, and how sure it is."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from nas_ray.errors import UsageError
from nas_ray.images.offered import Offered

COLUMNS = ("image", "label", "confidence")
SKIPPED = "skipped"
"""The key in `attrs` of what was left out."""


def predict(
    net: nn.Module, offered: Offered, classes: Sequence[str], device: torch.device, batch_size: int
) -> pd.DataFrame:
    """Returns a row for each image; `TrainedNet.predict` says the rest.

    Args:
        net: `[B, 3, S, S]` in 0..1 `-> [B, len(classes)]` logits.
        offered: the images.
        classes: names of the outputs.
        device: where the net is.
        batch_size: images at once.

    Raises:
        UsageError: no images, some that cannot be taken, or a net that gives no numbers.
    """
    rows: list[tuple[Any, ...]] = []
    with evaluating(net), torch.no_grad():
        for batch in batches(iter(offered), batch_size):
            names = [name for name, _ in batch]
            probabilities = _probabilities(net, torch.stack([image for _, image in batch]).to(device), names)
            sure, places = probabilities.max(1)
            rows += zip(names, [classes[place] for place in places.tolist()], sure.tolist(), strict=True)
    if not rows:
        first = offered.skipped[:1]
        raise UsageError(first[0] if first else "A prediction needs at least one image, got none.")
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame.attrs[SKIPPED] = offered.skipped
    return frame


def _probabilities(net: nn.Module, images: Tensor, names: list[Any]) -> Tensor:
    """Returns `[B, classes]` float64, on the CPU.

    Raises:
        UsageError: the net gives none.
    """
    logits: Tensor = net(images).cpu().double()
    wrong = (~logits.isfinite().all(1)).tolist()
    if any(wrong):
        raise UsageError(
            f"A net must give numbers, but this one gives NaN or infinity for {names[wrong.index(True)]}; "
            "its weights are damaged, or its training diverged."
        )
    return logits.softmax(1)


@contextlib.contextmanager
def evaluating(net: nn.Module) -> Iterator[None]:
    """Lets `net` evaluate meanwhile; afterwards each of its modules trains or not as before."""
    training = [module for module in net.modules() if module.training]
    net.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


def batches(items: Iterator[Any], size: int) -> Iterator[list[Any]]:
    """Yields lists of `size` items, the last one with what is left."""
    while batch := list(itertools.islice(items, size)):
        yield batch
