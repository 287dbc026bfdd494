"""Measures how many evaluations per second `simulate` makes of searchers on a table of scores.

    python perf/simulate_speed.py
    python perf/simulate_speed.py --searchers rea freerea --evaluations 500 --workers 8

Runs with different seeds on one core, after one run that is not counted; the scores are random numbers, since
a look-up takes as long whatever it finds. Seconds are those of the processor, which other work on the machine
disturbs less than the clock, and both are shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import tyro

from nas_ray.drivers.simulation import simulate
from nas_ray.searchers import SEARCHERS, Row, Single
from nas_ray.spaces import NatsTss


@dataclass(frozen=True)
class Args:
    """What to measure."""

    searchers: tuple[str, ...] = ("random_search", "rea", "skip_rea", "freerea", "local_search", "nsga2")
    """Names of searchers that need no options."""
    evaluations: int = 200
    """Evaluations of a run."""
    runs: int = 50
    """Runs of each searcher."""
    workers: int = 1
    """Trials in flight."""


def main(args: Args) -> None:
    space = NatsTss()
    scores = dict(zip(space, np.random.default_rng(0).random(len(space)).tolist(), strict=True))

    def evaluate(arch: str, report: Callable[[Row], None]) -> None:
        report({"score": scores[arch], "seconds": 0.1, "error": None})

    def run(name: str, seed: int) -> int:
        made = SEARCHERS[name](space, fitness=Single(("score",)), seed=seed)
        return len(simulate(made, evaluate, num_samples=args.evaluations, workers=args.workers))

    lines = []
    for name in args.searchers:
        run(name, args.runs)
        clock, processor = time.perf_counter(), time.process_time()
        count = sum(run(name, seed) for seed in range(args.runs))
        clock, processor = time.perf_counter() - clock, time.process_time() - processor
        lines.append({"searcher": name, "per CPU second": count / processor, "per second": count / clock})
    print(pd.DataFrame(lines).to_string(index=False, float_format=lambda value: f"{value:,.0f}"))


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__))
