"""Depthwise convolutions whose gradients cost little more than they do on a CPU.

There oneDNN has fast kernels for what goes forward, and for gradients of kernels three pixels wide without
dilation; for others gradients take five to ten times as long. Here they are made of the fast ones.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

FAST = 3
"""Width in pixels of kernels whose gradient is fast."""

Pair = tuple[int, int]


def depthwise(x: Tensor, weight: Tensor, padding: Pair, dilation: Pair) -> Tensor:
    """Returns `x [B, C, H, W]` with a kernel for each channel, `weight [C, 1, k, l]`, at the same size.

    Kernels have odd sizes and the padding that leaves the size as it is.
    """
    if not x.is_cpu:
        return F.conv2d(x, weight, None, 1, padding, dilation, len(weight))
    out: Tensor = Depthwise.apply(x, weight, padding, dilation)
    return out


class Depthwise(torch.autograd.Function):
    """A depthwise convolution; its gradients can be differentiated again."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, weight: Tensor, padding: Pair, dilation: Pair) -> Tensor:
        """Returns the convolution."""
        return F.conv2d(x, weight, None, 1, padding, dilation, len(weight))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keeps what gradients need."""
        x, weight, ctx.padding, ctx.dilation = inputs
        ctx.save_for_backward(x, weight)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        """Returns the gradients; that in x is the convolution with the turned kernels."""
        x, weight = ctx.saved_tensors
        of_x = of_weight = None
        if ctx.needs_input_grad[0]:
            of_x = F.conv2d(grad, weight.flip(2, 3), None, 1, ctx.padding, ctx.dilation, len(weight))
        if ctx.needs_input_grad[1]:
            of_weight = weight_gradient(x, grad, weight, ctx.padding, ctx.dilation)
        return of_x, of_weight, None, None


def weight_gradient(x: Tensor, grad: Tensor, weight: Tensor, padding: Pair, dilation: Pair) -> Tensor:
    """Returns the gradient in the kernels `weight [C, 1, k, l]`, from that in the output."""
    if dilation == (2, 2) and not (x.shape[2] % 2 or x.shape[3] % 2):
        # Pixels with equal parities are images of their own, on which there is no dilation.
        halved = padding[0] // 2, padding[1] // 2
        found = weight_gradient(parted(x), parted(grad), torch.cat([weight, weight]), halved, (1, 1))
        return found[: len(weight)] + found[len(weight) :]
    if dilation != (1, 1) or weight.shape[3] <= FAST:
        return gradient(x, grad, weight, padding, dilation)
    columns: list[Tensor] = []
    for start in range(0, weight.shape[3] - 1, FAST - 1):  # windows of three columns, which share one
        left = padding[1] - start
        window = F.pad(x.permute(0, 2, 3, 1), (0, 0, left, FAST - 1 - left)).permute(0, 3, 1, 2)
        some = gradient(window, grad, weight[..., start : start + FAST], (padding[0], 0), (1, 1))
        columns.append(some if start == 0 else some[..., 1:])
    return torch.cat(columns, 3)


def gradient(x: Tensor, grad: Tensor, weight: Tensor, padding: Pair, dilation: Pair) -> Tensor:
    """Returns torch's gradient in the kernels."""
    found: list[Tensor] = torch.ops.aten.convolution_backward(
        grad, x, weight, None, (1, 1), padding, dilation, False, (0, 0), len(weight), (False, True, False)
    )
    return found[1]


def parted(x: Tensor) -> Tensor:
    """Returns the four images of pixels with equal parities: `[B, C, H, W] -> [2 B, 2 C, H / 2, W / 2]`."""
    batch, channels, height, width = x.shape
    rows = x.permute(0, 2, 3, 1).reshape(batch, height // 2, 2, width // 2, 2 * channels)
    return rows.transpose(1, 2).reshape(2 * batch, height // 2, width // 2, -1).permute(0, 3, 1, 2)
