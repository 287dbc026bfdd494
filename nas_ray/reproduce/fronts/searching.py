"""Runs of searchers with several objectives, and what each of them found of the true front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nas_ray.reproduce.fronts.ground import Ground
from nas_ray.reproduce.runs import at_points, look_up
from nas_ray.reproduce.tables import Setting
from nas_ray.searchers.pareto import first_front

Task = tuple[Setting, tuple[int, ...], tuple[str, ...]]
"""A searcher, seeds and datasets."""


@dataclass(frozen=True)
class Found:
    """What runs found.

    Attributes:
        answers: a line per run and dataset: `setting`, `seed`, `dataset`, `ratio` and `igd_plus`
            (`TrueFront`), `judged` (the ratio of the archs found by another accuracy, NaN where there is
            none), `points` (archs on the front that was found), `evaluations`, `seconds`.
        curves: `setting`, `seed`, `dataset`, `at`, `ratio` at points that all runs share.
        fronts: `setting`, `seed`, `dataset`, `arch` of the fronts that were found.
    """

    answers: pd.DataFrame
    curves: pd.DataFrame
    fronts: pd.DataFrame


def search(known: Ground, task: Task) -> Found:
    """Returns the runs of a task."""
    setting, seeds, datasets = task
    return joined([_run(known, setting, seed, dataset) for seed in seeds for dataset in datasets])


def joined(parts: Sequence[Found]) -> Found:
    """Returns runs as one, by seed and dataset in each setting."""
    order = ["setting", "seed", "dataset"]
    tables = [pd.concat([getattr(part, name) for part in parts], ignore_index=True)
              for name in ("answers", "curves", "fronts")]  # fmt: skip
    return Found(*(table.sort_values(order, kind="stable", ignore_index=True) for table in tables))


def _run(known: Ground, setting: Setting, seed: int, dataset: str) -> Found:
    rows = look_up(known, setting, dataset, seed)
    truth = known.truths[dataset]
    archs = np.array([known.place[arch] for arch in rows["arch"]])
    values = truth.values[archs]
    front = archs[first_front(values)]
    judged = known.judged.get(dataset)
    of: dict[str, Any] = {"setting": setting.title, "seed": seed, "dataset": dataset}
    answer = {
        **of,
        "ratio": truth.ratio(values),
        "igd_plus": truth.igd_plus(values),
        "judged": float("nan") if judged is None else judged.ratio(judged.values[front]),
        "points": len(set(front.tolist())),
        "evaluations": len(rows),
        "seconds": float(rows["seconds"].sum()),
    }
    course = pd.DataFrame(
        {
            "evaluation": np.arange(1, len(rows) + 1),
            "finished_at": rows["finished_at"].to_numpy(float),
            "accuracy": truth.course(values),
        }
    )
    curve = at_points(setting, course).rename(columns={"accuracy": "ratio"}).assign(**of)
    every = list(known.place)
    found = pd.DataFrame({"arch": [every[place] for place in dict.fromkeys(front.tolist())]}).assign(**of)
    return Found(pd.DataFrame([answer]), curve, found)
