"""Zero-Cost-PT: what matters in an untrained supernet, by removing one operation at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nas_ray.errors import UsageError, unknown_name
from nas_ray.shared_weights import BATCHED
from nas_ray.shared_weights.mixture import Arch, Mixture
from nas_ray.shared_weights.prune.trail import (
    Minibatches,
    Pruned,
    Weighed,
    check_images,
    check_least,
    new_supernet,
)
from nas_ray.shared_weights.supernet import BATCH, INITIAL, Supernet
from nas_ray.spaces.nats_tss import EDGES, OPS, to_arch

NAME = "zero-cost-pt"


@dataclass(frozen=True)
class ZeroCostPt:
    """Keeps on each edge the operation without which an untrained supernet scores worst.

    In a new supernet every operation counts 1 / 5. The edges are decided in random order: each operation of
    the edge is removed alone (the others keep their weights), the supernet is scored by a proxy on a new
    minibatch, and the operation whose removal gives the lowest score is kept, with weight 1; scores that are
    NaN are passed over. That is a proposal; of `proposals` different ones that with the largest score, summed
    over `rounds` minibatches, is the arch.

    Source: Xiang et al., "Zero-Cost Operation Scoring in Differentiable Architecture Search", AAAI 2023
    (arXiv 2106.06799, 2021), with the released code's order of edges (random), proxy (NASWOT) and BN in
    evaluation mode before any training.
    Differs: released defaults are batches of 256, 10 proposals and 100 rounds, which `batch_size`,
    `proposals` and `rounds` set; operations start from equal weights instead of softmax(0.001 N(0, 1));
    removed operations are not computed, while in the released code their ReLUs go on firing on zeros, which
    adds the same number to all entries of the kernel.

    Args:
        proxy: a name of `BATCHED`; larger scores must be better.
        batch_size: images of a minibatch.
        proposals: how many archs are proposed.
        rounds: minibatches by which proposals are compared.
        channels: width of the supernet that is pruned; 0 for that of the space.
        cells: its cells of a stage; 0 for those of the space.
        statistics: `initial` for BN in evaluation mode before any training, as released, or `batch`.

    Raises:
        UsageError: an unknown proxy, or a number that cannot be.
    """

    proxy: str = "naswot"
    batch_size: int = 32
    proposals: int = 3
    rounds: int = 2
    channels: int = 0
    cells: int = 0
    statistics: str = INITIAL

    def __post_init__(self) -> None:
        if self.proxy not in BATCHED:
            raise UsageError(unknown_name("proxy", self.proxy, list(BATCHED)))
        if self.statistics not in (BATCH, INITIAL):
            raise UsageError(
                f"statistics of {NAME} must be {BATCH} or {INITIAL}, but {self.statistics!r} was given."
            )
        least = {"batch_size": 2, "proposals": 1, "rounds": 1, "channels": 0, "cells": 0}
        check_least(NAME, self, least)

    def __call__(
        self, space: object, num_classes: int, inputs: Tensor, targets: Tensor, seed: int = 0
    ) -> Pruned:
        """Returns the arch that is found, and all that was weighed.

        Args:
            space: nats-tss.
            num_classes: outputs of the nets.
            inputs: images `[M, 3, H, W]`, from which minibatches are drawn.
            targets: labels `[M]`.
            seed: of weights, order of edges and minibatches.

        Raises:
            UsageError: another space, or too few images.
        """
        check_images(inputs, targets, NAME)
        supernet = new_supernet(
            space,
            num_classes,
            seed,
            inputs,
            channels=self.channels,
            cells=self.cells,
            statistics=self.statistics,
            name=NAME,
        )
        rng = np.random.default_rng(seed)
        batches = Minibatches(inputs, targets, self.batch_size, rng)
        trail: list[Weighed] = []
        archs: dict[str, None] = {}
        for number in range(self.proposals):
            archs[self._proposal(number, supernet, batches, rng, trail)] = None
        if len(archs) == 1:
            return Pruned(next(iter(archs)), tuple(trail))
        whole = new_supernet(space, num_classes, seed, inputs, statistics=self.statistics, name=NAME)
        sums = sum(self._scores(whole, list(archs), *batches.draw()) for _ in range(self.rounds))
        scores = dict(zip(archs, np.asarray(sums).tolist(), strict=True))
        best = max(scores, key=lambda arch: -math.inf if math.isnan(scores[arch]) else scores[arch])
        return Pruned(best, tuple(trail), scores)

    def _proposal(
        self,
        number: int,
        supernet: Supernet,
        batches: Minibatches,
        rng: np.random.Generator,
        trail: list[Weighed],
    ) -> str:
        """Returns one proposal, and adds to `trail` what was weighed."""
        weights = np.full((len(EDGES), len(OPS)), 1 / len(OPS))
        for step, edge in enumerate(rng.permutation(len(EDGES)).tolist()):
            without = []
            for op in range(len(OPS)):
                removed = weights.copy()
                removed[edge, op] = 0
                without.append(Mixture.of(removed))
            scores = self._scores(supernet, without, *batches.draw())
            kept = int(np.argmin(np.where(np.isnan(scores), np.inf, scores)))
            weights[edge] = np.eye(len(OPS))[kept]
            trail += [
                Weighed(number, step, edge, op, {self.proxy: float(score)}, place == kept)
                for place, (op, score) in enumerate(zip(OPS, scores, strict=True))
            ]
        return to_arch(tuple(OPS[place] for place in weights.argmax(1)))

    def _scores(
        self, supernet: Supernet, archs: Sequence[Arch], inputs: Tensor, targets: Tensor
    ) -> np.ndarray:
        with torch.enable_grad():
            return BATCHED[self.proxy](supernet, archs, inputs, targets).cpu().numpy()
