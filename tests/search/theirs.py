"""A space of somebody else whose archs are scored together: one wide layer, of which an arch is a part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from nas_ray.proxies import Proxy
from nas_ray.rows import Row

WIDEST = 40


class Widths:
    """Nets of one hidden layer of 1 to 40 units."""

    def sample(self, rng: np.random.Generator) -> str:
        return str(rng.integers(1, WIDEST + 1))

    def neighbors(self, arch: str) -> list[str]:
        return [str(width) for width in (int(arch) - 1, int(arch) + 1) if 1 <= width <= WIDEST]

    def build(self, arch: str, num_classes: int) -> nn.Module:
        hidden = nn.Sequential(nn.Flatten(), nn.LazyLinear(int(arch)), nn.ReLU())
        return nn.Sequential(hidden, nn.Linear(int(arch), num_classes))


class Slices(Widths):
    """The same, with the weights of the widest net for all."""

    def together(self, *batch: Any, init_seed: int) -> SliceScores:
        return SliceScores(*batch, init_seed=init_seed)


class SliceScores:
    """Scores all archs of a trial by one product of the images with the widest layer."""

    def __init__(
        self,
        num_classes: int,
        inputs: np.ndarray,
        targets: np.ndarray,
        proxies: Mapping[str, Proxy],
        *,
        init_seed: int,
    ) -> None:
        flat = torch.tensor(inputs).flatten(1)
        weights = torch.randn(flat.shape[1], WIDEST, generator=torch.Generator().manual_seed(init_seed))
        self.on = (flat @ weights > 0).double().mean(0).cumsum(0)
        self.columns = list(proxies)

    def __call__(self, arch: str, report: Callable[[Row], None]) -> None:
        report(self.rows([arch])[0])

    def rows(self, archs: Sequence[str]) -> list[Row]:
        scores = [self.on[int(arch) - 1].item() for arch in archs]
        told = {"together": float(len(archs)), "seconds": 1.0, "error": None}
        return [{**dict.fromkeys(self.columns, score), **told} for score in scores]


class Broken(Slices):
    """Cannot say how."""

    def together(self, *batch: Any, init_seed: int) -> SliceScores:
        raise KeyError("weights")


class Nothing(Slices):
    """Says nothing."""

    def together(self, *batch: Any, init_seed: int) -> Any:
        return None
