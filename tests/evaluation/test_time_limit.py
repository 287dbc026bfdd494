"""Evaluations that take too long."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nas_ray.drivers.tune_search import tune_search
from nas_ray.process.time_limit import LONGEST_S, TimedOut, time_limit
from nas_ray.searchers import Row, Single
from nas_ray.searchers.given import GivenArchs
from nas_ray.shared_weights.chunk_scores import attempt
from nas_ray.spaces import NatsTss

SPACE = NatsTss()
ARCHS = SPACE.archs[:4]


def test_the_longest_limit_works() -> None:
    with time_limit(1_000_000 * LONGEST_S):  # of a chunk of archs
        left = signal.getitimer(signal.ITIMER_REAL)[0]
    assert left > 0.99 * LONGEST_S
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def slow(arch: str, report: Callable[[Row], None]) -> None:
    """Hangs for one arch in Python, where a careless proxy swallows every exception."""
    while arch == ARCHS[1]:
        try:
            time.sleep(60)
        except Exception:
            continue
    report({"x": 1.0, "seconds": 0.0, "error": None})


def stuck(arch: str, report: Callable[[Row], None]) -> None:
    """Hangs for one arch in foreign code that holds the interpreter's lock and hears no signal."""
    if arch == ARCHS[1]:
        sum(range(10**14))
    report({"x": 1.0, "seconds": 0.0, "error": None})


def test_the_body_is_ended_and_the_signal_given_back() -> None:
    with pytest.raises(TimedOut, match=r"timed out after 0\.1 s"), time_limit(0.1):
        time.sleep(30)
    with time_limit(0.1):
        pass
    time.sleep(0.2)  # nothing comes any more


def test_no_limit_is_no_limit() -> None:
    with time_limit(None):
        time.sleep(0.01)


def test_a_timed_out_arch_is_a_row_and_the_others_of_its_chunk_are_kept() -> None:
    rows = attempt(slow, ARCHS, 0.2)
    assert [row["error"] for row in rows] == [None, "timed out after 0.2 s", None, None]
    assert [row.get("error_kind") for row in rows] == [None, "timed_out", None, None]
    assert rows[1]["seconds"] >= 0.2


def test_foreign_code_takes_its_process_with_it() -> None:
    code = (
        "from nas_ray.process import time_limit as t; t.LEAST_GRACE_S = 0.1\n"
        "with t.time_limit(0.2): sum(range(10**14))"
    )
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    assert done.returncode == 1
    assert time.monotonic() - start < 30


@pytest.mark.parametrize(
    ("evaluate", "said"),
    [
        (slow, "timed out after 1 s"),
        pytest.param(
            *(stuck, "worker died"),
            marks=pytest.mark.slow(faster="test_foreign_code_takes_its_process_with_it"),
        ),
    ],
)
def test_a_search_goes_on_past_a_trial_that_hangs(
    evaluate: Callable[..., None], said: str, ray_started: None, tmp_path: Path
) -> None:
    searcher = GivenArchs(SPACE, fitness=Single(("x",)), archs=ARCHS)
    table = tune_search(searcher, evaluate, folder=tmp_path, max_concurrent=2, trial_timeout_s=1.0)
    errors = table.set_index("arch")["error"]
    assert said in errors[ARCHS[1]]
    assert errors.drop(ARCHS[1]).isna().all()
