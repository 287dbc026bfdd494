"""The runs of the study: what each search found, and when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nas_ray.reproduce.known import Known
from nas_ray.reproduce.measures import trained_for
from nas_ray.reproduce.runs import answers_of, look_up
from nas_ray.reproduce.tables import Setting

ANSWERS = (
    "setting", "seed", "dataset", "arch", "accuracy", "rank", "evaluations", "seconds", "work",
)  # fmt: skip
"""Columns of what runs found: `seconds` of the clock until the last row came, `work` of all workers."""
COURSES = ("setting", "seed", "dataset", "evaluation", "finished_at", "accuracy")
"""Columns of how they came to it: a line whenever the answer changed, and the end."""


@dataclass(frozen=True)
class Task:
    """Runs of one row.

    Attributes:
        setting: the row.
        seeds: of the runs.
        datasets: what is reported.
    """

    setting: Setting
    seeds: tuple[int, ...]
    datasets: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """What runs found: lines of `ANSWERS` and of `COURSES`."""

    answers: list[tuple[object, ...]]
    courses: list[tuple[object, ...]]


def search(known: Known, task: Task) -> Found:
    """Returns the runs of a task; a search that looks at one dataset is run once and reported on all."""
    found = Found([], [])
    for seed in task.seeds:
        for dataset, rows, course in _searched(known, task, seed):
            _report(known, task.setting, seed, dataset, rows, course, found)
    return found


def _searched(known: Known, task: Task, seed: int) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """Yields for each dataset the rows of a search, and its answers where they change."""
    setting = task.setting
    own = bool(trained_for(setting.by)) and setting.searched_on is None
    rows = course = pd.DataFrame()
    for dataset in task.datasets:
        if own or rows.empty:
            rows = look_up(known, setting, setting.searched_on or dataset, seed)
            course = changes(answers_of(setting, rows))
        yield dataset, rows, course


def changes(course: pd.DataFrame) -> pd.DataFrame:
    """Returns the lines of a course whose answer is another than before, and the last."""
    arch = course["arch"].astype(object).where(course["arch"].notna(), None).to_numpy()
    kept = np.append(True, arch[1:] != arch[:-1])
    kept[-1] = True
    return course[kept]


def _report(
    known: Known,
    setting: Setting,
    seed: int,
    dataset: str,
    rows: pd.DataFrame,
    course: pd.DataFrame,
    to: Found,
) -> None:
    run = (setting.title, seed, dataset)
    accuracy = known.of(dataset, setting.measure, list(course["arch"]))
    to.courses.extend(
        (*run, *line)
        for line in zip(
            course["evaluation"].tolist(), course["finished_at"].tolist(), accuracy.tolist(), strict=True
        )
    )
    arch = course["arch"].iloc[-1]
    place = known.place[arch] if isinstance(arch, str) else None
    rank = np.nan if place is None else float(known.ranks[dataset, setting.measure][place])
    clock, work = float(rows["finished_at"].iloc[-1]), float(rows["seconds"].sum())
    named = None if place is None else arch
    to.answers.append((*run, named, float(accuracy[-1]), rank, float(len(rows)), clock, work))


def as_tables(found: Sequence[Found]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns answers and courses as tables."""
    answers = pd.DataFrame([line for part in found for line in part.answers], columns=list(ANSWERS))
    courses = pd.DataFrame([line for part in found for line in part.courses], columns=list(COURSES))
    return answers.astype({"arch": "string"}), courses
