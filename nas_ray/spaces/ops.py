"""Building blocks of the NAS-Bench-201 cell and skeleton, in the published ReLU-Conv-BN order.

Source: Dong and Yang, "NAS-Bench-201", ICLR 2020, section 2.1; Dong et al., "NATS-Bench", TPAMI 2021, section
3.

No class name here contains "ReLU": the reference code of NASWOT selects modules by that substring, so a block
named `ReLUConvBN` would be counted on top of the ReLU inside it.
"""

from __future__ import annotations

from torch import Tensor, nn


class Zero(nn.Module):
    """Returns zeros of the input's shape `[B, C, H, W]`.

    The input is multiplied by zero, as in the published code, so the edge stays in the autograd graph: parts
    that feed only a `none` edge get zero gradients, not missing ones, and proxies that ask "does a backward
    pass reach this layer?" answer as the reference does.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Returns `x * 0`."""
        return x * 0.0


def conv_block(channels_in: int, channels_out: int, kernel_size: int, stride: int = 1) -> nn.Sequential:
    """Returns ReLU -> convolution -> BN; `[B, C_in, H, W] -> [B, C_out, H / stride, W / stride]`."""
    padding = kernel_size // 2
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(channels_in, channels_out, kernel_size, stride, padding, bias=False),
        nn.BatchNorm2d(channels_out),
    )


def widening_skip(channels_in: int, channels_out: int) -> nn.Sequential:
    """Returns the skip connection between widths: a 1x1 convolution and BN, as published without ReLU."""
    return nn.Sequential(nn.Conv2d(channels_in, channels_out, 1, bias=False), nn.BatchNorm2d(channels_out))


def make_op(name: str, channels: int, channels_in: int | None = None) -> nn.Module:
    """Returns the cell operation `name`; it maps `[B, C_in, H, W] -> [B, C, H, W]`.

    Args:
        name: of the operation.
        channels: C.
        channels_in: C_in, which only convolutions and `skip_connect` can change; None for C.

    Raises:
        KeyError: unknown, or an operation that cannot change the width.
    """
    wide = channels if channels_in is None else channels_in
    if name == "nor_conv_1x1":
        return conv_block(wide, channels, 1)
    if name == "nor_conv_3x3":
        return conv_block(wide, channels, 3)
    if name == "skip_connect":
        return nn.Identity() if wide == channels else widening_skip(wide, channels)
    if wide != channels:
        raise KeyError(f"{name} cannot change the width from {wide} to {channels}")
    if name == "none":
        return Zero()
    if name == "avg_pool_3x3":
        return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    raise KeyError(name)


class ResidualReduction(nn.Module):
    """Halves the resolution and changes the width; `[B, C_in, H, W] -> [B, C_out, H / 2, W / 2]`.

    Two ReLU-Conv3x3-BN blocks (the first with stride 2) beside a shortcut of 2x2 average pooling and a 1x1
    convolution.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv_a = conv_block(channels_in, channels_out, 3, stride=2)
        self.conv_b = conv_block(channels_out, channels_out, 3)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(channels_in, channels_out, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """Returns residual branch plus shortcut."""
        out: Tensor = self.shortcut(x) + self.conv_b(self.conv_a(x))
        return out
