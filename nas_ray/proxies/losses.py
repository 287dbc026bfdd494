"""The loss of which proxies take gradients: cross-entropy of labels, or that of a task."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
import torch.nn.functional as F
from torch import Tensor

Loss = Callable[[Tensor, Tensor], Tensor]
"""`(outputs, targets) -> mean over the examples`, a tensor without dimensions."""

_current: ContextVar[Loss | None] = ContextVar("loss", default=None)


@contextmanager
def loss_of(loss: Loss | None) -> Iterator[None]:
    """Within it `batch_loss` is `loss`; with None it is cross-entropy."""
    token = _current.set(loss)
    try:
        yield
    finally:
        _current.reset(token)


def batch_loss(name: str, outputs: Tensor, targets: Tensor) -> Tensor:
    """Returns the mean loss of a batch: cross-entropy of labels, or within `loss_of` that of the task.

    Args:
        name: of the proxy, for errors.
        outputs: of the net; `[B, classes]` for cross-entropy.
        targets: `[B]` labels for cross-entropy.

    Raises:
        ValueError: outputs, labels or a loss that do not fit; the sentence starts with `name`.
    """
    loss = _current.get()
    if loss is None:
        return cross_entropy(name, outputs, targets)
    value = loss(outputs, targets)
    if not isinstance(value, Tensor) or value.numel() != 1:
        raise ValueError(f"{name}: needs a loss that is one number, the mean over the examples.")
    return value.reshape(())


def cross_entropy(name: str, logits: Tensor, targets: Tensor) -> Tensor:
    """Returns the mean cross-entropy of `logits [B, classes]` and `targets [B]`.

    Raises:
        ValueError: as many labels as images are needed, each below the number of classes.
    """
    if logits.dim() != 2:
        raise ValueError(f"{name}: needs a net with outputs [B, classes], got {list(logits.shape)}.")
    check_labels(name, logits.shape[1], len(logits), targets)
    return F.cross_entropy(logits, targets.long())


def check_labels(name: str, classes: int, images: int, targets: Tensor) -> None:
    """Raises a ValueError that starts with `name` unless each image has a label below `classes`."""
    if not isinstance(targets, Tensor) or targets.dim() != 1 or targets.is_floating_point():
        given = f"{targets.dtype} {list(targets.shape)}" if isinstance(targets, Tensor) else repr(targets)
        raise ValueError(f"{name}: needs labels as a tensor of whole numbers [B], got {given}.")
    if len(targets) != images:
        raise ValueError(f"{name}: needs one label per image, got {len(targets)} for {images} images.")
    low, high = torch.stack(torch.aminmax(targets)).tolist()  # a GPU is waited for once
    if low < 0 or high >= classes:
        raise ValueError(f"{name}: the net has {classes} outputs, but the labels reach from {low} to {high}.")
