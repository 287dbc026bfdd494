"""The operations of NASNet and PNAS by name; a light module, `nasnet/ops.py` makes them.

Source: Zoph et al., "Learning Transferable Architectures for Scalable Image Recognition", CVPR 2018, section
3.1; Liu et al., "Progressive Neural Architecture Search", ECCV 2018, section 3.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nas_ray.spaces.darts_sets import SHORT as SHORT_OF_DARTS

NASNET_OPS: tuple[str, ...] = (
    *("skip_connect", "conv_3x1_1x3", "conv_7x1_1x7", "dil_conv_3x3"),
    *("avg_pool_3x3", "max_pool_3x3", "max_pool_5x5", "max_pool_7x7", "conv_1x1", "conv_3x3"),
    *("sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7"),
)
"""The 13 operations of NASNet in the order of the paper."""

PNAS_OPS: tuple[str, ...] = (
    *("sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7", "conv_7x1_1x7"),
    *("skip_connect", "avg_pool_3x3", "max_pool_3x3", "dil_conv_3x3"),
)
"""The 8 operations of PNAS: those of NASNet that its search had used."""

SHORT: Mapping[str, str] = MappingProxyType(
    {**SHORT_OF_DARTS, "conv_3x1_1x3": "conv31", "max_pool_5x5": "max5", "max_pool_7x7": "max7"}
)
"""Short words for all operations, for people."""

KERNELS: Mapping[str, int] = MappingProxyType({"sep_conv_3x3": 3, "sep_conv_5x5": 5, "sep_conv_7x7": 7})
"""Sides of the depthwise kernels."""

POOLS: Mapping[str, int] = MappingProxyType(
    {"avg_pool_3x3": 3, "max_pool_3x3": 3, "max_pool_5x5": 5, "max_pool_7x7": 7}
)
"""Sides of the pools."""

SIDES: Mapping[str, int] = MappingProxyType({"conv_3x1_1x3": 3, "conv_7x1_1x7": 7})
"""Lengths of the kernels of one pixel's width."""

SHARES: Mapping[str, float] = MappingProxyType(
    {"conv_3x1_1x3": 3 / 8, "conv_7x1_1x7": 1 / 4, "dil_conv_3x3": 1 / 4, "conv_3x3": 1 / 4}
)
"""Of the operations that work on fewer channels, between two 1x1 convolutions, the share of the channels."""


def narrowed(op: str, channels: int) -> int:
    """Returns on how many channels an operation of `SHARES` works; 0 for all, without 1x1 convolutions."""
    return int(SHARES[op] * channels)
