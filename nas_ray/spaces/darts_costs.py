"""What nets of DARTS cost, by formula: building one to count takes a second."""

from __future__ import annotations

from dataclasses import dataclass

from nas_ray.spaces.darts_cells import INPUTS, Genotype
from nas_ray.spaces.stems import STRIDED

KERNELS = {"sep_conv_3x3": 3, "sep_conv_5x5": 5, "sep_conv_7x7": 7, "dil_conv_3x3": 3, "dil_conv_5x5": 5}
"""Side of the depthwise kernels."""
FULL = {"conv_1x1": 1, "conv_3x3": 9}
"""Pixels of the kernels over all channels."""


@dataclass
class Cost:
    """Parameters and multiply-adds so far."""

    params: int = 0
    multiply_adds: int = 0

    def add(self, weights: int, size: tuple[int, int], norms: int) -> None:
        """Adds convolutions with `weights` whose maps have `size`, and BN of `norms` channels."""
        self.params += weights + 2 * norms
        self.multiply_adds += weights * size[0] * size[1]


def count_cost(
    genotype: Genotype, num_classes: int, channels: int, cells: int, stem: str, image: tuple[int, int, int]
) -> tuple[int, int]:
    """Returns parameters and multiply-adds for one image `(C, H, W)` of a `DartsNet`."""
    cost = Cost()
    size, width = _stem(cost, channels, stem, image)
    two = one = width
    for place in range(cells):
        reduction = place in (cells // 3, 2 * cells // 3)
        channels *= 2 if reduction else 1
        plan = genotype.reduce if reduction else genotype.normal
        cost.add((two + one) * channels, size, 2 * channels)
        halved = half(size) if reduction else size
        for edges in plan.nodes:
            for source, op in edges:
                _operation(cost, op, channels, size if source < INPUTS else halved, halved)
        two, one, size = one, channels * len(plan.output), halved
    classifier = (one + 1) * num_classes
    return cost.params + classifier, cost.multiply_adds + classifier


def _stem(cost: Cost, channels: int, stem: str, image: tuple[int, int, int]) -> tuple[tuple[int, int], int]:
    """Adds the stem, and returns size and width of its maps."""
    colours, size = image[0], (image[1], image[2])
    if stem != STRIDED:
        cost.add(9 * colours * 3 * channels, size, 3 * channels)
        return size, 3 * channels
    before = colours
    for after in (max(1, channels // 2), channels, channels):
        size = half(size)
        cost.add(9 * before * after, size, after)
        before = after
    return size, channels


def _operation(cost: Cost, op: str, c: int, before: tuple[int, int], after: tuple[int, int]) -> None:
    """Adds an operation on maps of the size `before` that gives maps of the size `after`."""
    if op in KERNELS:
        blocks = 2 if op.startswith("sep") else 1
        cost.add(blocks * (KERNELS[op] ** 2 * c + c * c), after, blocks * c)
    elif op in FULL:
        cost.add(FULL[op] * c * c, after, c)
    elif op == "conv_7x1_1x7":
        cost.add(7 * c * c, (before[0], after[1]), 0)
        cost.add(7 * c * c, after, c)
    elif op == "skip_connect" and before != after:
        cost.add(c * c, after, c)


def half(size: tuple[int, int]) -> tuple[int, int]:
    """Returns a size after a stride of 2."""
    return -(-size[0] // 2), -(-size[1] // 2)
