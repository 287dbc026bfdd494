"""Evaluating the archs of one trial: together where the evaluator can, else one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import cast

from nas_ray.errors import failure
from nas_ray.evaluation.base import ChunkEvaluator, Evaluator
from nas_ray.process.foreign_code import Contained, around, is_ours
from nas_ray.process.time_limit import TimedOut, time_limit
from nas_ray.rows import TIMED_OUT, Failure, Row, copied, failed, plain_row


def evaluate(evaluator: Evaluator, archs: Sequence[str]) -> list[Row]:
    """Returns a row per arch, in the order given, as copies; whatever the evaluator raises is raised."""
    if hasattr(evaluator, "rows"):  # many times faster than to ask for the protocol
        return [copied(row) for row in cast(ChunkEvaluator, evaluator).rows(archs)]
    return [_row(evaluator, arch) for arch in archs]


def attempt(evaluator: Evaluator, archs: Sequence[str], timeout_s: float | None = None) -> list[Row]:
    """Returns a row per arch, whatever is raised; what fails as a whole is tried again arch by arch.

    Args:
        evaluator: what turns archs into rows.
        archs: what to evaluate.
        timeout_s: seconds for each arch; all together may take their sum.
    """
    surroundings = Contained if is_ours(evaluator) else around(evaluator)

    def evaluated(archs: Sequence[str]) -> list[Row]:
        with time_limit(None if timeout_s is None else timeout_s * len(archs)), surroundings():
            rows = evaluate(evaluator, archs)
        return [plain_row(row) for row in rows]

    return rows_of(evaluated, archs)


def rows_of(evaluated: Callable[[Sequence[str]], list[Row]], archs: Sequence[str]) -> list[Row]:
    """Returns what `evaluated` makes of archs, and where it raises, failed rows of them one by one."""
    start = time.perf_counter()
    try:
        rows = evaluated(archs)
        if len(rows) != len(archs):
            raise ValueError(f"an evaluator must return a row per arch, got {len(rows)} for {len(archs)}.")
        return rows
    except Exception as error:
        row: Row = {"seconds": 0.0, **failed([failure(error)])}
    except TimedOut as error:
        row = {"seconds": time.perf_counter() - start, **failed([Failure(str(error), TIMED_OUT)])}
    if len(archs) == 1:
        return [row]
    return [rows_of(evaluated, [arch])[0] for arch in archs]


def _row(evaluator: Evaluator, arch: str) -> Row:
    reported: list[Row] = []
    evaluator(arch, lambda row: reported.append(copied(row)))
    if not reported:
        raise ValueError("an evaluator must report a row, and it returned without.")
    return reported[-1]
