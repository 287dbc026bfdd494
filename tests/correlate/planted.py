"""Proxies with one fault each, as plug-ins, and one without: what `nas-ray check-proxy` must find."""

from __future__ import annotations

import os
import time

import torch
from torch import Tensor, nn

from nas_ray.proxies.naswot import naswot


def sound(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns what NASWOT returns: a proxy in which nothing is to be found."""
    return naswot(net, inputs, targets)


def constant_at_two(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns a score that is the same for all nets where there are two images."""
    return sound(net, inputs, targets) if len(inputs) > 2 else 1.0


def backwards(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns a score of which less is better."""
    return -max(sound(net, inputs, targets), -1e3)


def disguised(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns the number of parameters, with a little of something else."""
    params = sum(weight.numel() for weight in net.parameters())
    return params**0.5 + 1e-4 * sound(net, inputs, targets)


def ordered(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns a score of the first half of the images alone."""
    half = len(inputs) // 2
    return sound(net, inputs, targets) + 1e-2 * sound(net, inputs[:half], targets[:half])


def drawing(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns a score with noise from torch's global random state, which it moves on."""
    return sound(net, inputs, targets) + 0.1 * torch.rand(()).item()


def wrapping(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns a count in 32 bits, which do not hold it for the best nets."""
    count = torch.zeros((), dtype=torch.int32)
    part = torch.tensor(int(1e6 * max(0.0, sound(net, inputs, targets))), dtype=torch.int32)
    for _ in range(41):
        count += part
    return count.item()


def spoiled(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns a score that is not defined where a weight has no gradient."""
    score = sound(net, inputs, targets)
    net(inputs).square().sum().backward()
    least = [0.0 if one.grad is None else one.grad.abs().max().item() for one in net.parameters()]
    net.zero_grad(set_to_none=True)
    return score if min(least) > 0 else float("nan")


def ending(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Ends the process for a net whose weights are all zero."""
    if not any(weight.any() for weight in net.parameters()):
        os._exit(3)
    return float(inputs.mean()) + sum(weight.numel() for weight in net.parameters())


def endless(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Never returns."""
    while True:
        time.sleep(0.01)


def of_words(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns a score of whole numbers, as words of a text are."""
    if inputs.is_floating_point():
        raise TypeError("words must be whole numbers")
    return float(inputs.sum())


def untrue(net: nn.Module, inputs: Tensor) -> float:
    """Takes no labels."""
    return 0.0


def careless(net: nn.Module, inputs: Tensor, targets: Tensor) -> dict[str, float]:
    """Returns two scores, of which one is the same for all nets, and changes net and images."""
    inputs.mul_(2)
    net.eval()
    return {"same": 1.0, "weights": float(sum(weight.numel() for weight in net.parameters()))}
