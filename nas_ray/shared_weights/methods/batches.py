"""Batches of examples, and the accuracy of a supernet on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from nas_ray.shared_weights.mixed import Mix, MixedNet

Batch = tuple[Tensor, Tensor]
"""Inputs and targets."""
Batches = Iterable[Batch]


def on_device(batch: Batch, device: torch.device) -> Batch:
    """Returns a batch on `device`, without waiting for it."""
    inputs, targets = batch
    return inputs.to(device, non_blocking=True), targets.to(device, non_blocking=True)


@contextmanager
def judging(net: nn.Module) -> Iterator[None]:
    """Sets `net` to evaluation without gradients, and back."""
    training = net.training
    net.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        net.train(training)


def right(net: MixedNet, batch: Batch, mix: Mix) -> Tensor:
    """Returns the share of a batch that is classified right, between 0 and 1, on the device."""
    inputs, targets = batch
    correct: Tensor = net(inputs, mix).argmax(1) == targets
    return correct.to(torch.get_default_dtype()).mean()


def accuracy(net: MixedNet, batches: Batches, mix: Callable[[], Mix], device: torch.device) -> float:
    """Returns the accuracy over all batches in percent, with a new `mix()` for each; NaN without any."""
    correct, number = torch.zeros((), device=device), 0
    with judging(net):
        for batch in batches:
            inputs, targets = on_device(batch, device)
            correct = correct + (net(inputs, mix()).argmax(1) == targets).sum()
            number += len(targets)
    return 100 * float(correct) / number if number else float("nan")
