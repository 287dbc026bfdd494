"""The archs that a user wants: a whole space, a file, or a seeded sample of either."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.scoring_run import choose_archs
from nas_ray.spaces.base import FiniteSpace
from nas_ray.tables import read_table

TABLES = (".csv", ".csv.gz", ".parquet")
"""Endings of files that are read as a table with a column `arch`; any other is read as text."""


def wanted_archs(space: FiniteSpace, path: Path | None, count: int, *, seed: int) -> tuple[list[str], int]:
    """Returns different archs of `space`, and how many repeats were left out.

    Args:
        space: where they come from.
        path: a file of archs: text with one per line, or a table with a column `arch`; None for all.
        count: size of a sample in a seeded order; 0 means all, in the order of the file or of the space.
        seed: of the sample.

    Raises:
        UsageError: the file cannot be read, holds none or foreign archs, or fewer than `count`.
    """
    if path is None:
        return choose_archs(space, count, seed=seed), 0
    listed = _checked(_read(path), space, path)
    archs = list(dict.fromkeys(listed))
    if not 0 <= count <= len(archs):
        raise UsageError(
            f"--num-archs must be from 0 to {len(archs)}, the different archs in {path}, got {count}."
        )
    if count:
        order = np.random.default_rng(seed).choice(len(archs), size=count, replace=False)
        return [archs[i] for i in order], len(listed) - len(archs)
    return archs, len(listed) - len(archs)


def _read(path: Path) -> list[object]:
    """Returns the entries of a file, blank lines of a text left out."""
    try:
        if not path.name.endswith(TABLES):
            return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        table = read_table(path)
    except Exception as error:  # whatever a reader may raise on any bytes
        said = " ".join(str(error).split())[:200]
        raise UsageError(
            f"--archs must be a text file with one arch per line, or a table ({', '.join(TABLES)}) with a "
            f"column 'arch'; {path} cannot be read: {said}."
        ) from error
    if "arch" not in table:
        held = ", ".join(map(str, table.columns)) or "none"
        raise UsageError(f"The table {path} must have a column 'arch', and its columns are: {held}.")
    return list(table["arch"])


def _checked(listed: Sequence[object], space: FiniteSpace, path: Path) -> list[str]:
    if not listed:
        raise UsageError(f"--archs must name a file with at least one arch, and {path} holds none.")
    foreign = [(number, arch) for number, arch in enumerate(listed, 1) if arch not in space]
    if foreign:
        number, arch = foreign[0]
        got = " ".join(repr(arch).split())[:200]
        raise UsageError(
            f"The file {path} must hold archs of the space only, but {len(foreign)} of {len(listed)} are "
            f"not, the first being number {number}, {got}; an arch there reads {next(iter(space))}."
        )
    return [str(arch) for arch in listed]
