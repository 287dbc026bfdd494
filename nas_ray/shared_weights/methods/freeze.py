"""Operations that stop training once their training and validation gradients disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nas_ray.shared_weights.mixed.net import Place


class Agreement:
    """Mean cosines of the gradients of operations on training and validation batches, and who is frozen.

    After every `patience` steps operations whose mean is below `least` are frozen for good.

    Source: Jiang et al., "Operation-Level Early Stopping for Robustifying Differentiable NAS", NeurIPS 2023,
    equation 5 and algorithm 1; threshold 0.4 and 20 steps of the release.
    Differs: the weights of an operation in all cells are one vector; the release takes each cell by itself
    and means cosines over positions of its kernels. Both gradients are of one step, the release pairs that of
    the step before.

    Args:
        operations: the weights of each operation.
        least: smallest mean cosine.
        patience: steps of a mean.
    """

    def __init__(
        self, operations: Mapping[Place, Sequence[nn.Parameter]], least: float, patience: int
    ) -> None:
        self.operations = {place: list(weights) for place, weights in operations.items()}
        self.least, self.patience = least, patience
        self.frozen: set[Place] = set()
        self.sums: Tensor | None = None
        self.counts: Tensor | None = None
        self.steps = 0

    @property
    def open(self) -> list[nn.Parameter]:
        """The weights of operations that are not frozen."""
        return [one for place, own in self.operations.items() if place not in self.frozen for one in own]

    def add(
        self, train: Mapping[nn.Parameter, Tensor | None], valid: Mapping[nn.Parameter, Tensor | None]
    ) -> None:
        """Takes the gradients of a step; operations without a gradient in one of them do not count."""
        pairs = [agreement(own, train, valid) for own in self.operations.values()]
        cosines = torch.stack([cosine for cosine, _ in pairs])
        counted = torch.stack([there for _, there in pairs])
        self.sums = cosines if self.sums is None else self.sums + cosines
        self.counts = counted if self.counts is None else self.counts + counted
        self.steps += 1
        if self.steps == self.patience:
            self._freeze((self.sums / self.counts).tolist())
            self.sums = self.counts = None
            self.steps = 0

    def _freeze(self, means: Sequence[float]) -> None:
        for place, mean in zip(self.operations, means, strict=True):
            if mean < self.least:  # NaN is not: nothing was compared
                self.freeze(place)

    def freeze(self, place: Place) -> None:
        """Freezes the weights of an operation."""
        self.frozen.add(place)
        for weight in self.operations[place]:
            weight.requires_grad_(False)

    def state(self) -> dict[str, Any]:
        """Returns who is frozen, and the means under way."""
        return {"frozen": sorted(self.frozen), "sums": self.sums, "counts": self.counts, "steps": self.steps}

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on as after `state`."""
        for weights in self.operations.values():
            for weight in weights:
                weight.requires_grad_(True)
        self.frozen = set()
        for place in state["frozen"]:
            self.freeze(tuple(place))
        self.sums, self.counts, self.steps = state["sums"], state["counts"], state["steps"]


def agreement(
    weights: Sequence[nn.Parameter],
    train: Mapping[nn.Parameter, Tensor | None],
    valid: Mapping[nn.Parameter, Tensor | None],
) -> tuple[Tensor, Tensor]:
    """Returns the cosine of two gradients of some weights, and 1 if there is one; 0 and 0 if not."""
    first, second = (
        torch.cat(
            [
                (torch.zeros_like(one) if (given := found.get(one)) is None else given).flatten()
                for one in weights
            ]
        )
        for found in (train, valid)
    )
    norms = torch.linalg.vector_norm(first) * torch.linalg.vector_norm(second)
    there = norms > 0
    cosine = torch.dot(first, second) / torch.where(there, norms, 1.0)
    return torch.where(there, cosine, 0.0), there.to(cosine)
