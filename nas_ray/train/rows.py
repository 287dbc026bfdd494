"""The tables of a training: a row per arch and seed, and a row per arch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from nas_ray.report.intervals import over_images, over_seeds, paired, within_percent
from nas_ray.report.magnitudes import shown_score
from nas_ray.terminal.text import markdown_table
from nas_ray.train.shown import interval_cell, interval_columns, print_table

RESULT = "result.json"


def read_result(folder: Path) -> dict[str, Any] | None:
    """Returns the row of a finished training; None where there is none."""
    try:
        row = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def results_table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Returns the rows of all nets, with Wilson's interval of each net's test accuracy in percent."""
    table = pd.DataFrame(rows)
    bounds = [over_images(row["test_right"], row["test_images"]) for row in rows]
    table["test_acc_low"] = [bound.low for bound in bounds]
    table["test_acc_high"] = [bound.high for bound in bounds]
    return table


def summary_table(results: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """Returns a row per arch, the first is the arch that was asked for.

    Columns beside those of `facts`: `test_acc` with the ends of its t interval over seeds, and `behind`, by
    how much it is below the first arch, with the t interval of the difference seed by seed; all in percent.

    Args:
        results: from `results_table`.
        facts: column `label`, and what is known of each arch, in the order of the rows.
    """
    by_label = {label: group["test_acc"].tolist() for label, group in results.groupby("label", sort=False)}
    first = by_label[facts["label"].iloc[0]]
    rows = []
    for place, label in enumerate(facts["label"]):
        own = by_label[label]
        rows.append(
            {
                "seeds": len(own),
                **interval_columns("test_acc", within_percent(over_seeds(own))),
                **interval_columns("behind", paired(first, own) if place else None),
            }
        )
    return pd.concat([facts.reset_index(drop=True), pd.DataFrame(rows)], axis=1)


HEADS = {"params": "params, M", "flops": "multiply-adds, M", "latency_ms": "ms per image"}
_IN_MILLIONS = ("params", "flops")


def shown_rows(summary: pd.DataFrame, scores: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Returns heads and cells of the summary as text."""
    heads = ["arch", *HEADS.values(), *scores, "test accuracy, %", "found is ahead by, %"]
    cells = []
    for row in summary.to_dict("records"):
        cost = [f"{row[name] / (1e6 if name in _IN_MILLIONS else 1):.3g}" for name in HEADS]
        values = [shown_score(row.get(name), 4) for name in scores]
        cells.append(
            [str(row["label"]), *cost, *values, interval_cell(row, "test_acc"), interval_cell(row, "behind")]
        )
    return heads, cells


def print_rows(summary: pd.DataFrame, scores: Sequence[str], console: Console) -> None:
    """Prints the summary."""
    print_table(*shown_rows(summary, scores), console)


def to_markdown(summary: pd.DataFrame, scores: Sequence[str]) -> list[str]:
    """Returns the lines of the summary as a Markdown table."""
    return markdown_table(*shown_rows(summary, scores))
