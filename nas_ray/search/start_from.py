"""`--start-from`: the rows of an earlier run or of a table, which a search is told before it begins."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nas_ray.errors import UsageError, describe
from nas_ray.images.identity import IMAGES
from nas_ray.rows import Row, records
from nas_ray.runs.folder import JOURNAL, read_run
from nas_ray.runs.journal import read_journal, rows_of
from nas_ray.runs.kinds import check_start
from nas_ray.safe_files.tables import read_table
from nas_ray.search.argument_groups import EstimateArgs
from nas_ray.search.arguments import SearchArgs
from nas_ray.search.base import MINIBATCH
from nas_ray.search.estimation import OWN, SUPERNET
from nas_ray.searchers.base import ArchSearcher

TABLES = ("results.parquet", "scores.parquet")
WHICH = {
    *("proxies", "fitness", "space", "batch_size", "batch_seed", "archs_per_trial", "own_weights"),
    *("scheduler", "grace_epochs", "reduction_factor", "max_latency_ms", "max_memory_mib"),
}
"""Arguments of an estimate that leave a score what it is, or of which `run.json` tells what counts."""


def start_from(searcher: ArchSearcher, args: SearchArgs, seen: Mapping[str, str], weights: str | None) -> str:
    """Tells a new searcher the rows of `args.start_from` that fit, and returns what is said of it.

    Args:
        searcher: which has not begun.
        args: of the search.
        seen: hashes of what archs are judged on.
        weights: that scores are computed with, as `run.json` names them.

    Raises:
        UsageError: no run or table, scores of other images or settings, or no row that fits.
    """
    place = Path(str(args.start_from))
    check_start(place)
    if place.is_dir():
        info = read_run(place)
        if others := _differences(info, args, seen, weights):
            raise UsageError(
                f"The rows of {place} do not fit, since they were made with {'; '.join(others)}; start from "
                "another run, or make this search like that one."
            )
        rows, trust = _rows_of_run(place), ""
    else:
        rows, trust = _rows_of_table(place), "; that they were computed as here is taken on trust"
    taken = searcher.add(rows)
    if not taken.told:
        raise UsageError(
            f"No row of {place} fits this search: {taken.reasons or 'it has none'}; start from another one."
        )
    return f"{taken.told_of(place)}{trust}"


def _rows_of_run(folder: Path) -> list[Row]:
    """Returns the rows of a run, as they were computed if it has a journal."""
    if (folder / JOURNAL).is_file():
        return rows_of(read_journal(folder / JOURNAL))
    for name in TABLES:
        if (folder / name).is_file():
            return _rows_of_table(folder / name)
    raise UsageError(
        f"A search starts from a run with {JOURNAL}, {' or '.join(TABLES)}, and {folder} has none; give "
        "another folder, or a table."
    )


def _rows_of_table(path: Path) -> list[Row]:
    try:
        table = read_table(path)
    except Exception as error:  # whatever a reader may raise on any bytes
        raise UsageError(f"--start-from: {path} cannot be read as a table: {describe(error)}") from error
    if "arch" not in table:
        held = ", ".join(map(str, table.columns))
        raise UsageError(f"--start-from: {path} must have a column arch, and its columns are: {held}.")
    return records(table)


def _differences(
    info: Mapping[str, Any], args: SearchArgs, seen: Mapping[str, str], weights: str | None
) -> list[str]:
    """Returns in which ways a run computed other scores than this search does."""
    made = info.get("args")
    if not isinstance(made, dict):  # of a scored space, which says it of itself
        made = {name: info[name] for name in ("init_seed", "space") if name in info}
    said = [
        f"--{name.replace('_', '-')} {made[name]} instead of {getattr(args, name)}"
        for name in _judged_by()
        if name in made and made[name] != getattr(args, name)
    ]
    theirs = _weights_of(info)
    if None not in (theirs, weights) and theirs != weights:
        said.append("the weights of " + ("one supernet" if theirs == SUPERNET else "nets of their own"))
    what = {MINIBATCH: "another minibatch", IMAGES: "other images"}
    return said + [
        words for key, words in what.items() if key in seen and info.get(key, seen[key]) != seen[key]
    ]


def _weights_of(info: Mapping[str, Any]) -> str | None:
    """Returns whose weights a run has scored with, None where none is known.

    A search of before does not say it: several archs per trial were on a supernet.
    """
    made = info.get("args")
    if "weights" in info or not isinstance(made, dict):
        return info.get("weights")
    return SUPERNET if (made.get("archs_per_trial") or 1) > 1 else OWN


def _judged_by() -> list[str]:
    return [field.name for field in dataclasses.fields(EstimateArgs) if field.name not in WHICH]
