"""The end of a search in numbers: the best arch, where it stands in the benchmark, and what it cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from nas_ray.benchmarks.base import Benchmark
from nas_ray.report.cells import cell_text
from nas_ray.report.expected import expected_best, expected_random_arch

EXPORT = "not known without reading every archive; export them with experiments/export_nats.py"


def summarize(
    rows: pd.DataFrame,
    *,
    best_row: Mapping[str, Any] | None,
    proxies: Sequence[str],
    benchmark: Benchmark | None,
    wall_seconds: float,
    num_draws: int,
    label: Callable[[str], str] = str,
) -> dict[str, Any]:
    """Returns the summary of a search as plain data, with null for what is undefined.

    Args:
        rows: of the finished search.
        best_row: the fittest row; None if no evaluation succeeded.
        proxies: names of the scores.
        benchmark: where the accuracy comes from, if anywhere.
        wall_seconds: of this process, with the start of Ray.
        num_draws: size of the random search to compare with.
        label: gives an arch a short name, such as its index.
    """
    errors = [str(error) for error in rows["error"] if isinstance(error, str)]
    computed = int((~rows["reused"].fillna(False).astype(bool)).sum())
    ends = rows["finished_at"].to_numpy(dtype=float)
    searching, busy = (float(ends.max()), float(np.ptp(ends))) if len(ends) else (0.0, 0.0)
    summary: dict[str, Any] = {
        "evaluations": len(rows),
        "reused": len(rows) - computed,
        "failed": len(errors),
        "first_error": errors[0] if errors else None,
        "compute_seconds": float(rows["seconds"].sum()),
        "search_seconds": searching,
        "wall_seconds": wall_seconds,
        "archs_per_second": (computed - 1) / busy if busy > 0 else None,  # once the workers were up
        "arch": None,
    }
    if best_row is not None:
        summary |= {
            "arch": best_row["arch"],
            "label": label(str(best_row["arch"])),
            "trial": best_row["trial"],
            "fitness": best_row["fitness"],
            "scores": {name: best_row[name] for name in proxies},
        }
        if benchmark is not None:
            summary["benchmark"] = compare(str(best_row["arch"]), benchmark, num_draws)
    plain: dict[str, Any] = _plain(summary)
    return plain


def compare(arch: str, benchmark: Benchmark, num_draws: int) -> dict[str, Any]:
    """Returns accuracy and rank of `arch`, the benchmark's best, and what random search is expected to reach.

    Rank 1 is best; archs of equal accuracy share the better rank. Accuracies are in percent.
    """
    accuracy = benchmark.test_acc(arch)
    compared: dict[str, Any] = {
        "source": benchmark.acc_source,
        "column": benchmark.acc_column,
        "accuracy": accuracy,
    }
    everything = benchmark.all_test_acc()
    if everything is None:
        return compared
    best = int(np.argmax(everything))
    return compared | {
        "rank": int((everything > accuracy).sum()) + 1,
        "archs": len(everything),
        "best_arch": benchmark.archs[best],
        "best_accuracy": float(everything[best]),
        "expected_random_arch": expected_random_arch(everything),
        "expected_random_search": expected_best(everything, num_draws, replace=False),
        "random_search_size": num_draws,
    }


def print_summary(summary: Mapping[str, Any], console: Console) -> None:
    """Prints the summary as a table and the cell of the best arch as a drawing."""
    if summary["arch"] is None:
        reason = f": {summary['first_error']}" if summary["first_error"] else "."
        console.print(
            f"None of {summary['evaluations']} evaluations succeeded{reason}", style="red", highlight=False
        )
        return
    console.print()
    console.print(cell_text(str(summary["arch"])), highlight=False, markup=False, soft_wrap=True)
    console.print()
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _lines(summary):
        table.add_row(name, value)
    console.print(table, highlight=False)


def _lines(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    scores = ", ".join(f"{name} {_number(value)}" for name, value in summary["scores"].items())
    named = f"{summary['label']}  " if summary["label"] != summary["arch"] else ""
    lines = [("best arch", f"{named}{summary['arch']}"), ("scores", scores)]
    lines += _benchmark_lines(summary.get("benchmark"))
    made = f"{summary['evaluations']} in {summary['search_seconds']:.1f} s"
    if summary["archs_per_second"] is not None:
        made += f", {summary['archs_per_second']:.2f} archs/s once the workers were up"
    if summary["reused"]:
        made += f"; {summary['reused']} known already and not computed again"
    lines += [("evaluations", made)]
    lines += [
        (
            "computation",
            f"{summary['compute_seconds']:.1f} s; {summary['wall_seconds']:.1f} s in all with start",
        )
    ]
    if summary["failed"]:
        lines += [("failed", f"{summary['failed']}, the first: {summary['first_error']}")]
    return lines


def _benchmark_lines(compared: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    if compared is None:
        return []
    lines = [("accuracy", f"{compared['accuracy']:.2f} % ({compared['source']})")]
    if "rank" not in compared:
        return [*lines, ("rank", EXPORT)]
    size = compared["random_search_size"]
    return [
        *lines,
        ("rank", f"{compared['rank']:,} of {compared['archs']:,}"),
        ("best possible", f"{compared['best_accuracy']:.2f} %  {compared['best_arch']}"),
        ("a random arch", f"{compared['expected_random_arch']:.2f} % expected"),
        (
            "random search",
            f"{compared['expected_random_search']:.2f} % expected of {size} archs if it saw the accuracy",
        ),
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def _plain(value: Any) -> Any:
    """Returns `value` as JSON knows it: Python's own types, null for what is not finite."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
