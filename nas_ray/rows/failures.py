"""What went wrong in an evaluation: a sentence for people, and a kind for whoever decides."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

ERROR, ERROR_KIND = "error", "error_kind"
"""What went wrong in an evaluation, for people, and of which kind it was, for whoever decides."""

OUT_OF_MEMORY = "out_of_memory"
"""Memory, of the machine or of a GPU, did not suffice."""
WORKER_DIED = "worker_died"
"""The process of the trial ended; want of memory is the usual cause."""
TIMED_OUT = "timed_out"
"""The trial took longer than it may."""
DIVERGED = "diverged"
"""The loss of a training was no number any more."""
RAISED = "raised"
"""A proxy, a space or an evaluator raised anything else."""
OVER_LIMIT = "over_limit"
"""A measured cost was above its limit."""
UNDEFINED = "undefined"
"""A score is NaN or infinite, or a proxy did not give it."""

ERROR_KINDS = (OUT_OF_MEMORY, WORKER_DIED, TIMED_OUT, DIVERGED, RAISED, OVER_LIMIT, UNDEFINED)
"""What `error_kind` may be; of several failures in one row it is the one that comes first here."""

_TOLD = {
    OUT_OF_MEMORY: "out of memory",
    WORKER_DIED: "^the worker died ",
    TIMED_OUT: "^timed out after ",
    DIVERGED: "^the training diverged in epoch ",
    OVER_LIMIT: "^[^:]+ is above the limit ",
    UNDEFINED: r"^[^:]+ is (nan|-?inf)$|^[^ ]+: gave no ",
}
"""How rows without `error_kind` tell a kind in one entry of `error`."""


class Failure(NamedTuple):
    """Something that went wrong in an evaluation.

    Attributes:
        said: a sentence for people, an entry of `error`.
        kind: one of `ERROR_KINDS`.
    """

    said: str
    kind: str


def failed(failures: Sequence[Failure]) -> dict[str, Any]:
    """Returns the columns of a row that tell of `failures`: where there are none, `error` alone, as None."""
    if not failures:
        return {ERROR: None}
    return {
        ERROR: "; ".join(failure.said for failure in failures),
        ERROR_KIND: _gravest(failure.kind for failure in failures),
    }


def error_kind_of(row: Mapping[str, Any]) -> str | None:
    """Returns of what kind the failure of a row is, one of `ERROR_KINDS`; None of a row without `error`.

    Rows of earlier versions, and of evaluators of others, have a text alone: here, and nowhere else, it is
    read.
    """
    said = row.get(ERROR)
    if not said:
        return None
    kind = row.get(ERROR_KIND)
    if isinstance(kind, str) and kind in ERROR_KINDS:
        return kind
    return _gravest(_told(entry) for entry in str(said).split("; "))


def with_error_kind(row: dict[str, Any]) -> dict[str, Any]:
    """Returns a row that has `error_kind` if it has an `error`."""
    kind = error_kind_of(row)
    return row if kind is None else {**row, ERROR_KIND: kind}


def _told(entry: str) -> str:
    return next((kind for kind, words in _TOLD.items() if re.search(words, entry)), RAISED)


def _gravest(kinds: Iterable[str]) -> str:
    return min(kinds, key=ERROR_KINDS.index)
