"""The tables of a training: a row per arch and seed, and a row per arch."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from nas_ray.report.intervals import over_images, over_seeds, paired, within_percent
from nas_ray.report.magnitudes import shown_score
from nas_ray.terminal.console import Rows, put
from nas_ray.terminal.text import table_cell

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
        mean = within_percent(over_seeds(by_label[label]))
        gap = paired(first, by_label[label])
        row: dict[str, float] = {"seeds": len(by_label[label])}
        row |= {"test_acc": mean.mean, "test_acc_low": mean.low, "test_acc_high": mean.high}
        nothing = math.nan
        row |= {
            "behind": gap.mean if place else nothing,
            "behind_low": gap.low if place else nothing,
            "behind_high": gap.high if place else nothing,
        }
        rows.append(row)
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
        cells.append([str(row["label"]), *cost, *values, _bounds(row, "test_acc"), _bounds(row, "behind")])
    return heads, cells


def _bounds(row: dict[Any, Any], name: str) -> str:
    mean, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    if math.isnan(mean):
        return "-"
    return f"{mean:.2f}" if math.isnan(low) else f"{mean:.2f} ({low:.2f} to {high:.2f})"


def print_rows(summary: pd.DataFrame, scores: Sequence[str], console: Console) -> None:
    """Prints the summary."""
    heads, cells = shown_rows(summary, scores)
    table = Rows(box=None)
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place else "left", no_wrap=not place)
    for row in cells:
        table.add_row(*row)
    put(console, table)


def to_markdown(summary: pd.DataFrame, scores: Sequence[str]) -> list[str]:
    """Returns the lines of the summary as a Markdown table."""
    heads, cells = shown_rows(summary, scores)
    rule = ["---", *["---:"] * (len(heads) - 1)]
    return [f"| {' | '.join(map(table_cell, row))} |" for row in (heads, rule, *cells)]
