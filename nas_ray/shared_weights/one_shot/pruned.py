"""Searches without training as trials: one epoch, in which an untrained supernet is pruned to an arch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from nas_ray.rows import FOUND, TRAJECTORY
from nas_ray.shared_weights.methods.batches import accuracy
from nas_ray.shared_weights.mixed import mixed_net, one_hot
from nas_ray.shared_weights.one_shot.epochs import FOUND_BEST, SKIP, array_of, count_of
from nas_ray.shared_weights.one_shot.trajectory import Trajectory
from nas_ray.shared_weights.prune.named import Pruning
from nas_ray.shared_weights.prune.trail import pruned_space
from nas_ray.spaces.edges import EdgeSpace
from nas_ray.training.search_set import SearchSet

IMAGES = 1_024
"""Images of which the minibatches are drawn."""


class PrunedEpochs:
    """One search by pruning; its `valid_acc` is that of the arch with untrained weights, near chance.

    Args:
        pruning: the search.
        space: of what is found.
        num_classes: outputs.
        images: those of the architecture weights are seen.
        seed: of the search.
        device: where it runs.
        name: of the method, for messages.

    Raises:
        UsageError: another space than nats-tss, or images that take another stem.
    """

    def __init__(
        self,
        pruning: Pruning,
        space: EdgeSpace,
        num_classes: int,
        images: SearchSet,
        seed: int,
        *,
        device: torch.device,
        name: str,
    ) -> None:
        self.pruning, self.space, self.num_classes = pruning, pruned_space(space, name), num_classes
        self.images, self.seed, self.device = images, seed, device

    def train_epoch(self, epoch: int) -> Mapping[str, float | str]:
        """Prunes a new supernet and returns the columns of the row."""
        inputs, targets = next(iter(self.images.valid_batches(IMAGES)))
        found = self.pruning(self.space, self.num_classes, inputs, targets, self.seed).arch
        mix = one_hot(self.space, found)
        there = replace(mix, weights=tuple(of.to(self.device) for of in mix.weights))
        torch.manual_seed(self.seed)
        net = mixed_net(self.space, self.num_classes).to(self.device)
        numbers = {
            "valid_acc": accuracy(net, [(inputs, targets)], lambda: there, self.device),
            "skips": float(count_of(self.space, found, SKIP)),
            "entropy": 0.0,
        }
        course = Trajectory()
        course.add(found, [array_of(of) for of in mix.weights], numbers)
        return {**numbers, FOUND: found, FOUND_BEST: found, TRAJECTORY: course.to_text()}

    def state(self) -> dict[str, Any]:
        """Returns nothing: there is one epoch."""
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes it."""
