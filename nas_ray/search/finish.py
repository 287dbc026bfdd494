"""What a finished search leaves: tables, the best arch and pictures in its folder, a printed summary."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from nas_ray.benchmarks import Benchmark
from nas_ray.benchmarks.base import accuracy_column, known_accuracy
from nas_ray.benchmarks.published import net_in, of_other_nets
from nas_ray.drivers.table import to_table
from nas_ray.evaluation.gpu_memory import packing
from nas_ray.report.cells import draw_cell, has_cell
from nas_ray.report.front import draw_front, front_of
from nas_ray.report.front_table import print_front
from nas_ray.report.search_curve import draw_search
from nas_ray.report.settings import caution, draw_importance, draw_parallel, importance_table, setting_rows
from nas_ray.report.summary import best_row, summarize
from nas_ray.report.summary_table import Course, print_summary
from nas_ray.rows import ERROR, FOUND, TRAINED, arch_first, final_arch, final_archs, given_in
from nas_ray.runs.folder import update_run, write_json, write_table
from nas_ray.search.base import Experiment
from nas_ray.search.estimation import CHECKPOINTS
from nas_ray.searchers.pareto import objectives_of
from nas_ray.spaces import FiniteSpace, arch_of
from nas_ray.spaces.one_arch import OneArch
from nas_ray.spaces.product import arch_space, product_of
from nas_ray.terminal.console import say


@dataclass(frozen=True)
class Outcome:
    """What a search came to.

    Attributes:
        status: `finished` or `cancelled`.
        rows: one per evaluation in order of arrival, with the accuracy of a benchmark once finished.
        best: the fittest row, the first to arrive among equals; None if no evaluation succeeded.
        summary: what `best.json` holds; empty where the search was cancelled.
        front: of a search with several objectives, the rows that none dominates; else None.
        importance: of settings that trials trained by, what each explains and the caution on it; else None.
    """

    status: str
    rows: pd.DataFrame
    best: dict[str, Any] | None
    summary: dict[str, Any]
    front: pd.DataFrame | None = None
    importance: tuple[pd.DataFrame, str] | None = None


def finish(experiment: Experiment, folder: Path, wall_seconds: float, pictures: bool = True) -> Outcome:
    """Writes `results.*`, `best.json` and the pictures, says that the run is finished and returns it."""
    rows = write_rows(folder, to_table(experiment.searcher), experiment.benchmark, experiment.scores)
    best = best_row(rows)
    space = arch_space(experiment.final_space)
    summary = summarize(
        rows,
        best_row=best,
        proxies=experiment.scores,
        benchmark=experiment.benchmark,
        wall_seconds=wall_seconds,
        num_draws=len(rows) - given_in(rows),
        space=space if isinstance(space, FiniteSpace) and not isinstance(space, OneArch) else None,
        label=experiment.called,
    )
    write_json(folder / "best.json", summary)
    front = _front(experiment, rows, folder, pictures)
    if best is not None and pictures:
        _draw(experiment, rows, final_arch(best), folder)
    importance = _importance(experiment, rows, folder, pictures)
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)  # of trainings: all rows are there
    update_run(folder, status="finished", wall_seconds=round(wall_seconds, 3))
    return Outcome("finished", rows, best, summary, front, importance)


def _importance(
    experiment: Experiment, rows: pd.DataFrame, folder: Path, pictures: bool
) -> tuple[pd.DataFrame, str] | None:
    """Writes what each setting had to do with the fitness, and returns it, where trials trained by them."""
    product = product_of(experiment.space)
    if product is None or not {*TRAINED} & {*rows}:
        return None
    known = setting_rows(rows, product.settings)
    if known is None:
        return None
    table, note = importance_table(known), caution(known)
    write_table(folder, table, "importance")
    if pictures:
        draw_importance(table, folder / "importance.png", note=note)
        draw_parallel(known, folder / "settings.png", fitness=str(experiment.fitness))
    return table, note


def _front(experiment: Experiment, rows: pd.DataFrame, folder: Path, pictures: bool) -> pd.DataFrame | None:
    """Writes the front of a search with several objectives and returns it; None of any other."""
    objectives = objectives_of(experiment.searcher.objectives)
    if not objectives:
        return None
    front = front_of(rows, objectives)
    write_table(folder, front, "front")
    if pictures and len(front):
        draw_front(rows, folder / "front.png", objectives=objectives, front=front)
    return front


def show_front(outcome: Outcome, experiment: Experiment, folder: Path, console: Console) -> None:
    """Prints the front that a finished search found, if it had several objectives."""
    if outcome.front is not None:
        objectives = objectives_of(experiment.searcher.objectives)
        print_front(outcome.front, outcome.rows, objectives, console, experiment.label)


def show(outcome: Outcome, experiment: Experiment, console: Console, gpus_per_trial: float = 0.0) -> int:
    """Prints what a finished search found and returns the exit code."""
    head = "Best recipe" if isinstance(arch_space(experiment.space), OneArch) else Course.head
    course = None if outcome.best is None else Course(outcome.rows, outcome.best, experiment.fitness, head)
    print_summary(outcome.summary, console, course, introduced=True)
    say_of_which_nets(experiment, console)
    if said := packing(outcome.rows, gpus_per_trial):
        say(console, said, "dim")
    return 0 if outcome.best is not None else 1


def say_of_which_nets(experiment: Experiment, console: Console) -> None:
    """Says below an accuracy of a benchmark that it is of other nets, if it is."""
    if experiment.benchmark and (others := of_other_nets(net_in(arch_space(experiment.final_space)))):
        say(console, f"A{others[1:]}", "yellow")


def write_rows(
    folder: Path, rows: pd.DataFrame, benchmark: Benchmark | None, scores: Sequence[str] = ()
) -> pd.DataFrame:
    """Writes `results.parquet` and `results.csv`, with the benchmark's accuracy, and returns them."""
    write_table(folder, rows)  # first, since the benchmark may turn out to be damaged
    rows = with_accuracy(rows, benchmark, scores)
    write_table(folder, rows)
    return rows


def with_accuracy(rows: pd.DataFrame, benchmark: Benchmark | None, scores: Sequence[str]) -> pd.DataFrame:
    """Returns `rows` with the benchmark's accuracy and, in `acc_source`, what that accuracy is."""
    if benchmark is None:
        return rows
    archs = final_archs(rows)
    settings = FOUND in rows or rows[ERROR].notna().all()  # a trial that found nothing has no arch to look up
    look_up = partial(known_accuracy, benchmark) if settings else benchmark.test_acc
    known = {arch: look_up(arch_of(arch)) for arch in archs.unique()}
    joined = rows.copy()
    joined[accuracy_column(benchmark, scores)] = archs.map(known)
    joined["acc_source"] = benchmark.acc_source
    return arch_first(joined)


def _draw(experiment: Experiment, rows: pd.DataFrame, arch: str, folder: Path) -> None:
    if has_cell(arch):
        draw_cell(arch, folder / "cell.png", index=experiment.index(arch))
    draw_search(
        rows,
        folder / "search.png",
        fitness=experiment.fitness,
        fitness_label=str(experiment.fitness),
        benchmark=experiment.benchmark,
    )
