"""The NATS-Bench size space: five widths of one fixed cell, 32,768 archs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from torch import Tensor, nn

from nas_ray.errors import UsageError
from nas_ray.spaces.nats_tss import EDGES, to_ops
from nas_ray.spaces.ops import ResidualReduction
from nas_ray.spaces.stems import SMALL, STEMS, make_stem, stem_for
from nas_ray.spaces.tss_nets import Cell

WIDTHS: tuple[int, ...] = (8, 16, 24, 32, 40, 48, 56, 64)
"""The candidate numbers of channels, in the published order."""

POSITIONS = 5
"""Places of an arch: cell, reduction, cell, reduction, cell."""

CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
"""The published cell, the same in all archs."""


class NatsSss:
    """The NATS-Bench size space (SSS): archs such as `8:16:24:32:40`, the channels of five positions.

    The stem and the first cell have the first width, a reduction the second, and so on. A cell that changes
    the width does so on the edges from its input, and its `skip_connect` is then a 1x1 convolution with BN.

    Source: Dong et al., "NATS-Bench: Benchmarking NAS Algorithms for Architecture Topology and Size",
    TPAMI 2021, section 3.2; parameters and multiply-adds of the published files.
    Differs: none known.

    Args:
        stem: `small`, as published, or `strided` for images above 64 pixels.
    """

    name = "nats-sss"
    schedules = (1, 12, 90)
    """Epochs of the published trainings; the last one counts."""

    def __init__(self, stem: str = SMALL) -> None:
        if stem not in STEMS:
            raise UsageError(f"stem must be one of {', '.join(STEMS)}, got {stem!r}.")
        self.stem = stem

    def for_image_size(self, image_size: int) -> NatsSss:
        """Returns the same archs with the stem for square images of `image_size` pixels."""
        stem = stem_for(image_size)
        return self if stem == self.stem else NatsSss(stem)

    @cached_property
    def archs(self) -> tuple[str, ...]:
        """All archs in the published index order: the last position changes fastest."""
        return tuple(to_arch(widths) for widths in itertools.product(WIDTHS, repeat=POSITIONS))

    def __len__(self) -> int:
        size: int = len(WIDTHS) ** POSITIONS
        return size

    def __iter__(self) -> Iterator[str]:
        return iter(self.archs)

    def __contains__(self, arch: object) -> bool:
        try:
            return isinstance(arch, str) and to_arch(to_widths(arch)) == arch
        except UsageError:
            return False

    def __getitem__(self, index: int) -> str:
        return self.archs[index]

    def index(self, arch: str) -> int:
        """Returns the published index of `arch`.

        Raises:
            UsageError: not an arch of this space.
        """
        place = 0
        for width in to_widths(arch):
            place = place * len(WIDTHS) + WIDTHS.index(width)
        return place

    def sample(self, rng: np.random.Generator) -> str:
        """Returns an arch drawn uniformly: one width per position."""
        return to_arch(tuple(WIDTHS[i] for i in rng.integers(len(WIDTHS), size=POSITIONS)))

    def neighbors(self, arch: str) -> list[str]:
        """Returns the 35 archs that differ from `arch` in the width of one position."""
        widths = to_widths(arch)
        return [
            to_arch((*widths[:place], other, *widths[place + 1 :]))
            for place in range(POSITIONS)
            for other in WIDTHS
            if other != widths[place]
        ]

    def choices(self) -> tuple[tuple[str, ...], ...]:
        """Returns the eight widths for each of the five positions."""
        return (tuple(map(str, WIDTHS)),) * POSITIONS

    def decisions(self, arch: str) -> tuple[str, ...]:
        """Returns the five widths of `arch`."""
        return tuple(map(str, to_widths(arch)))

    def assemble(self, decisions: Sequence[str]) -> str:
        """Returns the arch with these five widths.

        Raises:
            UsageError: another number of widths, or an unknown one.
        """
        arch = ":".join(decisions)
        to_widths(arch)
        return arch

    def cost(self, arch: str, num_classes: int, image: tuple[int, int, int]) -> tuple[int, int] | None:
        """Returns parameters and multiply-adds of one image `(3, H, W)`; None for the strided stem.

        What the proxies `params` and `flops` count on a built net, without building one.
        """
        return count_cost(to_widths(arch), num_classes, image) if self.stem == SMALL else None

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns a new net `[B, 3, H, W] -> [B, num_classes]`, with H and W divisible by 4.

        With the strided stem they must be divisible by 16.
        """
        return SssNet(to_widths(arch), num_classes, self.stem)


def to_arch(widths: Sequence[int]) -> str:
    """Returns the arch with these widths."""
    return ":".join(map(str, widths))


def to_widths(arch: str) -> tuple[int, ...]:
    """Returns the five widths of `arch`.

    Raises:
        UsageError: not a canonical string of this space.
    """
    parts = arch.split(":")
    if len(parts) != POSITIONS or not all(part in _KNOWN for part in parts):
        raise UsageError(
            f"An arch of nats-sss is five widths of {', '.join(map(str, WIDTHS))}, such as 8:16:24:32:40; "
            f"got {arch!r}."
        )
    return tuple(map(int, parts))


_KNOWN = frozenset(map(str, WIDTHS))


class SssNet(nn.Module):
    """The published skeleton with five widths; `[B, 3, H, W] -> [B, num_classes]`.

    Stem (as published a 3x3 convolution and BN), cell, reduction, cell, reduction, cell, BN, ReLU, global
    average pooling, linear classifier. `sizes` are the five widths and the number of classes.
    """

    def __init__(self, widths: Sequence[int], num_classes: int, stem: str = SMALL) -> None:
        super().__init__()
        self.sizes = (*widths, num_classes)
        self.stem = make_stem(stem, widths[0])
        ops, before = to_ops(CELL), (widths[0], *widths)
        self.body = nn.Sequential(
            *(
                ResidualReduction(before[place], width) if place % 2 else Cell(ops, width, before[place])
                for place, width in enumerate(widths)
            )
        )
        self.head = nn.Sequential(
            nn.BatchNorm2d(widths[-1]), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
        self.classifier = nn.Linear(widths[-1], num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns class scores."""
        logits: Tensor = self.classifier(self.head(self.body(self.stem(x))))
        return logits


def count_cost(widths: Sequence[int], num_classes: int, image: tuple[int, int, int]) -> tuple[int, int]:
    """Returns parameters and multiply-adds for one image; convolutions, BN and the classifier by formula."""
    channels, height, width = image
    pixels = height * width
    params, multiply_adds = 9 * channels * widths[0], 9 * channels * widths[0] * pixels
    params += 2 * widths[0]
    before = widths[0]
    for place, now in enumerate(widths):
        if place % 2:  # two 3x3 convolutions with BN beside a 1x1 convolution without
            pixels //= 4
            weights, norms = 9 * before * now + 9 * now * now + before * now, 4 * now
        else:
            inner = sum(1 for source, _ in EDGES if source)  # edges between nodes of the new width
            outer = len(EDGES) - inner - 1  # 3x3 convolutions from the input; the last edge skips
            widened = 0 if before == now else before * now
            weights = 9 * before * now * outer + 9 * now * now * inner + widened
            norms = 2 * now * (inner + outer + (before != now))
        params += weights + norms
        multiply_adds += weights * pixels
        before = now
    classifier = (before + 1) * num_classes
    return params + 2 * before + classifier, multiply_adds + classifier
