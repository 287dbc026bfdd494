"""How many linear regions parts of a thin supernet have, on crops of 3x3 pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from nas_ray.shared_weights.arch_view import ArchView
from nas_ray.shared_weights.mixture import Mixture
from nas_ray.shared_weights.supernet import SuperCell, Supernet
from nas_ray.spaces.nats_tss import NatsTss

SIDE = 3
"""Pixels of a crop."""


@dataclass(frozen=True)
class Crops:
    """Crops of one channel at random places of random images.

    Args:
        inputs: images `[M, C, H, W]`.
        count: crops.
        rng: draws.
    """

    inputs: Tensor
    count: int
    rng: np.random.Generator

    def draw(self) -> Tensor:
        """Returns crops `[count, 1, 3, 3]`."""
        number, channels, height, width = self.inputs.shape
        places = (number, channels, height - SIDE + 1, width - SIDE + 1)
        image, channel, row, column = (
            torch.from_numpy(self.rng.integers(n, size=self.count)) for n in places
        )
        offsets = torch.arange(SIDE)
        return self.inputs[
            image[:, None, None],
            channel[:, None, None],
            row[:, None, None] + offsets[:, None],
            column[:, None, None] + offsets,
        ][:, None]


def thin_net(num_classes: int, like: Tensor) -> Supernet:
    """Returns a supernet of one cell of one channel without a stem, in dtype and on the device of `like`."""
    with torch.random.fork_rng(devices=[]):
        net = Supernet(NatsTss(channels=1, cells=1), num_classes)
        net.stem = nn.Identity()  # type: ignore[assignment]
        net.body = nn.ModuleList(block for block in net.body[:1] if isinstance(block, SuperCell))
        net.head[0] = nn.BatchNorm2d(1, affine=False, track_running_stats=False)
        net.classifier = nn.Linear(1, num_classes)
    return net.to(like.device, like.dtype)


def count_regions(net: Supernet, mixtures: Sequence[Mixture], crops: Tensor) -> list[int]:
    """Returns how many different patterns of ReLUs the crops have in each mixture."""
    found = {mixture.seen(observed=True): mixture for mixture in mixtures}
    counts = {seen: different_patterns(net.view(mixture), crops) for seen, mixture in found.items()}
    return [counts[mixture.seen(observed=True)] for mixture in mixtures]


def different_patterns(view: ArchView, crops: Tensor) -> int:
    """Returns how many different patterns of ReLUs there are over `crops [N, 1, 3, 3]`."""
    signs: list[Tensor] = []
    with torch.no_grad():
        view(crops, lambda node, count: signs.append((node > 0).flatten(1)))
    packed = np.packbits(torch.cat(signs, 1).cpu().numpy(), axis=1)
    rows = np.ascontiguousarray(packed).view(np.dtype((np.void, packed.shape[1]))).ravel()
    return len(np.unique(rows))
