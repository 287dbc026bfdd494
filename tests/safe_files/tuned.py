"""Folders and tables of a Tuner of Ray from elsewhere."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from nas_ray.report.html_report import write_report
from tests.report.tuned import make_tuned, trial
from tests.safe_files.cases import GARBAGE, Case, case, hostile_pickle

STATE = "experiment_state-2025-01-01_10-00-00.json"


def state(title: str, content: bytes) -> None:
    @case(f"Tuner: a state that is {title}")
    def make(folder: Path) -> Case:
        (folder / STATE).write_bytes(content)
        (folder / "tuner.pkl").write_bytes(hostile_pickle(folder))
        return Case(lambda: write_report([folder]), str(folder))


def whole(entry: object) -> bytes:
    return json.dumps({"trial_data": [entry]}).encode()


state("empty", b"")
state("garbage", GARBAGE)
state("a list", b"[]")
state("nested a hundred thousand deep", b'{"trial_data": ' + b"[" * 100_000)
state("a trial that is text", whole("ab"))
state("a trial of numbers", whole([1, 2]))
state("a trial nested a hundred thousand deep", whole(["[" * 100_000, "{}"]))
state("a result that is a list", whole(["{}", '{"last_result": [1]}']))
state("a time that is text", whole(["{}", '{"last_result": {"timestamp": "now", "x": 1}}']))


def made(title: str, says: str) -> Callable[[Callable[[Path], None]], None]:
    def add(change: Callable[[Path], None]) -> None:
        @case(f"Tuner: {title}")
        def make(folder: Path) -> Case:
            (folder / "tuner.pkl").write_bytes(hostile_pickle(folder))
            change(folder)
            return Case(lambda: write_report([folder]), says)

    return add


@made("a state that is a FIFO", STATE)
def _(folder: Path) -> None:
    os.mkfifo(folder / STATE)


@made("no number but pickles in JSON", "A report needs a column of numbers")
def _(folder: Path) -> None:
    pickled = {"_type": "CLOUDPICKLE_FALLBACK", "value": hostile_pickle(folder).hex()}
    make_tuned(folder, [trial(0, {"arch": "a"}, {"x": pickled, "y": [pickled]})])


@case("Tuner: a table that is a pickle")
def _(folder: Path) -> Case:
    (folder / "results.csv").write_bytes(hostile_pickle(folder))
    return Case(lambda: write_report([folder / "results.csv"]), "results.csv")


@case("Tuner: a table of Parquet that is a pickle")
def _(folder: Path) -> Case:
    (folder / "results.parquet").write_bytes(hostile_pickle(folder))
    return Case(lambda: write_report([folder / "results.parquet"]), "results.parquet")
