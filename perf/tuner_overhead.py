"""What a searcher of ours costs a plain Ray Tune run beside Tune's own, with trials that do nothing.

    python perf/tuner_overhead.py --num-samples 2000 --rounds 1
    python perf/tuner_overhead.py --num-samples 200 --rounds 5

Runs alternate, in one process on one Ray. Seconds of CPU are those of this process, in which Tune and the
searcher work; they mean something on a busy machine too, wall time does not. `the same as a Searcher` draws
as Tune does, through the interface that all its searchers have: what is above it is ours.
"""

from __future__ import annotations

import dataclasses
import logging
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tyro
from ray import tune
from ray.tune.search import Searcher
from rich.console import Console
from rich.table import Table

from nas_ray.drivers.local_ray import stop_ray
from nas_ray.drivers.resources import Request, start_ray
from nas_ray.drivers.tune_searcher import TuneSearcher
from nas_ray.searchers import RandomSearch, RegularizedEvolution
from nas_ray.spaces import NatsTss

SPACE = NatsTss()


@dataclasses.dataclass(frozen=True)
class Args:
    """Size of the measurement."""

    num_samples: int = 200
    """Trials of a run."""
    rounds: int = 3
    """Runs of each search."""
    workers: int = 2
    """Trials in flight."""


class Drawn(Searcher):  # type: ignore[misc]  # Ray ships no types
    """The least that a searcher of Tune can do."""

    def __init__(self) -> None:
        super().__init__(metric="x", mode="max")
        self.rng = np.random.default_rng(0)

    def suggest(self, trial_id: str) -> dict[str, Any]:
        """Returns a random arch."""
        return {"arch": SPACE[int(self.rng.integers(len(SPACE)))]}

    def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:
        """Learns nothing."""

    def save(self, checkpoint_path: str) -> None:
        """Saves nothing."""

    def restore(self, checkpoint_path: str) -> None:
        """Restores nothing."""


SEARCHES: dict[str, tuple[Callable[[], Searcher | None], dict[str, Any]]] = {
    "Tune's random search": (lambda: None, {"arch": tune.randint(0, len(SPACE))}),
    "the same as a Searcher": (Drawn, {}),
    "RandomSearch": (lambda: TuneSearcher(RandomSearch(SPACE), "x"), {}),
    "RegularizedEvolution": (lambda: TuneSearcher(RegularizedEvolution(SPACE), "x"), {}),
}


def nothing(config: dict[str, Any]) -> None:
    """Reports how long the arch, or its number, is."""
    tune.report({"x": float(len(str(config["arch"])))})


def run(search: Searcher | None, space: dict[str, Any], args: Args) -> tuple[float, float]:
    """Returns the milliseconds of CPU and of wall time per trial."""
    with tempfile.TemporaryDirectory() as folder:
        tuner = tune.Tuner(
            nothing,
            param_space=space,
            tune_config=tune.TuneConfig(
                search_alg=search,
                num_samples=args.num_samples,
                max_concurrent_trials=args.workers,
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(storage_path=folder, verbose=0),
        )
        cpu, wall = time.process_time(), time.perf_counter()
        results = tuner.fit()
        took = time.process_time() - cpu, time.perf_counter() - wall
    assert len(results) == args.num_samples
    return 1000 * took[0] / args.num_samples, 1000 * took[1] / args.num_samples


def show(took: dict[str, list[tuple[float, float]]]) -> None:
    """Prints the medians of the runs so far."""
    table = Table("search", "ms of CPU per trial", "ms of wall time", "CPU of Tune's", "wall of Tune's")
    medians = {name: np.median(runs, axis=0) for name, runs in took.items()}
    plain = next(iter(medians.values()))
    for name, (cpu, wall) in medians.items():
        table.add_row(name, f"{cpu:.2f}", f"{wall:.2f}", f"{cpu / plain[0]:.2f}", f"{wall / plain[1]:.2f}")
    Console().print(table)


def main(args: Args) -> int:
    logging.getLogger("ray.tune").setLevel(logging.ERROR)
    start_ray(Request(num_cpus=args.workers, num_gpus=0))
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in SEARCHES}
    try:
        for _ in range(args.rounds):
            for name, (make, space) in SEARCHES.items():
                took[name].append(run(make(), space, args))
            show(took)
    finally:
        stop_ray()
    return 0


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Args, description=__doc__)))
