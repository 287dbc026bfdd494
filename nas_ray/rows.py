"""The words of a row: which columns belong to whom, what a value may be, and copies for others."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Mapping
from typing import Any

LEADING = ("trial", "arch")
TRAILING = ("fitness", "seconds", "finished_at", "worker", "reused", "error")
"""The columns around the scores in the table of a search."""

EPOCHS = "epochs"
"""The epochs that an arch was trained for."""

TRAINING = (
    *("valid_acc", "train_acc", "valid_loss", "train_loss", "valid_acc_std"),
    *(EPOCHS, "seconds_per_epoch", "curve"),
)
"""What a short training adds to a row."""

GPU_MEMORY = "gpu_memory"
"""The share of a GPU's memory that a trial took, from 0 to 1; only where trials run on one."""

ACCURACY = (
    *("accuracy", "valid_acc", "test_acc", "acc_source"),
    *("benchmark_valid_acc", "benchmark_test_acc"),
)
"""What a benchmark adds."""

PLACES = ("run", "place", "index", "rank", "evaluation", "scored_as")
"""What reports and lists of the best add."""

COMPARISON = (
    *("label", "seeds", "test_acc_low", "test_acc_high"),
    *("behind", "behind_low", "behind_high"),
)
"""What a training adds to the archs that it compares."""

RESERVED = frozenset({*LEADING, *TRAILING, *TRAINING, GPU_MEMORY, *ACCURACY, *PLACES, *COMPARISON})
"""Columns that no score may be called, since they stand beside scores in some table."""

OF_ONE_TRIAL = frozenset({*LEADING, *TRAILING, GPU_MEMORY})
"""Columns that tell of one trial, and do not join the row of a later one of the same arch."""

OF_SECONDS = "_seconds"
"""How the column of the seconds of a score ends."""

_PLAIN = frozenset({str, int, float, bool, type(None)})


def copied(row: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a row of its own, for whoever may change it; values in it are copies as well."""
    own = dict(row)
    for name, value in row.items():
        if type(value) not in _PLAIN:
            own[name] = copy.deepcopy(value)
    return own


def scores_alone(row: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what a row says of its arch, for the row of a later trial: not what it says of its own."""
    return {name: value for name, value in row.items() if name not in OF_ONE_TRIAL}


def number(value: Any) -> float:
    """Returns a single real number as a float: Python's, numpy's, torch's, a Decimal or a Fraction.

    Raises:
        TypeError: it is none, or an array with another number of elements than one.
        OverflowError: it is too large for a float.
    """
    if hasattr(value, "item") and hasattr(value, "shape"):
        count = math.prod(value.shape)
        if count != 1:
            raise TypeError(f"got a {type(value).__name__} of shape {tuple(value.shape)}")
        value = value.item()
    if isinstance(value, (str, bytes, bytearray, memoryview, complex)) or not (
        hasattr(value, "__float__") or hasattr(value, "__index__")
    ):
        kind = "" if value is None else f" of type {type(value).__name__}"
        raise TypeError(f"got {shown(value)}{kind}")
    try:
        return float(value)
    except OverflowError as error:
        raise OverflowError(f"got a {type(value).__name__} that is too large for a float") from error


def shown(value: Any) -> str:
    """Returns a value in a few characters."""
    try:
        return " ".join(repr(value).split())[:80]
    except Exception:  # the text of a foreign value may fail
        return f"a {type(value).__name__}"


def plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a row whose values a journal can keep: texts, truth values, None, and floats or whole numbers.

    Numbers of other kinds become floats; lists and dicts of them stay as they are.

    Raises:
        TypeError: a value is nothing of that.
    """
    return {str(name): _plain(str(name), value) for name, value in row.items()}


def _plain(name: str, value: Any) -> Any:
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    if value is None or type(value) in (str, bool, float):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return int(value)
    try:
        if isinstance(value, (list, tuple, dict)):
            json.dumps(value)
            return value
        return number(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise TypeError(
            f"the column {name!r} of a row must be a number, a text, a truth value or None, but {error}"
        ) from error


Row = dict[str, Any]
"""One evaluated arch: `arch`, one value per score, `seconds`, `error`."""


Event = dict[str, Any]
"""`{"event": "ask", "trial": int, "arch": str}` or `{"event": "tell", "trial": int, "row": Row}`."""
