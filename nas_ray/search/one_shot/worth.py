"""What the archs are worth that one-shot methods found: a line per method, beside as many random archs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.console import Console

from nas_ray.benchmarks import Benchmark
from nas_ray.benchmarks.base import known_accuracy
from nas_ray.report.latex import Cell, Value, best_of, escaped, latex_table
from nas_ray.report.one_shot_pictures import draw_course, methods_of
from nas_ray.rows import ERROR, FOUND
from nas_ray.runs.writing import write_csv, write_text
from nas_ray.search.base import Experiment
from nas_ray.search.finish import Outcome
from nas_ray.search.one_shot.chance import said_of_chance
from nas_ray.search.one_shot.course import course_of, write_course
from nas_ray.shared_weights.one_shot.epochs import FOUND_BEST
from nas_ray.shared_weights.prune import NAMES as PRUNINGS
from nas_ray.terminal.console import Rows, put, say
from nas_ray.terminal.text import markdown_table

FORM = ".2f"
RANDOM, ALL = "random archs", "all archs"
NOTE = (
    "accuracy: of the archs found, in the benchmark. top %: share of all archs that are as good. "
    "best epoch: accuracy of the arch of the epoch whose supernet had the best validation accuracy."
)
LATEX_NOTE = (
    "Top %: share of all archs that are as good. Best epoch: the archs of the epochs whose supernet had the "
    "best validation accuracy. Skips: skip connections."
)


@dataclass(frozen=True)
class Line:
    """One method over its seeds; accuracies in percent, NaN where none is known.

    Attributes:
        method: with its changes, or what it is compared with.
        seeds: searches that found an arch.
        failed: searches that did not.
        mean: accuracy in the benchmark of the archs of the last epochs.
        std: its standard deviation over the seeds; NaN of one.
        worst: the least of them.
        top: mean percentage of all archs that are at least as good.
        best_epoch: as `mean`, of the archs of the epochs with the best supernet.
        supernet: mean validation accuracy of the supernet.
        skips: mean number of skip connections.
        entropy: of the architecture weights, in nats.
        seconds: of a search.
    """

    method: str
    seeds: int
    failed: int = 0
    mean: float = math.nan
    std: float = math.nan
    worst: float = math.nan
    top: float = math.nan
    best_epoch: float = math.nan
    supernet: float = math.nan
    skips: float = math.nan
    entropy: float = math.nan
    seconds: float = math.nan


def lines_of(
    rows: pd.DataFrame, methods: Sequence[str], benchmark: Benchmark | None, drawn: Sequence[str] = ()
) -> list[Line]:
    """Returns a line for each method, then for `drawn` and for all archs where a benchmark knows them.

    Args:
        rows: of the run, whose `arch` is `METHOD,seed=S`.
        methods: with their changes.
        benchmark: where archs are looked up; None for no accuracies.
        drawn: random archs to compare with.
    """
    everything = None if benchmark is None else benchmark.all_test_acc()
    lines = [_line(method, _of(rows, method), benchmark, everything) for method in methods]
    if benchmark is not None and drawn:
        lines.append(_worth(RANDOM, [known_accuracy(benchmark, arch) for arch in drawn], everything))
    if everything is not None:
        lines.append(_worth(ALL, everything, everything))
    return lines


def _of(rows: pd.DataFrame, method: str) -> pd.DataFrame:
    return rows[methods_of(rows["arch"]) == method]


def _worth(name: str, accuracies: Any, everything: npt.NDArray[Any] | None, **also: Any) -> Line:
    known = np.asarray(accuracies, dtype=float)
    known = known[np.isfinite(known)]
    if not len(known):
        return Line(name, **{"seeds": 0, **also})
    return Line(
        name,
        **{"seeds": len(known), **also},
        mean=float(known.mean()),
        std=float(known.std(ddof=1)) if len(known) > 1 else math.nan,
        worst=float(known.min()),
        top=math.nan if everything is None else float(np.mean([_as_good(everything, v) for v in known])),
    )


def _as_good(everything: npt.NDArray[Any], value: float) -> float:
    """Returns the percentage of all archs that are at least as good."""
    return float(100 * np.mean(everything >= value))


def _line(
    method: str, rows: pd.DataFrame, benchmark: Benchmark | None, everything: npt.NDArray[Any] | None
) -> Line:
    done = rows[rows[FOUND].notna() & rows[ERROR].isna()] if FOUND in rows else rows[:0]
    also: dict[str, Any] = {"seeds": len(done), "failed": len(rows) - len(done)}
    for name, column in _MEANS.items():
        also[name] = float(done[column].mean()) if column in done and len(done) else math.nan
    if method.partition(",")[0] in PRUNINGS:  # whose nets were not trained
        also["supernet"] = math.nan
    if benchmark is None or not len(done):
        return Line(method, **also)
    best = [known_accuracy(benchmark, arch) for arch in done[FOUND_BEST]] if FOUND_BEST in done else []
    also["best_epoch"] = float(np.nanmean(best)) if np.isfinite(best).any() else math.nan
    return _worth(method, [known_accuracy(benchmark, arch) for arch in done[FOUND]], everything, **also)


_MEANS = {"supernet": "valid_acc", "skips": "skips", "entropy": "entropy", "seconds": "seconds"}


def random_archs(experiment: Experiment, count: int, seed: int) -> list[str]:
    """Returns `count` archs drawn uniformly, one for each seed from `seed` on."""
    space = experiment.final_space
    return [space.sample(np.random.default_rng((seed + number, 201))) for number in range(count)]


def show_methods(outcome: Outcome, experiment: Experiment, folder: Path, console: Console) -> None:
    """Prints the table of the methods, and writes it with the course of every search.

    Files: `methods.csv`, `.md` and `.tex`; `epochs.csv`, a row per search and epoch; `weights.parquet`, one
    per search, epoch, edge and operation; `course.png`.
    """
    args: Any = experiment.args  # type: ignore[attr-defined]
    drawn = random_archs(experiment, args.seeds, args.seed)
    lines = lines_of(outcome.rows, args.methods, experiment.benchmark, drawn)
    table = pd.DataFrame(lines)
    write_csv(folder / "methods.csv", table)
    write_text(folder / "methods.md", to_markdown(lines))
    write_text(folder / "methods.tex", to_latex(lines, f"One-shot search on {args.space}, {args.dataset}"))
    courses = course_of(experiment)
    epochs = write_course(folder, courses, experiment)
    column = None if experiment.benchmark is None else experiment.benchmark.acc_column
    draw_course(epochs, folder / "course.png", column)
    say(console)
    put(console, printed(lines))
    if experiment.benchmark is not None:
        say(console, NOTE, "dim", wrapped=True)
    if said := said_of_chance([line.supernet for line in lines], outcome.rows, experiment):
        say(console, said, "bold yellow", wrapped=True)


_HEADS = {
    "mean": "accuracy",
    "worst": "worst",
    "top": "top %",
    "best_epoch": "best epoch",
    "supernet": "supernet",
    "skips": "skips",
}


_FORMS = {"top": ".1f", "supernet": ".1f", "skips": ".1f"}


def _cells(line: Line) -> list[str]:
    found = [line.method, str(line.seeds) + (f" ({line.failed} failed)" if line.failed else "")]
    for name in _HEADS:
        value = getattr(line, name)
        text = f"{value:{_FORMS.get(name, FORM)}}" if math.isfinite(value) else "-"
        if name == "mean" and math.isfinite(line.std):
            text += f" ± {line.std:{FORM}}"
        found.append(text)
    return found


def printed(lines: Sequence[Line]) -> Rows:
    """Returns the lines as a table for a terminal."""
    table = Rows(title="Archs found by each method", box=None, padding=(0, 2, 0, 0))
    table.add_column("method", min_width=12, overflow="fold")
    for head in ("seeds", *_HEADS.values()):
        table.add_column(head, justify="right", no_wrap=True)
    for line in lines:
        table.add_row(*_cells(line))
    return table


def to_markdown(lines: Sequence[Line]) -> str:
    """Returns the lines as a table in Markdown, with a sentence on its columns."""
    heads = ["method", "seeds", *_HEADS.values()]
    return "\n".join(markdown_table(heads, map(_cells, lines))) + f"\n\n{NOTE}\n"


def to_latex(lines: Sequence[Line], caption: str) -> str:
    """Returns the lines as LaTeX, the best mean of the methods in bold."""
    methods = [line for line in lines if line.method not in (RANDOM, ALL)]
    best = best_of([line.mean for line in methods], FORM)
    bold = {line.method: is_best for line, is_best in zip(methods, best, strict=True)}
    rows: list[list[Cell]] = [
        [
            escaped(line.method),
            Value(line.seeds, ".0f"),
            Value(line.mean, FORM, std=line.std, best=bold.get(line.method, False)),
            *(Value(getattr(line, name), FORM) for name in ("worst", "top", "best_epoch", "skips")),
        ]
        for line in lines
    ]
    heads = ["", "Seeds", "Accuracy", "Worst", "Top %", "Best epoch", "Skips"]
    notes = ["Accuracy: mean and standard deviation over the seeds.", LATEX_NOTE, "The best mean is bold."]
    return latex_table(heads, rows, caption=f"{caption}.", name="one-shot", notes=notes)
