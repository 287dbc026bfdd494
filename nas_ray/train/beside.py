"""The archs of a training: the one that was asked for, and those to be shown beside it."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from nas_ray.errors import UsageError, describe, printable
from nas_ray.evaluation.limits import Costs
from nas_ray.spaces import HandDesigned, SearchSpace
from nas_ray.spaces.base import fitted_space
from nas_ray.spaces.hand_designed import NETS
from nas_ray.terminal.ranges import Range, whole_number

_NAME = re.compile(r"[A-Za-z][\w.-]{0,39}")
"""An arch that is a name, as published nets have, and so its own label and part of the name of a folder."""
FOUND = "found"
"""The label of an arch that has no name."""
DRAWS = 500
"""Random archs that are looked at for one with as many parameters."""


@dataclass(frozen=True)
class Candidate:
    """An arch that is trained.

    Attributes:
        label: a short name, which is also that of its folder.
        arch: canonical string.
        space: builds it, for the size of the images.
        space_name: name of that space.
        params: parameters of the net.
        flops: multiply-adds for one image.
    """

    label: str
    arch: str
    space: SearchSpace
    space_name: str
    params: float
    flops: float


class Candidates:
    """Makes candidates for one space, number of classes and image size.

    Args:
        space: of archs that are no hand-designed nets, for the size of the images.
        space_name: its name.
        num_classes: outputs.
        image_size: height and width in pixels.
        example: `[1, ...]`, an input of the nets where it is no image; there are no hand-designed nets then.
    """

    def __init__(
        self,
        space: SearchSpace,
        space_name: str,
        num_classes: int,
        image_size: int = 32,
        example: Tensor | None = None,
    ) -> None:
        self._ready = fitted_space(HandDesigned(), image_size)
        self._space, self._name = space, space_name
        self._images = example is None
        image = (3, image_size, image_size) if example is None else example
        self._costs = {s: Costs(s, num_classes, image) for s in (self._space, self._ready)}

    def named(self, arch: str, label: str) -> Candidate:
        """Returns the candidate of an arch, or of the name of a hand-designed net, which is its own label.

        A name that is an arch of the space means that arch.

        Raises:
            UsageError: no such arch.
        """
        ready = self._images and arch in NETS and not self._has_named(arch)
        space = self._ready if ready else self._space
        try:
            params, flops = self._costs[space](arch)
        except UsageError as error:
            if not self._images:
                raise
            raise UsageError(f"{error} Nets of {HandDesigned.name}: {', '.join(NETS)}.") from error
        except Exception as error:  # foreign code
            raise UsageError(f"The arch {arch!r} cannot be built: {describe(error)}") from error
        name = HandDesigned.name if ready else self._name
        return Candidate(arch if ready else label, arch, space, name, params, flops)

    def asked(self, arch: str) -> Candidate:
        """Returns the candidate that a training is of: a name labels itself, any other arch is `found`.

        Raises:
            UsageError: no such arch.
        """
        return self.named(arch, arch if _NAME.fullmatch(arch) else FOUND)

    def _has_named(self, name: str) -> bool:
        """Returns whether the space has an arch of that name that is another than the hand-designed net."""
        space = self._space
        return isinstance(space, Container) and not isinstance(space, HandDesigned) and name in space

    def beside(self, found: Candidate, specs: Sequence[str], seed: int) -> list[Candidate]:
        """Returns the candidates that `specs` name: nets, archs, `random` or `random:N`.

        Raises:
            UsageError: no such arch, or one that is named twice.
        """
        made: list[Candidate] = []
        for spec in (part for text in specs for part in text.split(",")):
            if spec == "random" or spec.startswith("random:"):
                labels = [f"random-{number}" for number in range(_count(spec))]
                archs = self._random(found, len(labels), seed)
            else:
                archs, labels = [spec], [spec if _NAME.fullmatch(spec) else f"beside-{len(made)}"]
            made += [self.named(arch, label) for arch, label in zip(archs, labels, strict=True)]
        nets = [(one.space_name, one.arch) for one in (found, *made)]
        if len(set(nets)) < len(nets):
            names = ", ".join(one.label for one in made)
            raise UsageError(
                f"Each arch can be trained once, but --beside names {names} next to {found.label}; leave "
                "out what comes twice."
            )
        return made

    def _random(self, found: Candidate, count: int, seed: int) -> list[str]:
        """Returns different random archs of the space whose parameters are nearest to those of `found`."""
        rng = np.random.default_rng(seed)
        drawn = dict.fromkeys(self._space.sample(rng) for _ in range(DRAWS))
        drawn.pop(found.arch, None)
        costs = self._costs[self._space]
        nearest = sorted(drawn, key=lambda arch: abs(costs(arch)[0] - found.params))  # stable: first drawn
        if len(nearest) < count:
            raise UsageError(f"random:{count} needs a space with as many archs, and it has {len(nearest)}.")
        return nearest[:count]


def _count(spec: str) -> int:
    count = whole_number(spec.partition(":")[2] or "1")
    if count is None:
        shown = printable([spec])[0]
        raise UsageError(f"Random archs beside are written random or random:3, got '{shown}'.")
    Range(1, DRAWS).check("The number of random archs beside", count)
    return count
