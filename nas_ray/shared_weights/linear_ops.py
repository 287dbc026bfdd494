"""Operations of a linear net with absolute weights on maps `[A, H, W, C]`, and their adjoints."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.shared_weights.arch_view import window
from nas_ray.shared_weights.routes import Group

FEW = 8
"""Archs whose windows are spread out at once; more would not stay in the cache."""


def absolute(convolution: nn.Module) -> Tensor:
    """Returns the absolute weight `[out, in, k, k]` of a convolution, in channels-last order."""
    weight = convolution.get_parameter("weight").detach().abs()
    return weight.contiguous(memory_format=torch.channels_last)


def cell_weight(cell: nn.Module, group: Group) -> Tensor:
    """Returns the absolute weight of the convolution of `group`."""
    return absolute(cell.get_submodule(f"edges.{group.edge}.{group.op}.1"))


def convolve(x: Tensor, weight: Tensor, stride: int = 1) -> Tensor:
    """Returns the convolution, with padding that keeps the size, of `x [A, H, W, in]`."""
    out = F.conv2d(x.permute(0, 3, 1, 2), weight, stride=stride, padding=weight.shape[2] // 2)
    return out.permute(0, 2, 3, 1)


def convolve_back(grad: Tensor, weight: Tensor, x: Tensor, stride: int = 1) -> Tensor:
    """Returns the gradient in `x [A, H, W, in]`, given that in `convolve(x, weight, stride)`."""
    if stride == 1:  # the adjoint is a convolution with the turned filter
        return convolve(grad, weight.flip(2, 3).transpose(0, 1).contiguous(memory_format=torch.channels_last))
    padding = weight.shape[2] // 2
    rest = x.shape[1] - 1 - (grad.shape[1] - 1) * stride + 2 * padding - (weight.shape[2] - 1)
    full = F.conv_transpose2d(grad.permute(0, 3, 1, 2), weight, None, stride, padding, output_padding=rest)
    return full.permute(0, 2, 3, 1)


def weight_gradient(x: Tensor, grad: Tensor, weight: Tensor, stride: int = 1) -> Tensor:
    """Returns for each arch the gradient in `weight`, as `[A, k * k * in, out]`, from that in the output."""
    kernel, rows = weight.shape[2], grad.flatten(1, 2)
    if kernel == 1:
        return x.flatten(1, 2).mT @ rows
    padding = kernel // 2
    padded = F.pad(x, (0, 0, padding, padding, padding, padding)).contiguous()
    parts = zip(torch.split(padded, FEW), torch.split(rows, FEW), strict=True)
    positions = grad.shape[1], grad.shape[2]
    return torch.cat([windows(part, positions, kernel, stride).mT @ own for part, own in parts])


def windows(padded: Tensor, positions: tuple[int, int], kernel: int, stride: int) -> Tensor:
    """Returns the pixels under a kernel at each position, `[A, positions, k * k * C]`, of `[A, H, W, C]`."""
    archs, channels = padded.shape[0], padded.shape[3]
    to_arch, to_row, to_pixel, _ = padded.stride()
    columns = padded.as_strided(  # a row of a window is contiguous, so that this copies in long runs
        (archs, *positions, kernel, kernel * channels),
        (to_arch, stride * to_row, stride * to_pixel, to_row, 1),
        padded.storage_offset(),
    )
    return columns.reshape(archs, positions[0] * positions[1], -1)


def average(x: Tensor) -> Tensor:
    """Returns 3x3 average pooling that leaves padding out of `x [A, H, W, C]`."""
    box, share = _window(x)
    return convolve_each(x, box) * share


def average_back(grad: Tensor) -> Tensor:
    """Returns the gradient in the input of `average`."""
    box, share = _window(grad)
    return convolve_each(grad * share, box)


def convolve_each(x: Tensor, box: Tensor) -> Tensor:
    """Returns the depthwise convolution of `x [A, H, W, C]` with `box [C, 1, 3, 3]`."""
    return F.conv2d(x.permute(0, 3, 1, 2), box, padding=1, groups=len(box)).permute(0, 2, 3, 1)


def _window(x: Tensor) -> tuple[Tensor, Tensor]:
    box, share = window(x.shape[3], x.shape[1], x.shape[2], x.dtype, x.device)
    return box, share.permute(0, 2, 3, 1)
