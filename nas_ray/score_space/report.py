"""What a scored list of archs leaves: tables, the best archs, the correlation with a benchmark, a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console

from nas_ray.benchmarks import Benchmark
from nas_ray.report.correlation import correlate, to_markdown
from nas_ray.report.correlation_latex import to_latex
from nas_ray.report.correlation_pictures import draw_ranks
from nas_ray.report.correlation_table import print_table
from nas_ray.report.distribution import draw_distributions
from nas_ray.report.top import print_top, top_archs
from nas_ray.runs.folder import write_table
from nas_ray.runs.writing import write_text
from nas_ray.searchers.fitness import parse_fitness
from nas_ray.terminal.console import error_console, headed, say

FEWEST = 10
"""Archs that a correlation needs."""


def report(
    out: Path,
    scores: pd.DataFrame,
    names: Sequence[str],
    console: Console,
    *,
    space: Sequence[str],
    benchmark: Benchmark | None,
    top: int,
    resamples: int,
    seed: int,
) -> int:
    """Writes and prints everything; returns 0, or 1 if no arch has all scores.

    Args:
        out: folder of `scores.*`, `top.*`, and with a benchmark `correlations.*` and `ranks.png`, else
            `scores.png`.
        scores: `arch`, a column per score, `error`.
        names: the scores.
        console: where the summary goes.
        space: all archs in the published order.
        benchmark: what to compare with.
        top: archs in the list of the best.
        resamples: draws of the bootstrap.
        seed: of the bootstrap.
    """
    write_table(out, scores, "scores")
    accuracy = None if benchmark is None else known_accuracy(benchmark, scores["arch"].tolist())
    best = top_archs(scores, names, top, space=space, accuracy=accuracy)
    write_table(out, best, "top")
    by = str(parse_fitness(None, names))
    print_top(best, names, f"Best {len(best)} of {len(scores):,} archs by {by}", console)
    if benchmark is not None and accuracy is not None:
        _compare(out, scores, names, console, accuracy, benchmark, resamples, seed)
    else:
        draw_distributions(scores, names, out / "scores.png")
    _say_failures(scores, names, console)
    return 0 if len(best) else 1


MANY = 2_000
"""Archs from which on the intervals take so long that it is said."""


def known_accuracy(benchmark: Benchmark, archs: Sequence[str]) -> dict[str, float]:
    """Returns accuracy in percent by arch, of the whole benchmark if it can be listed, else of `archs`."""
    everything = benchmark.all_test_acc()
    if everything is not None:
        return dict(zip(benchmark.archs, everything.tolist(), strict=True))
    return {arch: benchmark.test_acc(arch) for arch in archs}


def _compare(
    out: Path,
    scores: pd.DataFrame,
    names: Sequence[str],
    console: Console,
    accuracy: dict[str, float],
    benchmark: Benchmark,
    resamples: int,
    seed: int,
) -> None:
    known = scores[np.isfinite(scores["arch"].map(accuracy).to_numpy(dtype=float))]
    title = f"{len(known):,} archs; {benchmark.acc_source}"
    draw_ranks(known, accuracy, names, out / "ranks.png", title)
    if len(known) < FEWEST:
        say(console, f"Too few archs for a correlation: {len(known)}, and {FEWEST} are needed.")
        return
    if len(known) >= MANY:
        say(
            error_console(),
            f"Intervals of {len(names)} scores from {resamples} draws of {len(known):,} archs take minutes; "
            "--resamples makes them fewer ...",
        )
    table = correlate(known, accuracy, names, resamples=resamples, seed=seed)
    say(console, headed("\nCorrelation", f" with {benchmark.acc_source}"))
    print_table(table, console)
    write_table(out, table, "correlations")
    write_text(out / "correlations.md", to_markdown(table, title))
    write_text(out / "correlations.tex", to_latex(table, title, "correlations"))


def _say_failures(scores: pd.DataFrame, names: Sequence[str], console: Console) -> None:
    failed = scores[scores["error"].notna()]
    if failed.empty:
        return
    first = failed.iloc[0]
    count = f"{len(failed):,} arch{'' if len(failed) == 1 else 's'}"
    said = (
        f"{count} with an undefined score, which counts as the worst; the first is {first['arch']}: "
        f"{first['error']}"
    )
    say(console, f"\n{said}", "yellow")
