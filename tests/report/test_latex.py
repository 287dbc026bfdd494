"""Tables in LaTeX."""

from __future__ import annotations

import math
import re

import pandas as pd

from nas_ray.report.latex import Value, best_of, escaped, latex_table
from nas_ray.reproduce.latex import differences_latex


def test_nothing_in_a_text_is_latex() -> None:
    assert escaped("a_b & 5 % of $x$ #1 {y}") == r"a\_b \& 5 \% of \$x\$ \#1 \{y\}"
    assert escaped("|nor_conv~0|\\x^2\n<b>") == (
        r"\textbar{}nor\_conv\textasciitilde{}0\textbar{}\textbackslash{}x\textasciicircum{}2 "
        r"\textless{}b\textgreater{}"
    )


def test_a_bracket_never_follows_the_end_of_a_line() -> None:
    """TeX would take it for the argument of the end of the line before."""
    assert escaped("[a]") == "{[}a]"


def test_a_value_has_spread_interval_and_weight() -> None:
    value = Value(94.126, ".2f", std=0.2, low=94.0, high=94.3, best=True)
    assert value.shown == r"$\mathbf{94.13} \pm 0.20$"
    assert value.interval == r"{\scriptsize $[94.00, 94.30]$}"
    assert (Value(float("nan")).shown, Value(-0.5).shown, Value(1.0).interval) == ("--", "$-0.500$", "")


def test_best_is_the_largest_as_written_and_nothing_where_all_are_equal() -> None:
    assert best_of([1.0, 2.001, 2.002, float("nan")], ".2f") == [False, True, True, False]
    assert best_of([2.0, 2.0], ".2f") == [False, False]
    assert best_of([2.0], ".2f") == [False]


def test_every_line_has_as_many_cells_as_the_table_has_columns() -> None:
    text = latex_table(
        ["", "a_1", "b"],
        [["x", Value(1.0, low=0.0, high=2.0), ""], ["y", "z", Value(2.0)]],
        caption="50 % of all.", name="my_table 1", notes=["A note."],
    )  # fmt: skip
    assert r"\caption{50 \% of all. A note.}" in text
    assert r"\label{tab:my-table-1}" in text
    assert r"\begin{tabular}{lrr}" in text
    lines = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(lines) == 4  # heads, two rows, one line of intervals
    assert all(len(re.findall(r"(?<!\\)&", line)) == 2 for line in lines)


def test_an_unknown_p_is_not_a_small_one() -> None:
    line = {"setting": "a", "dataset": "cifar10", "difference": 0.0, "low": 0.0, "high": 0.0, "wins": 50.0}
    lines = pd.DataFrame([{**line, "p": p, "verdict": "none"} for p in (math.nan, 0.0001, 0.25)])
    text = differences_latex("rea", lines, "By a test.", name="by")
    cells = [row.split("&")[3].strip() for row in text.splitlines() if row.startswith("a, cifar10")]
    assert cells == ["-", "$<.001$", "$0.250$"]
