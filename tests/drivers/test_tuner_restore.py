"""A tuner of somebody's own that was killed goes on with `Tuner.restore`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from ray import tune

from nas_ray.drivers.beside_arch import BesideArch
from nas_ray.rows import Event
from tests.drivers.killed_tuner import NUM_SAMPLES, PARAM_SPACE, SNAPSHOT_S, Slow, new_searcher
from tests.drivers.test_plain_tuner import asked
from tests.searchers.toy import drive, value_of

ROOT = Path(__file__).parents[2]


def events_in(folder: Path) -> list[Event]:
    """Returns the events in the newest state of the searcher."""
    states = sorted(folder.glob("searcher-state-*.pkl"))
    return json.loads(states[-1].read_text(encoding="utf-8"))["events"] if states else []


def told(events: list[Event]) -> Counter[int]:
    return Counter(event["trial"] for event in events if event["event"] == "tell")


def wait_for(folder: Path, log: Path, process: subprocess.Popen[str]) -> None:
    """Waits until Tune has kept some trials, has lost some more, and is not about to write."""
    for _ in range(2400):
        time.sleep(0.05)
        assert process.poll() is None, process.communicate()
        states = sorted(folder.glob("searcher-state-*.pkl"))
        if states and 0.5 < time.time() - states[-1].stat().st_mtime < SNAPSHOT_S - 1:
            kept = len(told(events_in(folder)))
            if kept >= 2 and log.read_text().count("end") > kept:
                return
    raise AssertionError("the tuner did not get going")


@pytest.mark.slow(faster="test_a_search_that_was_killed_goes_on_exactly")
@pytest.mark.parametrize(("name", "in_flight"), [("rea", 1), ("nsga2", 2), ("optuna", 2)])
def test_a_killed_tuner_goes_on(ray_started: None, tmp_path: Path, name: str, in_flight: int) -> None:
    folder, log = tmp_path / "run", tmp_path / "log"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.drivers.killed_tuner", str(tmp_path), name, str(in_flight)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_for(folder, log, process)
    finally:
        process.kill()  # SIGKILL
        process.communicate()
    kept = events_in(folder)
    began = Counter(line.split()[1] for line in log.read_text().splitlines() if line.startswith("begin"))

    results = tune.Tuner.restore(str(folder), tune.with_parameters(Slow, log=str(log))).fit()

    events = events_in(folder)
    archs = {event["trial"]: event["arch"] for event in events if event["event"] == "ask"}
    assert events[: len(kept)] == kept
    assert len(results) == NUM_SAMPLES
    assert not results.num_errors
    assert set(told(events).values()) == {1}
    assert set(told(events)) == set(archs)
    after = Counter(line.split()[1] for line in log.read_text().splitlines() if line.startswith("begin"))
    known = {event["row"]["arch"] for event in kept if event["event"] == "tell"}
    lost = set(began) - known
    assert lost
    assert all(after[arch] > began[arch] for arch in lost & set(archs.values()))  # evaluated again
    assert all(after[arch] == 1 for arch in known)  # and nothing else

    drawn = BesideArch(PARAM_SPACE, "arch")
    for result in results:
        numbers = [number for number, arch in archs.items() if arch == result.config["arch"]]
        assert result.config["lr"] in [drawn.draw(0, number)["lr"] for number in numbers]
    if in_flight == 1:
        searcher = new_searcher(name)
        drive(searcher, len(archs), value=value_of)
        assert asked(searcher)[: len(archs)] == list(archs.values())
