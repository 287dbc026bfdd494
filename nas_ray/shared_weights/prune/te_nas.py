"""TE-NAS: pruning by how well a supernet trains and how finely it divides its inputs, before any training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from nas_ray.shared_weights.kernels import tangent_kernels
from nas_ray.shared_weights.mixture import Mixture
from nas_ray.shared_weights.prune.ranks import ranks, rounded
from nas_ray.shared_weights.prune.regions import Crops, count_regions, thin_net
from nas_ray.shared_weights.prune.trail import (
    Minibatches,
    Pruned,
    Weighed,
    check_images,
    check_least,
    new_supernet,
)
from nas_ray.shared_weights.supernet import BATCH, Supernet
from nas_ray.spaces.nats_tss import EDGES, OPS, to_arch

NAME = "te-nas"
NTK, REGIONS, RANKS = "ntk", "regions", "ranks"


@dataclass(frozen=True)
class TeNas:
    """Prunes on every edge, round by round, the operation that an untrained supernet misses least.

    The supernet has all operations but `none`, those of an edge with equal weights that sum to 1. In a round
    each of them is removed alone, and two changes relative to the supernet as it is are measured on the same
    new weights: of the condition number of the neural tangent kernel, which removal should lower, and of
    the number of linear regions, which it should not lower. All operations of all edges are ranked by each
    change, averaged over `repeats` draws of weights; of each edge that with the smallest sum of ranks is
    pruned, and a new round begins, until one is left.

    Source: Chen, Gong and Wang, "Neural Architecture Search on ImageNet in Four GPU Hours: A Theoretically
    Inspired Perspective", ICLR 2021, algorithm 1, with the released code's widths (3 channels and one cell
    a stage for the kernel; one cell of one channel without stem for the regions), initialisation (normal,
    fan-out and fan-in), rounding and ties.
    Differs: weights are drawn once for all operations of a repeat, not for each by itself; batches of
    `batch_size` images instead of 72, since the time grows with the square; 3,000 crops pass as one batch
    and not as three; the kernel's eigenvalues are those of float64. Removing the last convolution of a
    supernet leaves a singular kernel, which counts as the worst.

    Args:
        batch_size: images of the kernel.
        repeats: draws of weights in each round.
        crops: images of 3x3 pixels and one channel that regions are counted with.
        channels: width of the supernet of the kernel.
        cells: its cells of a stage.
        together: supernets that run as one batch.

    Raises:
        UsageError: a number that cannot be.
    """

    batch_size: int = 12
    repeats: int = 3
    crops: int = 3_000
    channels: int = 3
    cells: int = 1
    together: int = 32

    def __post_init__(self) -> None:
        ones = dict.fromkeys(("repeats", "channels", "cells", "together"), 1)
        check_least(NAME, self, {"batch_size": 2, "crops": 2, **ones})

    def __call__(
        self, space: object, num_classes: int, inputs: Tensor, targets: Tensor, seed: int = 0
    ) -> Pruned:
        """Returns the arch that is found, and all that was weighed.

        Args:
            space: nats-tss.
            num_classes: outputs of the nets.
            inputs: images `[M, 3, H, W]`, from which batches and crops are drawn.
            targets: labels `[M]`, which are not used.
            seed: of weights, batches and crops.

        Raises:
            UsageError: another space, or too few images.
        """
        check_images(inputs, targets, NAME)
        size = {"channels": self.channels, "cells": self.cells}
        supernet = new_supernet(space, num_classes, seed, inputs, statistics=BATCH, name=NAME, **size)
        rng = np.random.default_rng(seed)
        draws = torch.Generator().manual_seed(seed)
        measure = Measure(self, supernet, thin_net(num_classes, inputs), inputs, targets, rng, draws)
        there = np.ones((len(EDGES), len(OPS)), dtype=bool)
        there[:, OPS.index("none")] = False
        trail: list[Weighed] = []
        for step in range(there[0].sum() - 1):
            places = [(int(edge), int(op)) for edge, op in np.argwhere(there)]
            weighed = measure.changes(there, places)
            for edge, op in least_missed(places, weighed[RANKS]):
                there[edge, op] = False
            trail += [
                Weighed(0, step, edge, OPS[op], values, bool(there[edge, op]))
                for (edge, op), *own in zip(places, *weighed.values(), strict=True)
                if (values := dict(zip(weighed, own, strict=True)))
            ]
        return Pruned(to_arch(tuple(OPS[op] for op in there.argmax(1))), tuple(trail))


def least_missed(places: Sequence[tuple[int, int]], sums: Sequence[float]) -> list[tuple[int, int]]:
    """Returns for each edge its operation with the smallest sum of ranks; of equal ones the first."""
    least: dict[int, tuple[float, tuple[int, int]]] = {}
    for place, value in zip(places, sums, strict=True):
        if place[0] not in least or value < least[place[0]][0]:
            least[place[0]] = value, place
    return [place for _, place in least.values()]


@dataclass(frozen=True)
class Measure:
    """What the removal of operations changes."""

    how: TeNas
    supernet: Supernet
    thin: Supernet
    inputs: Tensor
    targets: Tensor
    rng: np.random.Generator
    draws: torch.Generator

    def changes(self, there: np.ndarray, places: Sequence[tuple[int, int]]) -> dict[str, list[float]]:
        """Returns the mean relative changes and the sum of ranks of each removal.

        Args:
            there: which operations there are, `[edges, ops]`.
            places: of those that are removed, one at a time.
        """
        mixtures = [equal_weights(there), *(equal_weights(without(there, place)) for place in places)]
        batches = Minibatches(self.inputs, self.targets, self.how.batch_size, self.rng)
        crops = Crops(self.inputs, self.how.crops, self.rng)
        conditions, regions = [], []
        for _ in range(self.how.repeats):
            redraw(self.supernet, "fan_out", self.draws)
            images, _ = batches.draw()
            kappa = np.array(self._conditions(mixtures, images))
            conditions.append([lowered(kappa[0], now) for now in kappa[1:]])
            redraw(self.thin, "fan_in", self.draws)
            counts = count_regions(self.thin, mixtures, crops.draw())
            regions.append([rounded((counts[0] - now) / counts[0]) for now in counts[1:]])
        ntk, lost = (np.mean(of, axis=0).tolist() for of in (conditions, regions))
        sums = np.add(ranks(ntk, largest_first=True), ranks(lost, largest_first=False)).tolist()
        return {NTK: ntk, REGIONS: lost, RANKS: sums}

    def _conditions(self, mixtures: Sequence[Mixture], images: Tensor) -> list[float]:
        """Returns the condition numbers of the tangent kernels."""
        found: list[float] = []
        for start in range(0, len(mixtures), self.how.together):
            kernels = tangent_kernels(self.supernet, mixtures[start : start + self.how.together], images)
            found += [condition(kernel) for kernel in kernels.cpu().numpy()]
        return found


def without(there: np.ndarray, place: tuple[int, int]) -> np.ndarray:
    """Returns which operations there are after one was removed."""
    rest = there.copy()
    rest[place] = False
    return rest


def equal_weights(there: np.ndarray) -> Mixture:
    """Returns the mixture in which those of an edge count the same, and 1 together."""
    return Mixture.of(there / np.maximum(there.sum(1, keepdims=True), 1))


def condition(kernel: np.ndarray) -> float:
    """Returns the largest eigenvalue over the smallest; infinity for a singular kernel."""
    values = np.linalg.eigvalsh(kernel)
    resolution = values[-1] * len(values) * np.finfo(np.float64).eps
    return float(values[-1] / values[0]) if values[0] > resolution else math.inf


def lowered(before: float, now: float) -> float:
    """Returns by which share a condition number fell, rounded; a singular kernel is infinitely worse."""
    if math.isinf(now):
        return 0.0 if math.isinf(before) else -math.inf
    return 1.0 if math.isinf(before) else rounded((before - now) / before)


def redraw(net: nn.Module, mode: str, draws: torch.Generator) -> None:
    """Draws all weights of convolutions and linear layers anew: normal, by `fan_in` or `fan_out`, no bias."""
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            fans = nn.init._calculate_fan_in_and_fan_out(module.weight)
            fan = fans[mode == "fan_out"]
            with torch.no_grad():
                drawn = torch.randn(module.weight.shape, generator=draws) * math.sqrt(2 / fan)
                module.weight.copy_(drawn)
                if module.bias is not None:
                    module.bias.zero_()
