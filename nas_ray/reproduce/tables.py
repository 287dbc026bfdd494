"""What a table is: rows of searches that run with many seeds, or one analysis of the whole space."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nas_ray.reproduce.measures import TEST, TRAINED, scores_for, trained_for
from nas_ray.reproduce.published import Figures

if TYPE_CHECKING:
    import pandas as pd

    from nas_ray.reproduce.known import Known


@dataclass(frozen=True)
class Setting:
    """One row of a table: a search and what was published about it.

    Attributes:
        title: what the row is called.
        searcher: its name in `SEARCHERS`, or `module:class`.
        by: a key of `SCORES`, or a fitness over stored scores and keys of `TRAINED`, such as
            `rank_sum:naswot,synflow`.
        options: arguments of the searcher.
        workers: evaluations in flight.
        evaluations: budget; None for no limit.
        seconds: budget in simulated seconds; None for no limit.
        pooled: whether these are the seconds of all workers together, and not those of the clock.
        late: asks after which a searcher hears of a row (`LateRows`).
        answer: `best`, the net that the search returns, or `average`, over every net that it sampled.
        measure: `TEST` or a key of `TRAINED`.
        searched_on: the dataset whose accuracy is searched; None for the one reported.
        paid_again: whether a known arch costs its seconds once more; for one evaluation in flight.
        to_output: search only the archs whose single skip connection leads from input to output.
        published: figures to compare with, none for a baseline of ours.
        no_comparison: why the figures have another meaning, as a clause; empty if they can be compared.
        drawn: whether the picture has its curve.
    """

    title: str
    searcher: str
    by: str
    options: Mapping[str, Any] = field(default_factory=dict)
    workers: int = 1
    evaluations: int | None = None
    seconds: float | None = None
    pooled: bool = False
    late: int = 0
    answer: str = "best"
    measure: str = TEST
    searched_on: str | None = None
    paid_again: bool = False
    to_output: bool = False
    published: tuple[Figures, ...] = ()
    no_comparison: str = ""
    drawn: bool = True

    @property
    def charged(self) -> bool:
        """Whether the seconds of a run mean anything: a stored score has none but those it is charged."""
        return bool(trained_for(self.by)) or self.by == "freerea" or self.seconds is not None


@dataclass(frozen=True)
class Table:
    """A table to run again.

    Attributes:
        name: on the command line.
        title: one line for `--list`.
        source: where the published figures come from.
        remarks: sentences that a reader of the table needs.
        settings: its rows.
        in_all: whether `all` runs it; not where it needs scores that no other table does.
        analysis: what is computed instead of searches: lines as `lines.COLUMNS`, and the picture's data.
    """

    name: str
    title: str
    source: str
    remarks: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()
    in_all: bool = True
    analysis: Callable[[Known], tuple[pd.DataFrame, pd.DataFrame]] | None = None

    @property
    def scores(self) -> tuple[str, ...]:
        """The columns of stored scores that the table needs."""
        return tuple(dict.fromkeys(name for row in self.settings for name in scores_for(row.by)))

    @property
    def trained(self) -> tuple[str, ...]:
        """The keys of `TRAINED` that the table needs."""
        seen = {name for row in self.settings for name in (*trained_for(row.by), row.measure)}
        return tuple(name for name in TRAINED if name in seen)
