"""Costs of archs that were measured elsewhere, such as latency on a phone, from tables beside a benchmark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np

from nas_ray.benchmarks.cost_names import named
from nas_ray.benchmarks.table_files import read_stored
from nas_ray.errors import UsageError, printable, unknown_name
from nas_ray.rows import Row
from nas_ray.safe_files.stored_numbers import StoredTable
from nas_ray.safe_files.tables import ARCH
from nas_ray.spaces.base import FiniteSpace
from nas_ray.spaces.settings import arch_of

INDEX = ("index", "row")
"""Columns that may say which arch a row is of, by its published index, where there is no column `arch`."""
LARGEST = float(np.finfo(float).max)


class CostTable:
    """One table of costs, such as a column of milliseconds per device.

    Its rows are joined by the column `arch`, or where there is none by `index` or `row`, the published index
    of the space; where there is neither, by their order. Every arch of the space has a row.

    Args:
        text: `PATH` or `NAME=PATH` of a table in CSV or Parquet. Its columns are called `NAME:COLUMN`;
            without a name that is the last word of the file's name, so `latency` of
            `nats_tss_latency.csv.gz`.
        space: whose archs it holds.

    Raises:
        UsageError: no readable table, or archs that are missing, foreign or repeated.
    """

    def __init__(self, text: str, space: FiniteSpace) -> None:
        self.name, self.path = named(text)
        self.space = space
        self._order = self._rows_of(list(space))

    @property
    def columns(self) -> list[str]:
        """The columns of costs as `NAME:COLUMN`."""
        return [f"{self.name}:{column}" for column in self._table.names if column not in (ARCH, *INDEX)]

    def numbers(self, column: str) -> np.ndarray:
        """Returns `[archs]`, a column in the order of the space.

        Raises:
            UsageError: a cost is missing or no finite number.
        """
        held = column.partition(":")[2]
        must = "a finite cost of every arch"
        return self._table.numbers(held, must=must, within=(-LARGEST, LARGEST))[self._order]

    @cached_property
    def _table(self) -> StoredTable:
        return read_stored(self.path)

    def _rows_of(self, archs: Sequence[str]) -> list[int]:
        """Returns the row of each arch."""
        table, by = self._table, next((key for key in (ARCH, *INDEX) if key in self._table.names), "")
        given: list[object] = list(range(len(table.frame)))
        if by == ARCH:
            given = table.archs()
        elif by:
            given = [archs[int(at)] if 0 <= at < len(archs) and at == int(at) else at
                     for at in table.numbers(by, within=(-LARGEST, LARGEST))]  # fmt: skip
        else:
            given = [*archs[: len(given)], *given[len(archs) :]]
        what = f"The table of costs {self.path}"
        known = set(archs)
        if foreign := [one for one in given if not isinstance(one, str) or one not in known]:
            raise UsageError(
                f"{what} must hold archs of its space only, got {printable(foreign)[0]}; an arch there reads "
                f"{archs[0]}."
            )
        (most, count), *_ = Counter(given).most_common(1) or [("", 0)]
        if count > 1:
            raise UsageError(f"{what} must hold each arch once, got {most} {count} times; remove a row.")
        row = {arch: number for number, arch in enumerate(given)}
        if missing := [arch for arch in archs if arch not in row]:
            raise UsageError(
                f"{what} must hold all {len(archs):,} archs of its space, and {missing[0]} is missing "
                f"({len(missing):,} are); complete the table."
            )
        return [row[arch] for arch in archs]


class Costs:
    """The costs that a search looks at, by arch: a function from an arch to columns of its row.

    Args:
        columns: their names, such as `latency:pixel2`.
        values: `[archs, columns]` in the order of `archs`.
        archs: of the space.
    """

    def __init__(self, columns: Sequence[str], values: np.ndarray, archs: Iterable[str]) -> None:
        self.columns = tuple(columns)
        self.values = values
        self._place = {arch: place for place, arch in enumerate(archs)}

    def __call__(self, arch: str) -> Row:
        """Returns the costs of an arch, or of that of a point, by column; none of an arch without any."""
        place = self._place.get(arch_of(arch))
        if place is None:
            return {}
        return dict(zip(self.columns, self.values[place].tolist(), strict=True))


def open_costs(texts: Sequence[str], names: Sequence[str], space: FiniteSpace) -> Costs:
    """Returns the costs `names`, which may be objectives of other kinds as well, from tables.

    Args:
        texts: `PATH` or `NAME=PATH` of each table.
        names: columns that are looked at; those with a colon are costs.
        space: whose archs they are of.

    Raises:
        UsageError: a table that cannot be used, two of one name, or a cost that none holds.
    """
    wanted = list(dict.fromkeys(name for name in names if ":" in name))
    if wanted and not texts:
        raise UsageError(
            f"The cost {wanted[0]} needs a table that holds it, got no --costs; give one, such as --costs "
            f"{wanted[0].partition(':')[0]}=TABLE."
        )
    tables: dict[str, CostTable] = {}
    for text in texts:
        table = CostTable(text, space)
        if table.name in tables:
            raise UsageError(
                f"Each table of costs must have a name of its own, got {table.name} twice; give --costs "
                "NAME=TABLE."
            )
        tables[table.name] = table
    held = {column: table for table in tables.values() for column in table.columns}
    for name in wanted:
        if name not in held:
            raise UsageError(unknown_name("cost", name, printable(held)))
    columns = [held[name].numbers(name) for name in wanted]
    archs = list(space)
    return Costs(wanted, np.column_stack(columns) if columns else np.empty((len(archs), 0)), archs)


def check_signs(objectives: Iterable[str], costs: Iterable[str]) -> None:
    """Checks that each cost among `objectives` is to be small.

    Args:
        objectives: as they were given, such as `-latency:pixel2`.
        costs: the names of the costs.

    Raises:
        UsageError: one would be maximised.
    """
    known = set(costs)
    for objective in objectives:
        if objective in known:
            raise UsageError(
                f"The cost {objective} must be small, and as an objective without a minus it would be "
                f"maximised; write -{objective}."
            )
