"""The archs that a user wants: a whole space, a file, or a seeded sample of either."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nas_ray.errors import UsageError, printable
from nas_ray.rows import FOUND, final_arch
from nas_ray.safe_files.stored_numbers import StoredTable
from nas_ray.safe_files.tables import ARCH, ENDINGS, read_lines, table_ending
from nas_ray.spaces.base import FiniteSpace
from nas_ray.spaces.choice import choose_archs


def wanted_archs(space: FiniteSpace, path: Path | None, count: int, *, seed: int) -> tuple[list[str], int]:
    """Returns different archs of `space`, and how many repeats were left out.

    Args:
        space: where they come from.
        path: a file of archs: a table with a column `arch` (or `found`, which counts) if its name ends as one
            of a table, else text with one per line; None for all.
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
        if table_ending(path) is None:
            return list(read_lines(path))
        table = StoredTable.read(path)
    except Exception as error:  # whatever a reader may raise on any bytes
        said = " ".join(str(error).split())[:200]
        raise UsageError(
            f"--archs must be a text file with one arch per line, or a table ({', '.join(ENDINGS)}) with a "
            f"column 'arch'; {path} cannot be read: {said}."
        ) from error
    if ARCH not in table.names:
        held = ", ".join(printable(table.names)) or "none"
        raise UsageError(f"The table {path} must have a column 'arch', and its columns are: {held}.")
    archs = table.archs()
    if FOUND not in table.names:
        return archs
    founds = table.column(FOUND)
    return [final_arch({ARCH: arch, FOUND: found}) for arch, found in zip(archs, founds, strict=True)]


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
