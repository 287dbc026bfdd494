"""What a two-stage search leaves: one row per arch, the best arch, its learning curve beside the others."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from rich import box
from rich.console import Console

from nas_ray.report.cells import draw_cell, has_cell
from nas_ray.report.learning_curves import draw_learning_curves
from nas_ray.report.summary import summarize
from nas_ray.report.summary_table import Course, print_summary
from nas_ray.rows import Row, arch_first, final_arch, scores_alone
from nas_ray.runs.folder import update_run, write_json, write_table
from nas_ray.search.estimation import CHECKPOINTS, VALID_ACC
from nas_ray.search.experiment import Prepared
from nas_ray.search.finish import say_of_which_nets, with_accuracy
from nas_ray.searchers.fitness import Fitness
from nas_ray.spaces import FiniteSpace
from nas_ray.spaces.product import arch_space
from nas_ray.terminal.console import Rows, put


@dataclass(frozen=True)
class Stage:
    """One fidelity.

    Attributes:
        name: for people.
        epochs: of training; 0 for scores.
        rows: one per arch.
        fitness: what compares them.
    """

    name: str
    epochs: int
    rows: list[Row]
    fitness: Fitness


def join_stages(stages: Sequence[Stage]) -> pd.DataFrame:
    """Returns one row per arch, as its last stage left it, the best first.

    An arch that came further is better; within a stage `fitness` decides, which is comparable only there. The
    `seconds` are those of the last stage: all of the training, or of the scores. What was found has the
    setting that it was asked by as its `arch`.
    """
    last: dict[str, Row] = {}
    for stage in stages:
        for row, value in zip(stage.rows, stage.fitness(stage.rows), strict=True):
            epochs, arch = int(row.get("epochs") or 0), final_arch(row)
            before = last.get(arch, {})
            asked = before.get("arch", row["arch"])
            if asked != row["arch"] and not epochs and not value > before["fitness"]:
                continue  # found by another setting, which is better
            last[arch] = {
                **scores_alone(before),
                **row,
                "arch": asked if epochs else row["arch"],
                "epochs": epochs,
                "fitness": float(value),
            }
    table = pd.DataFrame(list(last.values()))
    order = ["epochs", "fitness"]
    return arch_first(table.sort_values(order, ascending=False, kind="stable", ignore_index=True))


def finish(
    experiment: Prepared, stages: Sequence[Stage], folder: Path, console: Console, wall_seconds: float
) -> int:
    """Writes `results.*`, `best.json` and pictures, prints the stages and the best; returns the exit code."""
    rows = join_stages(stages)
    scores = [*experiment.scores, VALID_ACC]
    write_table(folder, rows)
    rows = with_accuracy(rows, experiment.benchmark, scores)
    write_table(folder, rows)
    trained = rows[(rows["epochs"] > 0) & np.isfinite(rows["fitness"].astype(float))]
    best = None if trained.empty else {str(key): value for key, value in trained.iloc[0].items()}
    space = arch_space(experiment.final_space)
    summary = summarize(
        rows,
        best_row=best,
        proxies=scores,
        benchmark=experiment.benchmark,
        wall_seconds=wall_seconds,
        num_draws=len(rows),
        space=space if isinstance(space, FiniteSpace) else None,
        label=experiment.called,
    )
    write_json(folder / "best.json", summary)
    if best is not None:
        if has_cell(final_arch(best)):
            draw_cell(final_arch(best), folder / "cell.png")
        draw_learning_curves(rows, folder / "curves.png")
    put(console, _stages(stages, experiment))
    course = None if best is None else Course(rows, best, stages[-1].fitness)
    print_summary(summary, console, course, introduced=True)
    say_of_which_nets(experiment, console)
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
    update_run(folder, status="finished", wall_seconds=round(wall_seconds, 3))
    return 0 if best is not None else 1


def _stages(stages: Sequence[Stage], experiment: Prepared) -> Rows:
    table = Rows("stage", "archs", "failed", "compute", "best arch", box=box.SIMPLE_HEAD)
    spent: dict[str, float] = {}  # of the training so far, which rows of the next rung count as well
    for stage in stages:
        values = stage.fitness(stage.rows)
        best = "none"
        if len(values) and np.isfinite(values).any():
            best = experiment.label(final_arch(stage.rows[int(np.argmax(values))]))
        taken = {row["arch"]: float(row.get("seconds") or 0.0) for row in stage.rows}
        seconds = sum(taken[arch] - spent.get(arch, 0.0) for arch in taken)
        spent = taken if stage.epochs else {}
        failed = sum(1 for row in stage.rows if row.get("error"))
        table.add_row(stage.name, str(len(stage.rows)), str(failed), f"{seconds:.1f} s", best)
    return table
