"""The operations of DARTS and of other published cells, in the order ReLU, convolution, BN.

Source: Liu et al., "DARTS: Differentiable Architecture Search", ICLR 2019, section 3.1.1; Zoph et al.,
"Learning Transferable Architectures", CVPR 2018, for the larger kernels; Zela et al., "Understanding and
Robustifying Differentiable Architecture Search", ICLR 2020, for `noise`.

No class name here contains "ReLU", for the reason that `spaces/ops.py` gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from nas_ray.spaces.ops import Zero

Norm = Callable[[int], nn.Module]
"""Channels to what normalises them, such as `BatchNorm2d`, or `partial(BatchNorm2d, affine=False)`."""

Maker = Callable[[int, int, Norm], nn.Module]
"""`(channels, stride, norm)` to an operation `[B, C, H, W] -> [B, C, H / stride, W / stride]`."""


class StridedZero(Zero):
    """Returns zeros of half the size, `[B, C, H / 2, W / 2]`, by a product as `Zero` does."""

    def forward(self, x: Tensor) -> Tensor:
        """Returns `x[..., ::2, ::2] * 0`."""
        return super().forward(x[:, :, ::2, ::2])


class FactorizedReduction(nn.Module):
    """Halves the resolution without a kernel: ReLU, two 1x1 convolutions with stride 2 side by side, BN.

    `[B, C_in, H, W] -> [B, C_out, ceil(H / 2), ceil(W / 2)]`. The second convolution looks one pixel down and
    to the right, so that no part of the input is lost.

    Differs: odd sizes and widths, which the released code cannot take, get a row and a column of zeros, and
    one channel more in the first convolution.
    """

    def __init__(self, channels_in: int, channels_out: int, norm: Norm = nn.BatchNorm2d) -> None:
        super().__init__()
        second = channels_out // 2
        self.act: nn.Module = nn.ReLU()
        self.conv_a = nn.Conv2d(channels_in, channels_out - second, 1, stride=2, bias=False)
        self.conv_b = nn.Conv2d(channels_in, second, 1, stride=2, bias=False)
        self.norm = norm(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the halved map."""
        x = self.act(x)
        odd = (0, x.shape[3] % 2, 0, x.shape[2] % 2)
        shifted = (pad(x, odd) if any(odd) else x)[:, :, 1:, 1:]
        out: Tensor = self.norm(torch.cat([self.conv_a(x), self.conv_b(shifted)], dim=1))
        return out


class Noise(nn.Module):
    """Returns Gaussian noise, whatever the input: an operation that no cell should have.

    `[B, C, H, W] -> [B, C, ceil(H / stride), ceil(W / stride)]`, other numbers at every call. They are too
    many to be sent to a GPU, which draws them from a seed that the CPU draws.
    """

    def __init__(self, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Returns new noise of mean 0 and deviation 1."""
        x = x[:, :, :: self.stride, :: self.stride]
        if x.device.type in ("cpu", "meta"):
            return torch.randn_like(x)
        generator = torch.Generator(x.device).manual_seed(int(torch.randint(2**62, ())))
        return torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)


def pointwise(channels_in: int, channels_out: int, norm: Norm = nn.BatchNorm2d) -> nn.Sequential:
    """Returns ReLU, a 1x1 convolution and BN, `[B, C_in, H, W] -> [B, C, H, W]`; cells begin with it."""
    return nn.Sequential(nn.ReLU(), nn.Conv2d(channels_in, channels_out, 1, bias=False), norm(channels_out))


def depthwise_block(
    channels: int,
    kernel_size: int,
    stride: int,
    norm: Norm,
    dilation: int = 1,
    channels_out: int | None = None,
) -> nn.Sequential:
    """Returns ReLU, a depthwise and a 1x1 convolution and BN; `[B, C, H, W] -> [B, C_out, H / s, W / s]`.

    Args:
        channels: C.
        kernel_size: side of the depthwise kernel in pixels.
        stride: s.
        norm: makes what normalises.
        dilation: pixels from one weight of the kernel to the next.
        channels_out: C_out; None for C.
    """
    padding, out = dilation * (kernel_size - 1) // 2, channels_out or channels
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(*(channels, channels, kernel_size, stride, padding, dilation), groups=channels, bias=False),
        nn.Conv2d(channels, out, 1, bias=False),
        norm(out),
    )


def _separable(kernel_size: int) -> Maker:
    """Returns the maker of a separable convolution: the block twice, the first with the stride."""
    return lambda channels, stride, norm: nn.Sequential(
        depthwise_block(channels, kernel_size, stride, norm), depthwise_block(channels, kernel_size, 1, norm)
    )


def _dilated(kernel_size: int) -> Maker:
    """Returns the maker of a separable convolution with dilation 2: the block once."""
    return lambda channels, stride, norm: depthwise_block(channels, kernel_size, stride, norm, dilation=2)


def _rectangular(length: int) -> Maker:
    """Returns the maker of a 1 x n and an n x 1 convolution, which share the stride."""
    padding = length // 2

    def make(channels: int, stride: int, norm: Norm) -> nn.Module:
        return nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(channels, channels, (1, length), (1, stride), (0, padding), bias=False),
            nn.Conv2d(channels, channels, (length, 1), (stride, 1), (padding, 0), bias=False),
            norm(channels),
        )

    return make


def _full(kernel_size: int) -> Maker:
    """Returns the maker of ReLU, a convolution and BN."""
    return lambda channels, stride, norm: nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(channels, channels, kernel_size, stride, kernel_size // 2, bias=False),
        norm(channels),
    )


OPERATIONS: Mapping[str, Maker] = MappingProxyType(
    {
        "none": lambda channels, stride, norm: Zero() if stride == 1 else StridedZero(),
        "max_pool_3x3": lambda channels, stride, norm: nn.MaxPool2d(3, stride, padding=1),
        "avg_pool_3x3": lambda channels, stride, norm: nn.AvgPool2d(
            3, stride, padding=1, count_include_pad=False
        ),
        "skip_connect": lambda channels, stride, norm: (
            nn.Identity() if stride == 1 else FactorizedReduction(channels, channels, norm)
        ),
        "sep_conv_3x3": _separable(3),
        "sep_conv_5x5": _separable(5),
        "dil_conv_3x3": _dilated(3),
        "dil_conv_5x5": _dilated(5),
        "sep_conv_7x7": _separable(7),
        "conv_7x1_1x7": _rectangular(7),
        "conv_1x1": _full(1),
        "conv_3x3": _full(3),
        "noise": lambda channels, stride, norm: Noise(stride),
    }
)
"""All operations by name, in the order of `darts_sets.KNOWN`."""


def make_op(
    name: str, channels: int, stride: int = 1, norm: Norm = nn.BatchNorm2d, *, norm_pools: bool = False
) -> nn.Module:
    """Returns the operation `name`; it maps `[B, C, H, W] -> [B, C, ceil(H / stride), ceil(W / stride)]`.

    Args:
        name: of `OPERATIONS`.
        channels: C.
        stride: 1 or 2.
        norm: makes what normalises. Supernets take one without weights, as published:
            `partial(nn.BatchNorm2d, affine=False)`, and with `track_running_stats=False` for the statistics
            of the batch.
        norm_pools: whether pools are followed by one, as in supernets.

    Raises:
        KeyError: unknown.
    """
    op = OPERATIONS[name](channels, stride, norm)
    return nn.Sequential(op, norm(channels)) if norm_pools and "pool" in name else op
