"""The size space: accuracy from a table of all archs or a part of them, and the choice of a rule on half."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from nas_ray.benchmarks.table_files import read_stored
from nas_ray.errors import UsageError, printable
from nas_ray.images.datasets import DATASETS
from nas_ray.reproduce.record.choosing import centred
from nas_ray.reproduce.record.rules import SizeRule
from nas_ray.safe_files.tables import ARCH
from nas_ray.spaces.nats_sss import NatsSss, count_cost, to_widths

SPLIT_SEED = 0
"""Draws the half of a table that is chosen on."""

REDUCTIONS = (0.5, 0.625, 0.75, 0.875, 1.0)
LAST = (0.0, 0.25, 0.5, 0.75, 1.0)
CLASSES = (0.0, 0.5, 1.0, 1.5, 2.0)
FEWER = (0, 1)
"""What is tried: weights of the widths of the two reductions, of the last cell, and of the classifier's rank,
those of the other two cells being 1; and whether a class less counts."""


@dataclass(frozen=True)
class Sizes:
    """Archs of nats-sss and what is known of them.

    Attributes:
        archs: in the published order.
        accuracy: test accuracy `[archs]` by dataset, in percent.
        widths: `[archs, 5]`.
    """

    archs: Sequence[str]
    accuracy: Mapping[str, np.ndarray]
    widths: np.ndarray

    @property
    def digest(self) -> str:
        """Says which archs these are."""
        return hashlib.sha256("\n".join(self.archs).encode()).hexdigest()[:16]

    def params(self, dataset: str) -> np.ndarray:
        """Returns the numbers of parameters `[archs]` of the nets for a dataset."""
        info = DATASETS[dataset]
        image = (3, info.image_size, info.image_size)
        return np.array([count_cost(to_widths(arch), info.num_classes, image)[0] for arch in self.archs])

    def chosen_on(self) -> np.ndarray:
        """Returns the half `[archs]` that a rule is chosen on: drawn from the archs of this table."""
        drawn = np.random.default_rng(SPLIT_SEED).permutation(len(self.archs))
        mine = np.zeros(len(self.archs), dtype=bool)
        mine[drawn[: len(drawn) // 2]] = True
        return mine


def widths_of(archs: Sequence[str]) -> np.ndarray:
    """Returns `[archs, 5]` widths."""
    return np.array(list(map(float, ":".join(archs).split(":")))).reshape(len(archs), -1)


def read_sizes(path: Path) -> Sizes:
    """Returns the archs of nats-sss in a table, which may be a part of the space, and their accuracy.

    Columns are `arch` and for each dataset d `d_test_acc_90`, as in a benchmark.

    Raises:
        UsageError: no such table or column, or archs that are foreign or repeated.
    """
    table = read_stored(path)
    last = NatsSss.schedules[-1]
    columns = {dataset: f"{dataset}_test_acc_{last}" for dataset in DATASETS}
    missing = [name for name in (ARCH, *columns.values()) if name not in table.names]
    if missing:
        raise UsageError(
            f"The table {path} must have the column {missing[0]!r} for this, and has "
            f"{', '.join(printable(table.names))}; take a table of nats-sss."
        )
    space, archs = NatsSss(), table.archs()
    foreign = [arch for arch in archs if arch not in space]
    if foreign or len(set(archs)) < len(archs) or len(archs) < 2:
        got = repr(foreign[0])[:80] if foreign else f"{len(archs)} rows of {len(set(archs))} archs"
        raise UsageError(f"The table {path} must hold archs of nats-sss, each once, got {got}.")
    order = np.argsort([space.index(arch) for arch in archs])
    percent = "percentages from 0 to 100"
    accuracy = {
        dataset: table.numbers(name, must=percent, within=(0.0, 100.0))[order]
        for dataset, name in columns.items()
    }
    ordered = [archs[place] for place in order]
    return Sizes(ordered, accuracy, widths_of(ordered))


def candidates() -> Iterator[SizeRule]:
    """Yields all that is tried."""
    for reduction, last, classes, fewer in product(REDUCTIONS, LAST, CLASSES, FEWER):
        yield SizeRule((1.0, reduction, 1.0, reduction, last), classes, fewer, {})


def choose_sizes(table: Sizes) -> tuple[SizeRule, pd.DataFrame]:
    """Returns the rule that ranks half of the archs best, and a line per candidate, the best first.

    Columns: `weights` (of the five widths), `classes`, `fewer`, `spearman` (mean over datasets), and one per
    dataset.
    """
    mine = table.chosen_on()
    truth = {dataset: centred(accuracy[mine]) for dataset, accuracy in table.accuracy.items()}
    rules = list(candidates())
    lines = []
    for rule in rules:
        rho = {
            dataset: float(centred(rule.values(table.widths[mine], DATASETS[dataset].num_classes)) @ order)
            for dataset, order in truth.items()
        }
        words = " ".join(f"{weight:g}" for weight in rule.weights)
        mean = float(np.mean(list(rho.values())))
        given = {"weights": words, "classes": rule.classes, "fewer": rule.fewer}
        lines.append({**given, "spearman": mean, **rho})
    tried = pd.DataFrame(lines).sort_values("spearman", ascending=False, kind="stable")
    best = rules[int(tried.index[0])]
    first = tried.iloc[0]
    chosen = {
        "by": f"mean of Spearman's correlation with test accuracy (90 epochs) on {', '.join(truth)}",
        "on": f"{int(mine.sum())} archs, half of a table of {len(table.archs)} (split seed {SPLIT_SEED})",
        "table": table.digest,
        "among": f"{len(rules)} weightings of six logarithms",
        "spearman": {dataset: round(float(first[dataset]), 4) for dataset in truth},
    }
    return SizeRule(best.weights, best.classes, best.fewer, chosen), tried.reset_index(drop=True)
