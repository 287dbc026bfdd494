"""Small nets and batches that the proxy tests share."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
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


class Tied(nn.Module):
    """A linear layer that is called and whose weight, turned, is used once more; `way` says by what."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3, stride=2, padding=1)
        self.down, self.head, self.way = nn.Linear(32, 6), nn.Linear(32, 5), way

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.relu(self.down(self.conv(x).relu().flatten(1)))
        if self.way == "linear":
            back = F.linear(hidden, self.down.weight.t())
        elif self.way == "product":
            back = hidden @ self.down.weight
        else:
            back = torch.einsum("bi,ij->bj", hidden, 2 * self.down.weight)
        return self.head(torch.relu(back))


class Attention(nn.Module):
    """Attention over four tokens, and a linear layer that is not called; with `modules` all layers are."""

    def __init__(self, modules: bool = False) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, stride=4)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.mix, self.head, self.modules_ = nn.Linear(8, 8), nn.Linear(8, 5), modules

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patches(x).flatten(2).mT
        tokens = tokens + self.attend(tokens)
        mixed = self.mix(tokens) if self.modules_ else F.linear(tokens, self.mix.weight, self.mix.bias)
        return self.head(F.gelu(mixed).mean(1))

    def attend(self, tokens: Tensor) -> Tensor:
        if not self.modules_:
            return self.attention(tokens, tokens, tokens, need_weights=False)[0]
        maps = F.linear(tokens, self.attention.in_proj_weight, self.attention.in_proj_bias)
        q, k, v = (m.unflatten(2, (2, 4)).transpose(1, 2) for m in maps.chunk(3, -1))
        out = torch.softmax(q @ k.mT / 2, -1) @ v
        return self.attention.out_proj(out.transpose(1, 2).flatten(2))


def linear_net(features: int, classes: int) -> nn.Module:
    return built(lambda: nn.Sequential(nn.Flatten(), nn.Linear(features, classes, bias=False)))


def batch(images: int = 10, classes: int = 5, size: int = 8) -> tuple[Tensor, Tensor]:
    """Returns `[images, 3, size, size]` in float64, and labels that go round the classes."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(images, 3, size, size, generator=generator, dtype=torch.float64)
    return inputs, torch.arange(images) % classes
