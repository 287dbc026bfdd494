"""The words of a row: which columns belong to whom, what a value may be, and copies for others."""

from __future__ import annotations

import copy
import json
import math
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nas_ray.rows.failures import DIVERGED as DIVERGED
from nas_ray.rows.failures import ERROR as ERROR
from nas_ray.rows.failures import ERROR_KIND as ERROR_KIND
from nas_ray.rows.failures import ERROR_KINDS as ERROR_KINDS
from nas_ray.rows.failures import OUT_OF_MEMORY as OUT_OF_MEMORY
from nas_ray.rows.failures import OVER_LIMIT as OVER_LIMIT
from nas_ray.rows.failures import RAISED as RAISED
from nas_ray.rows.failures import TIMED_OUT as TIMED_OUT
from nas_ray.rows.failures import UNDEFINED as UNDEFINED
from nas_ray.rows.failures import WORKER_DIED as WORKER_DIED
from nas_ray.rows.failures import Failure as Failure
from nas_ray.rows.failures import error_kind_of as error_kind_of
from nas_ray.rows.failures import failed as failed
from nas_ray.rows.failures import with_error_kind as with_error_kind

if TYPE_CHECKING:  # commands answer before it is imported
    import pandas as pd

LEADING = ("trial", "arch")
FOUND = "found"
"""The arch that a trial found, where its `arch` is a method and its setting, such as `darts,seed=3`."""

TRAILING = ("fitness", "seconds", "finished_at", "worker", "reused", ERROR, ERROR_KIND)
"""The columns around the scores in the table of a search."""

EPOCHS = "epochs"
"""The epochs that an arch was trained for."""

VALID_ACC, VALID_NATS = "valid_acc", "valid_nats"
TRAINED = (VALID_ACC, VALID_NATS)
"""What says how good a trained arch is, on images and on a text."""

TRAINING = (
    *("valid_acc", "train_acc", "valid_loss", "train_loss", "valid_acc_std"),
    *("valid_nats", "train_nats", "valid_perplexity", "valid_nats_std"),
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

PLACES = ("run", "place", "index", "rank", "evaluation", "scored_as", "shown")
"""What reports and lists of the best add."""

COMPARISON = (
    *("label", "seeds", "test_acc_low", "test_acc_high"),
    *("behind", "behind_low", "behind_high"),
)
"""What a training adds to the archs that it compares."""

TRAJECTORY = "trajectory"
"""The course of a one-shot search as a text, for its files; no table has it."""

GIVEN = "given"
"""True in a row that a search was given before it began, and did not evaluate itself."""

RESERVED = frozenset(
    {*LEADING, FOUND, *TRAILING, *TRAINING, GPU_MEMORY, *ACCURACY, *PLACES, *COMPARISON, GIVEN, TRAJECTORY}
)
"""Columns that no score may be called, since they stand beside scores in some table."""

OF_ONE_TRIAL = frozenset({*LEADING, *TRAILING, GPU_MEMORY, GIVEN})
"""Columns that tell of one trial, and do not join the row of a later one of the same arch."""

MEASURED = ("seconds", "finished_at")
"""Columns that are numbers in every row."""

OF_SECONDS = "_seconds"
"""How the column of the seconds of a score ends."""

_PLAIN = frozenset({str, int, float, bool, type(None)})


def final_arch(row: Mapping[Any, Any]) -> str:
    """Returns the arch that a row is built, looked up and drawn as: what its trial found, else `arch`."""
    found = row.get(FOUND)
    return found if isinstance(found, str) and found else str(row["arch"])


def final_archs(rows: pd.DataFrame) -> pd.Series[Any]:
    """Returns `final_arch` of all rows of a table."""
    if FOUND not in rows:
        return rows["arch"]
    known = rows[FOUND].map(lambda found: isinstance(found, str) and bool(found))
    return rows["arch"].astype(object).mask(known.astype(bool), rows[FOUND].astype(object))


FIRST = (
    *("arch", "config/arch", FOUND, "accuracy", "test_acc", "benchmark_test_acc"),
    *("valid_acc", "benchmark_valid_acc", "benchmark_rank"),
)
"""What a table shows first, as a print of a wide one leaves out its middle."""


def arch_first(table: pd.DataFrame) -> pd.DataFrame:
    """Returns a table with arch and accuracy as its first columns; the others keep their order."""
    first = [name for name in FIRST if name in table]
    return table[[*first, *(name for name in table if name not in first)]]


def given_in(table: pd.DataFrame) -> int:
    """Returns how many rows of a table its search was given; they come first."""
    return int(table[GIVEN].eq(True).sum()) if GIVEN in table else 0


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Returns the rows of a table, with None for what is missing."""
    known = table.astype(object).where(table.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in known.to_dict("records")]


def copied(row: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a row of its own, for whoever may change it; values in it are copies as well."""
    own = dict(row)
    if _PLAIN.issuperset(map(type, row.values())):
        return own
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


def encodable(text: str) -> str:
    r"""Returns `text` as UTF-8 can hold it: a byte of a name that is not UTF-8 becomes `\xe9` or alike."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        try:
            return os.fsencode(text).decode("utf-8", "backslashreplace")
        except UnicodeEncodeError:  # half of a character, which is no byte of a name
            return text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text


def plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a row whose values a journal can keep: texts, truth values, None, and floats or whole numbers.

    Numbers of other kinds become floats; lists and dicts of them become JSON.

    Raises:
        TypeError: a value is nothing of that, or seconds are no number.
    """
    return {encodable(str(name)): _plain(str(name), value) for name, value in row.items()}


def _plain(name: str, value: Any) -> Any:
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    if name in MEASURED and (value is None or isinstance(value, (str, bool))):
        raise TypeError(f"the column {name!r} of a row must be a number, but got {shown(value)}")
    if value is None or type(value) in (bool, float):
        return value
    if isinstance(value, str):
        return encodable(str(value))
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return int(value)
    try:
        if isinstance(value, (list, tuple, dict)):
            return json.dumps(value)
        return number(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise TypeError(
            f"the column {name!r} of a row must be a number, a text, a truth value or None, but {error}"
        ) from error


Row = dict[str, Any]
"""One evaluated arch: `arch`, one value per score, `seconds`, `error`, and where it failed `error_kind`."""


Event = dict[str, Any]
"""`{"event": "ask", "trial": int, "arch": str}`, `{"event": "tell", "trial": int, "row": Row}`, or `given`
instead of `tell`: a row of a search that began with it, whose `trial` is negative."""
