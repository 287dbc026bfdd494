"""Small nets and batches that the proxy tests share."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from nas_ray.spaces import NatsTss

SPACE = NatsTss(channels=4, cells=1)

HEALTHY = "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_3x3~1|nor_conv_1x1~2|"
DEAD_INPUT = "|none~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
DEAD_END = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
IDENTITY = "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"
DISCONNECTED = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
CONNECTED = (HEALTHY, DEAD_INPUT, DEAD_END)


def built(build: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    """Returns `build()` in float64, initialised from `seed`, without a trace in the global random state."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build().double()


def tss(arch: str = HEALTHY, classes: int = 5) -> nn.Module:
    return built(lambda: SPACE.build(arch, classes))


def conv_net() -> nn.Module:
    """A chain with a bias, an in-place ReLU, dropout and a second linear layer; `[B, 3, 8, 8] -> [B, 5]`."""
    return built(
        lambda: nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(inplace=True),
            nn.Conv2d(4, 6, 3, stride=2, padding=1),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(24, 7),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(7, 5),
        )
    )


def linear_net(features: int, classes: int) -> nn.Module:
    return built(lambda: nn.Sequential(nn.Flatten(), nn.Linear(features, classes, bias=False)))


def batch(images: int = 10, classes: int = 5, size: int = 8) -> tuple[Tensor, Tensor]:
    """Returns `[images, 3, size, size]` in float64, and labels that go round the classes."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(images, 3, size, size, generator=generator, dtype=torch.float64)
    return inputs, torch.arange(images) % classes
