"""Random tensors from a local generator: the same numbers on every device and for every dtype."""

from __future__ import annotations

import torch
from torch import Tensor


def generator(seed: int) -> torch.Generator:
    """Returns a CPU generator, whatever the device of the net, so that a GPU sees the numbers of the CPU."""
    return torch.Generator().manual_seed(seed)


def gaussian_like(tensor: Tensor, source: torch.Generator) -> Tensor:
    """Returns N(0, 1) noise of the shape, dtype, device and memory order of `tensor`."""
    return torch.empty_like(tensor).copy_(torch.randn(tensor.shape, generator=source, dtype=torch.float32))


def signs_like(tensor: Tensor, source: torch.Generator) -> Tensor:
    """Returns -1 and 1, equally likely, of the shape, dtype and device of `tensor`."""
    return torch.randint(2, tensor.shape, generator=source).mul_(2).sub_(1).to(tensor)
