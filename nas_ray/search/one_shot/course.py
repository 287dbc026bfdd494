"""The course of one-shot searches, epoch by epoch, from the trajectories in their rows to tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from nas_ray.benchmarks.base import known_accuracy, rank_among
from nas_ray.rows import TRAJECTORY
from nas_ray.runs.writing import write_csv, write_parquet
from nas_ray.search.base import Experiment
from nas_ray.shared_weights.one_shot.trajectory import NUMBERS, ON_REQUEST, Trajectory
from nas_ray.spaces.edges import EdgeGraph, EdgeSpace

Courses = Mapping[str, Trajectory]


def course_of(experiment: Experiment) -> dict[str, Trajectory]:
    """Returns the trajectory of each search by what it was asked for; those that failed early have none."""
    found = {}
    for row in experiment.searcher.rows_as_told():
        text = row.get(TRAJECTORY)
        if isinstance(text, str):
            found[str(row["arch"])] = Trajectory.from_text(text)
    return found


def epochs_of(courses: Courses, experiment: Experiment) -> pd.DataFrame:
    """Returns a row per search and epoch: `arch`, `epoch` from 1, `found`, and numbers of it.

    Where there is a benchmark, `accuracy` is that of what was found and `rank` its rank among all archs.
    """
    benchmark = experiment.benchmark
    everything = None if benchmark is None else benchmark.all_test_acc()
    known: dict[str, float] = {}
    rows: list[dict[str, Any]] = []
    for asked, course in courses.items():
        for place, found in enumerate(course.found):
            if benchmark is not None and found not in known:
                known[found] = known_accuracy(benchmark, found)
            worth = {"accuracy": known.get(found), "rank": rank_among(everything, known.get(found))}
            numbers = {name: values[place] for name, values in course.numbers.items()}
            rows.append({"arch": asked, "epoch": place + 1, "found": found, **worth, **numbers})
    asked_for = [name for name in ON_REQUEST if any(name in course.numbers for course in courses.values())]
    table = pd.DataFrame(rows, columns=["arch", "epoch", "found", "accuracy", "rank", *NUMBERS, *asked_for])
    return table.astype({"accuracy": float, "rank": "Int64"})


def weights_of(courses: Courses, experiment: Experiment) -> pd.DataFrame:
    """Returns a row per search, epoch, edge and operation: `graph`, `source`, `target`, `op` and `weight`."""
    space = experiment.final_space
    assert isinstance(space, EdgeSpace)
    parts = [
        _of_graph(asked, epoch + 1, graph, weights)
        for asked, course in courses.items()
        for epoch, of in enumerate(course.weights)
        for graph, weights in zip(space.graphs(), of, strict=True)
    ]
    columns = ["arch", "epoch", "graph", "source", "target", "op", "weight"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _of_graph(asked: str, epoch: int, graph: EdgeGraph, weights: Any) -> pd.DataFrame:
    edges, ops = graph.shape
    return pd.DataFrame(
        {
            "arch": asked,
            "epoch": epoch,
            "graph": graph.name,
            "source": [source for source, _ in graph.edges for _ in range(ops)],
            "target": [target for _, target in graph.edges for _ in range(ops)],
            "op": list(graph.ops) * edges,
            "weight": weights.reshape(-1),
        }
    )


def write_course(folder: Path, courses: Courses, experiment: Experiment) -> pd.DataFrame:
    """Writes `epochs.csv` and `weights.parquet` and returns the epochs."""
    epochs = epochs_of(courses, experiment)
    write_csv(folder / "epochs.csv", epochs)
    write_parquet(folder / "weights.parquet", weights_of(courses, experiment))
    return epochs
