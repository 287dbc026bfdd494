"""All tables by name."""

from __future__ import annotations

from nas_ray.errors import UsageError, unknown_name
from nas_ray.reproduce import lcmnas, papers, proxy_project, skip_project
from nas_ray.reproduce.tables import Table

TABLES: dict[str, Table] = {
    table.name: table
    for table in (*skip_project.TABLES, *proxy_project.TABLES, *papers.TABLES, *lcmnas.TABLES)
}

ALL = "all"


def chosen(name: str) -> list[Table]:
    """Returns the table called `name`, or those that one file of scores is enough for, for `all`.

    Raises:
        UsageError: no such table; the message has the nearest match.
    """
    if name == ALL:
        return [table for table in TABLES.values() if table.in_all]
    if not name:
        raise UsageError(f"A table must be named, got none; --list shows them, and {ALL} runs all.")
    if name not in TABLES:
        raise UsageError(unknown_name("table", name, [*TABLES, ALL]))
    return [TABLES[name]]
