"""Weighted sums of maps and of normalised maps, with as few looks at each map as they need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nas_ray.shared_weights.batch_run import EPS


def normed(x: Tensor, factors: Tensor | None = None) -> Tensor:
    """Returns BN in batch mode of `x [B, C, H, W]`, its channels multiplied by `factors [C]`.

    What an operation counts is the scale of the BN behind it, which costs nothing, and neither does its
    gradient.
    """
    return F.batch_norm(x, None, None, factors, training=True, momentum=0.0, eps=EPS)


class AddScaled(torch.autograd.Function):
    """`total + weight * x` for maps `[B, C, H, W]` and a number; no product is kept or made for gradients."""

    generate_vmap_rule = True

    @staticmethod
    def forward(total: Tensor, x: Tensor, weight: Tensor) -> Tensor:
        """Returns the sum."""
        return torch.addcmul(total, x, weight)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor], output: Tensor) -> None:
        """Keeps what gradients need."""
        ctx.save_for_backward(*inputs[1:])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Returns gradients that can be differentiated again."""
        x, weight = ctx.saved_tensors
        return (
            grad,
            grad * weight if ctx.needs_input_grad[1] else None,
            inner(grad, x) if ctx.needs_input_grad[2] else None,
        )


def inner(one: Tensor, other: Tensor) -> Tensor:
    """Returns the sum of the products of two maps `[B, C, H, W]`, which are best in channels-last order."""
    return torch.dot(one.permute(0, 2, 3, 1).reshape(-1), other.permute(0, 2, 3, 1).reshape(-1))


class Total:
    """The sum of maps at a node."""

    def __init__(self) -> None:
        self._value: Tensor | None = None
        self._mine = False

    def add(self, x: Tensor, *, mine: bool) -> None:
        """Adds `x`, which may be changed from now on if it is `mine`: nobody else has it or a view of it."""
        if self._value is None:
            self._value, self._mine = x, mine
        elif self._mine:
            self._value.add_(x)
        else:
            self._value, self._mine = self._value + x, True

    def add_scaled(self, x: Tensor, weight: Tensor) -> None:
        """Adds `weight * x`."""
        if self._value is None:
            self._value = x * weight
        else:
            self._value = AddScaled.apply(self._value, x, weight)
        self._mine = True

    def add_number(self, number: Tensor) -> None:
        """Adds a number to every element."""
        self.add(number, mine=False)

    def value(self, like: Tensor, shape: Sequence[int]) -> Tensor:
        """Returns the sum in this shape; zeros of the kind of `like` if nothing was added."""
        if self._value is None or self._value.dim() == 0:
            zeros = like.new_zeros(shape).contiguous(memory_format=torch.channels_last)
            return zeros if self._value is None else zeros + self._value
        return self._value
