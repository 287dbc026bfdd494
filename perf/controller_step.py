"""Measures what an arch costs a searcher with a policy: to draw it, and its share of the updates.

    python perf/controller_step.py
    python perf/controller_step.py --decisions 6 50 200

Seconds are those of the processor, one core, which other work on the machine disturbs less than the clock; of
some rounds the median counts. The archs have so many decisions of five options each, and rewards are random
numbers. What a driver adds is `simulate_speed.py`'s.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import tyro
from torch import nn

from nas_ray.searchers import Ppo, Reinforce, Row, Single
from nas_ray.searchers.controllers.controller import Controller

OPTIONS = tuple("abcde")


class Decisions:
    """Archs of so many decisions with five options each."""

    __module__ = "nas_ray"  # code of others is guarded at every call, which costs its own part

    def __init__(self, count: int) -> None:
        self.count = count

    def sample(self, rng: np.random.Generator) -> str:
        """Returns a random arch."""
        return "".join(rng.choice(OPTIONS, self.count))

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns a linear net."""
        return nn.Sequential(nn.Flatten(), nn.LazyLinear(num_classes))

    def choices(self) -> tuple[tuple[str, ...], ...]:
        """Returns five options for each."""
        return (OPTIONS,) * self.count

    def decisions(self, arch: str) -> tuple[str, ...]:
        """Returns its letters."""
        return tuple(arch)

    def assemble(self, decisions: Sequence[str]) -> str:
        """Returns the arch of letters."""
        return "".join(decisions)


SEARCHERS: dict[str, Callable[..., Controller]] = {
    "reinforce": Reinforce,
    "reinforce, lstm": partial(Reinforce, policy="lstm"),
    "reinforce, lstm, one arch per update": partial(Reinforce, policy="lstm", archs_per_update=1),
    "ppo": partial(Ppo, policy="categorical"),
    "ppo, lstm": Ppo,
}


@dataclass(frozen=True)
class Args:
    """What to measure."""

    decisions: tuple[int, ...] = (6, 50)
    """Decisions of an arch."""
    archs: int = 80
    """Archs of a round."""
    rounds: int = 5
    """Rounds, after one that warms up."""


def seconds(searcher: Controller, archs: int, rng: np.random.Generator) -> float:
    """Returns the seconds of one core for an arch, known ones included."""
    searcher.attach(stop=lambda: searcher.num_asked >= archs)
    began = time.process_time()
    while isinstance(searcher.suggest("trial"), dict):
        row: Row = {"x": rng.random()}
        searcher.on_trial_complete("trial", row)
    return (time.process_time() - began) / searcher.num_asked


def main(args: Args) -> None:
    lines = []
    for name, make in SEARCHERS.items():
        line: dict[str, object] = {"searcher": name}
        for count in args.decisions:
            rounds = [
                seconds(make(Decisions(count), fitness=Single(("x",)), seed=seed), args.archs, rng)
                for seed, rng in enumerate(np.random.default_rng(0).spawn(args.rounds + 1))
            ][1:]
            line[f"ms, {count} decisions"] = 1e3 * statistics.median(rounds)
        lines.append(line)
    print(pd.DataFrame(lines).to_string(index=False, float_format=lambda value: f"{value:.2f}"))


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__))
