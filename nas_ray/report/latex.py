"""Tables for papers, in LaTeX: a value with its interval below it, and the best of a column in bold."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from nas_ray.terminal.text import one_line

NEEDS = r"% Needs \usepackage{booktabs}."
UNKNOWN = "--"

_NAMES = ("backslash", "asciicircum", "asciitilde", "less", "greater", "bar")
_SPECIAL = {
    **{char: f"\\{char}" for char in "{}$&#_%"},
    **{char: rf"\text{name}{{}}" for char, name in zip("\\^~<>|", _NAMES, strict=True)},
    "[": "{[}",  # which at the start of a line would belong to the end of the one before
}


def escaped(text: object) -> str:
    """Returns `text` in one line, in which nothing is LaTeX."""
    return "".join(_SPECIAL.get(char, char) for char in one_line(text))


@dataclass(frozen=True)
class Value:
    """A number of a table, not finite where it is unknown.

    Attributes:
        value: the number.
        form: how it is written, such as `.2f`.
        std: standard deviation, shown if it is finite.
        low: where the interval begins; there is none if it is not finite.
        high: where it ends.
        best: whether it is shown in bold.
    """

    value: float
    form: str = ".3f"
    std: float = math.nan
    low: float = math.nan
    high: float = math.nan
    best: bool = False

    @property
    def shown(self) -> str:
        """The number in math mode."""
        if not math.isfinite(self.value):
            return UNKNOWN
        number = format(self.value, self.form)
        number = rf"\mathbf{{{number}}}" if self.best else number
        spread = rf" \pm {self.std:{self.form}}" if math.isfinite(self.std) else ""
        return f"${number}{spread}$"

    @property
    def interval(self) -> str:
        """The line below the number, empty without an interval."""
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            return ""
        return rf"{{\scriptsize $[{self.low:{self.form}}, {self.high:{self.form}}]$}}"


Cell = str | Value
"""Text that is LaTeX already, or a number."""


def best_of(values: Sequence[float], form: str) -> list[bool]:
    """Returns which of `values` are shown in bold: the largest as written, none where nothing is beaten."""
    written = [float(format(value, form)) for value in values if math.isfinite(value)]
    if len(set(written)) < 2:
        return [False] * len(values)
    return [math.isfinite(value) and float(format(value, form)) == max(written) for value in values]


def latex_table(
    heads: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    caption: str,
    name: str,
    notes: Sequence[str] = (),
) -> str:
    """Returns a `table` environment with rules of `booktabs`; the first column is text, the others numbers.

    Args:
        heads: of the columns, plain text.
        rows: their cells.
        caption: plain text.
        name: what the label ends in; other characters than letters, digits and hyphens become hyphens.
        notes: plain sentences that follow the caption.
    """
    label = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")
    lines = [NEEDS, r"\begin{table}", r"\centering"]
    lines += [rf"\caption{{{' '.join(map(escaped, (caption, *notes)))}}}", rf"\label{{tab:{label}}}"]
    lines += [rf"\begin{{tabular}}{{l{'r' * (len(heads) - 1)}}}", r"\toprule"]
    lines += [_line([escaped(head) for head in heads]), r"\midrule"]
    for row in rows:
        lines.append(_line([cell.shown if isinstance(cell, Value) else cell for cell in row]))
        intervals = [cell.interval if isinstance(cell, Value) else "" for cell in row]
        if any(intervals):
            lines.append(_line(intervals))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}", ""])


def _line(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"
