"""How many archs have how many skip connections and where, and how accurate they are."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from nas_ray.images.datasets import DATASETS
from nas_ray.reproduce.known import Known
from nas_ray.reproduce.lines import COLUMNS, compared, facts, other_accuracy
from nas_ray.reproduce.measures import TEST
from nas_ray.reproduce.published import (
    RECOMPUTED,
    SKIP_COUNT_MEANS,
    SKIP_COUNTS,
    TOP_WITH_SKIP_TO_OUTPUT,
    Figures,
)
from nas_ray.reproduce.statistics import Summary, summarise
from nas_ray.reproduce.tables import Setting
from nas_ray.searchers.skip_rules import SKIP
from nas_ray.spaces.nats_tss import EDGES, to_ops

TOP = 100
RESAMPLES = 500


def count_skips(known: Known) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns the lines of the table and the picture's data: `group`, `kind`, `dataset`, `archs`, `accuracy`.

    Lines are for 0 to 6 skips, for archs with a skip on each edge, and for the share in percent of the 100
    most accurate archs that have a skip on each edge.
    """
    skips = np.array([[op == SKIP for op in to_ops(arch)] for arch in known.space])
    lines = [
        *_lines_of_groups(known, _by_number(skips), "number", SKIP_COUNTS, SKIP_COUNT_MEANS),
        *_lines_of_groups(known, _by_edge(skips), "place", (), ()),
        *_top(known, skips),
    ]
    table = pd.DataFrame(lines)
    bars = table.rename(columns={"setting": "group", "group_kind": "kind_of_group", "mean": "accuracy"})
    picture = bars[["group", "kind_of_group", "dataset", "accuracy", "runs"]]
    return table.reindex(columns=list(COLUMNS)), picture


def _by_number(skips: np.ndarray) -> dict[str, np.ndarray]:
    counts = skips.sum(axis=1)
    return {f"{n} skip{'' if n == 1 else 's'}": counts == n for n in range(len(EDGES) + 1)}


def _by_edge(skips: np.ndarray) -> dict[str, np.ndarray]:
    return {f"skip on {a}->{b}": skips[:, place] for place, (a, b) in enumerate(EDGES)}


def _lines_of_groups(
    known: Known,
    groups: dict[str, np.ndarray],
    kind: str,
    counts: tuple[int, ...],
    means: tuple[float, ...],
) -> list[dict[str, object]]:
    lines: list[dict[str, object]] = []
    why = other_accuracy(Setting("", "", ""), known.test_column)
    for number, (name, members) in enumerate(groups.items()):
        for place, dataset in enumerate(DATASETS):
            ours = summarise(known.accuracy[dataset, TEST][members], resamples=RESAMPLES)
            figures = None
            if counts and place == 0:  # recomputed for the first dataset only
                figures = Figures((means[number],) * 3, runs=counts[number], kind=RECOMPUTED)
            lines.append(_line(known, name, kind, dataset, ours, compared(ours, figures, place, why)))
    return lines


def _top(known: Known, skips: np.ndarray) -> list[dict[str, object]]:
    lines = []
    why = other_accuracy(Setting("", "", ""), known.test_column)
    to_output = EDGES.index((0, EDGES[-1][1]))
    for edge, (a, b) in enumerate(EDGES):
        for place, dataset in enumerate(DATASETS):
            ours = share_of_top(known.accuracy[dataset, TEST], skips[:, edge])
            figures = None
            if edge == to_output:
                figures = Figures(TOP_WITH_SKIP_TO_OUTPUT, (0.0,) * 3, TOP, RECOMPUTED)
            nearest = (
                ours
                if figures is None
                else dataclasses.replace(ours, mean=float(np.clip(figures.means[place], ours.low, ours.high)))
            )
            told = compared(nearest, figures, place, why)
            name = f"share of the top {TOP} with a skip on {a}->{b}"
            lines.append(_line(known, name, "share", dataset, ours, told))
    return lines


def share_of_top(accuracy: np.ndarray, members: np.ndarray) -> Summary:
    """Returns the percentage of the 100 most accurate archs that are members.

    Equal accuracies at the 100th place leave a choice: `low` and `high` are the extremes, the mean that of a
    random choice.

    Args:
        accuracy: `[archs]`.
        members: `[archs]` booleans.
    """
    last = np.sort(accuracy)[-min(TOP, len(accuracy))]
    above, level = accuracy > last, accuracy == last
    places, tied, tied_members = TOP - above.sum(), level.sum(), (level & members).sum()
    sure = int((above & members).sum())
    least, most = max(0, places - (tied - tied_members)), min(places, tied_members)
    low, high = (100 * (sure + count) / TOP for count in (least, most))
    mean = 100 * (sure + places * tied_members / tied) / TOP
    return Summary(float(mean), 0.0, float(mean), float(low), float(high), TOP)


def _line(
    known: Known, name: str, kind: str, dataset: str, ours: Summary, told: dict[str, object]
) -> dict[str, object]:
    measure = "percent of archs" if kind == "share" else known.test_column
    return {
        "setting": name, "group_kind": kind, "dataset": dataset, "measure": measure, **facts(ours), **told
    }  # fmt: skip
