"""Measures what a step of progressive search costs.

    python perf/progressive_step.py
    python perf/progressive_step.py --beams 16 256 --predictors lstm
    python perf/progressive_step.py --beams --published

One core. A step is an ask and a tell, the mean over a whole search, fits and predictions included; scores are
random numbers. The published search (`--published`) is of 136 cells of one block in the space `pnas` and 4
times 256 larger ones, whose children are hundreds of thousands.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
import tyro
from torch import nn

from nas_ray.searchers import ProgressiveSearch, Single
from nas_ray.spaces import NatsTss, SearchSpace
from nas_ray.spaces.named import make_space
from nas_ray.testing.driving import drive

PUBLISHED = 256, 136 + 4 * 256
"""Beam and steps of the published search."""


class Places:
    """Archs of 50 decisions with four options each."""

    CHOICES = (tuple("abcd"),) * 50

    def choices(self) -> tuple[tuple[str, ...], ...]:
        """Returns four options fifty times."""
        return self.CHOICES

    def decisions(self, arch: str) -> tuple[str, ...]:
        """Returns the letters."""
        return tuple(arch)

    def assemble(self, decisions: Sequence[str]) -> str:
        """Returns the letters as one word."""
        return "".join(decisions)

    def sample(self, rng: np.random.Generator) -> str:
        """Returns a random word."""
        return "".join("abcd"[n] for n in rng.integers(4, size=50))

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Is not called: scores are random."""
        raise NotImplementedError


@dataclass(frozen=True)
class Args:
    """What to measure."""

    beams: tuple[int, ...] = (16, 256)
    """K of the searches."""
    predictors: tuple[str, ...] = ("mlp", "lstm")
    """Their predictors."""
    steps: int = 600
    """Steps of a search."""
    published: bool = False
    """Measure the published search too."""


def searched(space: SearchSpace, steps: int, **options: object) -> float:
    """Returns the milliseconds of a step."""
    search = ProgressiveSearch(space, fitness=Single(("x",)), **options)  # type: ignore[arg-type]
    search.attach()
    values = itertools.cycle(np.random.default_rng(0).random(1_000).tolist())
    began = time.process_time()
    asked = drive(search, steps, value=lambda arch: next(values))
    return 1e3 * (time.process_time() - began) / len(asked)


def main(args: Args) -> None:
    torch.set_num_threads(1)
    searches: list[tuple[str, SearchSpace, int, int]] = [
        (f"{len(space.choices())} decisions", space, beam, args.steps)
        for space in (NatsTss(), Places())
        for beam in args.beams
    ]
    if args.published:
        searches.append(("pnas", make_space("pnas"), *PUBLISHED))
    lines = [
        {
            "space": name,
            "beam": beam,
            "predictor": predictor,
            "ms a step": searched(space, steps, beam=beam, predictor=predictor),
        }
        for name, space, beam, steps in searches
        for predictor in args.predictors
    ]
    print(pd.DataFrame(lines).to_string(index=False, float_format=lambda value: f"{value:.2f}"))


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__))
