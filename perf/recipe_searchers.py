"""Compares searchers over settings with equal budgets: random, `wrs`, both two-point searches, and TPE.

    python perf/recipe_searchers.py
    python perf/recipe_searchers.py --functions branin --seeds 20 --evaluations 30 --out runs/branin.csv

Functions with known minima: Griewank's in six dimensions with weights from 1 to 6, since coordinates differ
in importance in the paper on `wrs` as well; Branin's; Hartmann's in six dimensions; and the error of a
small net over learning rate and weight decay, which `recipe_surface.py` has trained on a grid: between its
points the error is interpolated linearly in the logarithms. A search maximises the negative regret, so the
two-point searches know the loss of a perfect result. Each run is a line of the table, and the same command
goes on where it was stopped. At the end medians are printed with bootstrap intervals, and how often a
searcher ends better than random search with the same seed, with Wilson's interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import tyro
from scipy import stats
from scipy.interpolate import RegularGridInterpolator

from nas_ray.searchers import ArchSearcher, OptunaSearch, RandomSearch, Single, Wrs, WrsTwoPoint
from nas_ray.spaces import SettingSpace, settings_of
from nas_ray.testing.driving import drive

SURFACE = Path(__file__).with_name("recipe_surface.csv")
RESAMPLES = 2_000


@dataclass(frozen=True)
class Problem:
    """A function to minimise.

    Attributes:
        space: its settings.
        regret: how far the value of numbers `[settings]` is above the minimum.
    """

    space: SettingSpace
    regret: Callable[[np.ndarray], float]

    def of(self, point: str) -> float:
        """Returns the negative regret of a point."""
        return -self.regret(np.array([float(text) for text in settings_of(point).values()]))


def griewank(x: np.ndarray) -> float:
    """Griewank's function with weights 1, 2, 3, ... of the squares; its minimum is 0."""
    places = np.arange(1, len(x) + 1)
    return float(1 + (places * x**2).sum() / 4_000 - np.cos(x / np.sqrt(places)).prod())


MOVED = 400.0
"""Where each coordinate of Griewank's minimum is moved, away from the middle of the box."""


def branin(x: np.ndarray) -> float:
    """Branin's function above its minimum, 0.397887."""
    a, b = x
    bowl = (b - 5.1 / (4 * math.pi**2) * a**2 + 5 / math.pi * a - 6) ** 2
    return float(bowl + 10 * (1 - 1 / (8 * math.pi)) * math.cos(a) + 10 - 0.397887)


ALPHA = np.array([1.0, 1.2, 3.0, 3.2])
A = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def hartmann(x: np.ndarray) -> float:
    """Hartmann's function in six dimensions above its minimum, -3.32237."""
    return float(3.32237 - ALPHA @ np.exp(-(A * (x - P) ** 2).sum(axis=1)))


def surface(table: Path) -> Problem:
    """Returns the error of the trained net above its smallest one on the grid."""
    grid = pd.read_csv(table).pivot(index="lr", columns="weight_decay", values="valid_acc")
    axes = [np.log(axis.to_numpy(dtype=float)) for axis in (grid.index, grid.columns)]
    error = RegularGridInterpolator(axes, 100 - grid.to_numpy(), bounds_error=False, fill_value=None)
    least = float(100 - grid.to_numpy().max())
    ranges = ",".join(
        f"{name}=log:{axis[0]}..{axis[-1]}"
        for name, axis in (("lr", list(grid.index)), ("weight_decay", list(grid.columns)))
    )
    return Problem(SettingSpace(ranges), lambda x: max(0.0, float(error(np.log(x))[0]) - least))


def problems() -> dict[str, Problem]:
    """Returns all functions by name."""
    six, unit = (",".join(f"x{n}={limits}" for n in range(6)) for limits in ("-600.0..600.0", "0.0..1.0"))
    return {
        "griewank, weighted": Problem(SettingSpace(six), griewank),
        "griewank, weighted, moved": Problem(SettingSpace(six), lambda x: griewank(x - MOVED)),
        "branin": Problem(SettingSpace("x0=-5.0..10.0,x1=0.0..15.0"), branin),
        "hartmann-6": Problem(SettingSpace(unit), hartmann),
        "lenet-5 on digits": surface(SURFACE),
    }


RANDOM = "random_search"


def searchers(evaluations: int) -> dict[str, Callable[..., ArchSearcher]]:
    """Returns what is compared, by name; `wrs` begins with the paper's share of random points."""
    return {
        RANDOM: RandomSearch,
        "wrs": partial(Wrs, initial=max(1, round(evaluations / math.e))),
        "wrs_two_point": WrsTwoPoint,
        "wrs_two_point, as=released": partial(WrsTwoPoint, as_="released"),
        "optuna (tpe)": OptunaSearch,
    }


@dataclass(frozen=True)
class Args:
    """What is compared, and how often."""

    functions: tuple[str, ...] = ()
    """Functions; none means all."""
    searchers: tuple[str, ...] = ()
    """Searchers; none means all. Shares of seeds are against random_search."""
    seeds: int = 200
    """Runs of each searcher."""
    evaluations: int = 50
    """Points of each run."""
    out: Path = Path("runs/recipe_searchers.csv")
    """Table of all runs."""


def best_regret(problem: Problem, searcher: ArchSearcher, evaluations: int) -> float:
    """Returns the regret of the best point of one run."""
    return -max(map(problem.of, drive(searcher, evaluations, value=problem.of)))


def table(runs: pd.DataFrame, seed: int = 0) -> list[str]:
    """Returns the lines of a Markdown table: medians, and shares of seeds won against random search."""
    names = list(dict.fromkeys(runs["searcher"]))
    lines = ["| function | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    for function, some in runs.groupby("function", sort=False):
        by_seed = some.pivot(index="seed", columns="searcher", values="regret").dropna()
        cells = []
        for name in names:
            values = by_seed[name].to_numpy()
            rng = np.random.default_rng(seed)
            drawn = stats.bootstrap((values,), np.median, n_resamples=RESAMPLES, method="percentile", rng=rng)
            low, high = drawn.confidence_interval
            cells.append(f"{np.median(values):.3g} ({low:.3g} to {high:.3g}){won(by_seed, name)}")
        lines.append(f"| {function}, {len(by_seed)} seeds | " + " | ".join(cells) + " |")
    return lines


def won(by_seed: pd.DataFrame, name: str) -> str:
    """Returns in how many of the seeds a searcher ends better than random search; equal ones count half."""
    if name == RANDOM:
        return ""
    ours, theirs = by_seed[name].to_numpy(), by_seed[RANDOM].to_numpy()
    wins = round(float((ours < theirs).sum() + 0.5 * (ours == theirs).sum()))
    bounds = stats.binomtest(wins, len(ours)).proportion_ci(method="wilson")
    return f"; better in {100 * wins / len(ours):.0f} % ({100 * bounds.low:.0f} to {100 * bounds.high:.0f})"


def main(args: Args) -> None:
    args.out.parent.mkdir(parents=True, exist_ok=True)
    columns = ["function", "searcher", "evaluations", "seed", "regret"]
    runs = pd.read_csv(args.out) if args.out.exists() else pd.DataFrame(columns=columns)
    done = set(runs[columns[:4]].itertuples(index=False, name=None))
    known = problems()
    for function in args.functions or known:
        problem = known[function]
        made = searchers(args.evaluations)
        for name, make in {name: made[name] for name in args.searchers or made}.items():
            for seed in range(args.seeds):
                key = (function, name, args.evaluations, seed)
                if key in done:
                    continue
                searcher = make(problem.space, fitness=Single(("x",)), seed=seed)
                line = pd.DataFrame(
                    [(*key, best_regret(problem, searcher, args.evaluations))], columns=columns
                )
                line.to_csv(args.out, mode="a", header=not args.out.exists(), index=False)
    runs = pd.read_csv(args.out)
    runs = runs[(runs["evaluations"] == args.evaluations) & (runs["seed"] < args.seeds)]
    print("\n".join(table(runs)))


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__))
