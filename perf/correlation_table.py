"""Our rank correlations beside published ones, as the Markdown table of docs/results.md.

    python perf/correlation_table.py runs/correlate runs/correlate-16

Reads the scores of folders that `experiments/correlate.py` made, and `docs/published_correlations.csv`. The
figures are Spearman's, for CIFAR-10 / CIFAR-100 / ImageNet16-120, on all archs of the folder and on those
without dead operations; a published figure outside of both intervals has a star.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import tyro
from scipy.stats import bootstrap

from nas_ray.images.datasets import DATASETS
from nas_ray.report.correlation import spearman
from nas_ray.spaces.nats_tss import to_ops
from nas_ray.spaces.plans import live_ops

PUBLISHED = Path(__file__).parents[1] / "docs" / "published_correlations.csv"


@dataclasses.dataclass(frozen=True)
class Args:
    """Where the scores are."""

    folders: tyro.conf.Positional[tuple[Path, ...]]
    """Folders of experiments/correlate.py; a score is taken from the first that has it."""
    resamples: int = 1000
    """Draws of the bootstrap."""


Interval = tuple[float, float, float]
"""A correlation, and the ends of its 95 % interval."""


def judge(scores: pd.Series, accuracy: pd.Series, resamples: int) -> Interval:
    """Returns Spearman's correlation with its percentile interval; an undefined score is the worst."""
    values = np.where(np.isfinite(scores), scores, -np.inf)
    if values.min() == values.max():
        return float("nan"), float("nan"), float("nan")
    truth = accuracy.to_numpy()
    drawn = bootstrap(
        (values, truth), spearman, paired=True, vectorized=False, n_resamples=resamples, method="percentile",
        rng=np.random.default_rng(0),
    )  # fmt: skip
    return spearman(values, truth), *map(float, drawn.confidence_interval)


def without_dead_operations(arch: str) -> bool:
    """Returns whether every operation but `none` has an effect on the output."""
    ops = to_ops(arch)
    return live_ops(ops) == ops


def starred(published: str, intervals: Sequence[Interval]) -> str:
    """Returns the published figure or range, with a star where it is outside of all intervals."""
    numbers = [float(number) for number in published.split("-")]
    inside = any(max(numbers) >= low and min(numbers) <= high for _, low, high in intervals)
    return published + ("" if inside else "*")


def short(value: float) -> str:
    """Returns three digits without the leading zero."""
    return "-" if np.isnan(value) else f"{value:.3f}".replace("0.", ".", 1)


def main(args: Args) -> None:
    published = pd.read_csv(PUBLISHED, dtype=str, keep_default_na=False).set_index("score")
    rows: dict[str, list[str]] = {}
    order: dict[str, float] = {}
    for folder in args.folders:
        tables = {dataset: pd.read_csv(folder / f"scores-{dataset}.csv") for dataset in DATASETS}
        judged = pd.read_csv(folder / f"correlations-{next(iter(DATASETS))}.csv").set_index("score")
        for score in judged.index.difference(rows, sort=False):
            everywhere, alive, known = [], [], []
            for dataset, table in tables.items():
                live = table["arch"].map(without_dead_operations)
                everywhere.append(judge(table[score], table["accuracy"], args.resamples))
                alive.append(judge(table[score][live], table["accuracy"][live], args.resamples))
                figure = published[dataset].get(score, "")
                known.append(starred(figure, [everywhere[-1], alive[-1]]) if figure else "")
            first = everywhere[0]
            order[score] = first[0]
            seconds = judged.get("seconds_per_arch", pd.Series(dtype=float)).get(score, float("nan"))
            rows[score] = [
                " / ".join(short(rho) for rho, *_ in everywhere),
                f"{short(first[1])} to {short(first[2])}",
                " / ".join(short(rho) for rho, *_ in alive),
                " / ".join(filter(None, known)),
                "" if np.isnan(seconds) else f"{seconds:.2f}",
            ]
    print("| score | all archs | 95 % on CIFAR-10 | without dead operations | published | s/arch |")
    print("|---|---|---|---|---|---|")
    for score in sorted(rows, key=lambda score: -np.nan_to_num(order[score], nan=-1)):
        print(f"| `{score}` | {' | '.join(rows[score])} |")


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__))
