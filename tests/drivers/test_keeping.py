"""A searcher with a network inside is killed and goes on from its kept state, equal to one that was not."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nas_ray.drivers import keeping
from nas_ray.drivers.keeping import STATE, STATE_BEFORE, keeper_of, read_kept, replay_run
from nas_ray.drivers.simulation import simulate
from nas_ray.drivers.tune_search import tune_search
from nas_ray.errors import UsageError
from nas_ray.rows import Event, Row
from nas_ray.runs.journal import FILE_NAME, Journal, read_journal
from nas_ray.searchers import ArchSearcher, RandomSearch, Single
from nas_ray.testing.driving import value_of
from tests.searchers.controller import Controller
from tests.searchers.toy import Grid

TOTAL = 20
EVENTS = 2 * TOTAL


class Killed(BaseException):
    """Stands for SIGKILL: nothing of what follows an event in the journal happens."""


def new(kind: type[ArchSearcher] = Controller) -> Any:
    return kind(Grid(), fitness=Single(("x",)))


def run(searcher: ArchSearcher, folder: Path, *, kill_after: int | None = None, in_flight: int = 1) -> None:
    """Runs a search to its end, or to its event number `kill_after`, as drivers do."""
    folder.mkdir(exist_ok=True)
    with contextlib.closing(Journal(folder / FILE_NAME)) as journal:

        def observe(event: Event) -> None:
            journal.append(event)
            if len(searcher.events) == kill_after:
                raise Killed

        searcher.attach(
            observer=observe, stop=lambda: searcher.num_asked >= TOTAL, **keeper_of(searcher, folder)
        )
        out: list[tuple[str, str]] = []
        number = 0
        while True:
            while len(out) < in_flight and isinstance(config := searcher.suggest(f"t{number}"), dict):
                out.append((f"t{number}", config["arch"]))
                number += 1
            if not out:
                return
            trial, arch = out.pop(0)
            searcher.on_trial_complete(trial, {"x": value_of(arch)})


def resumed(folder: Path, kind: type[ArchSearcher] = Controller) -> Any:
    searcher = new(kind)
    replay_run(searcher, folder)
    return searcher


def weights(searcher: Controller) -> list[torch.Tensor]:
    return list(searcher.net.state_dict().values())


def assert_equal(first: Controller, second: Controller) -> None:
    assert first.events == second.events
    assert first.history == second.history
    assert all(torch.equal(*pair) for pair in zip(weights(first), weights(second), strict=True))
    assert first.optimizer.state_dict()["state"][0]["exp_avg"].equal(
        second.optimizer.state_dict()["state"][0]["exp_avg"]
    )
    assert first.baseline == second.baseline
    assert first.rng.bit_generator.state == second.rng.bit_generator.state


def tells(events: list[Event]) -> int:
    return sum(event["event"] == "tell" for event in events)


@pytest.fixture
def whole(tmp_path: Path) -> Controller:
    searcher: Controller = new()
    run(searcher, tmp_path / "whole")
    assert searcher.steps_made == TOTAL
    assert len({event["arch"] for event in searcher.events if "arch" in event}) > 5
    return searcher


def killed(folder: Path, after: int, **options: Any) -> Path:
    with pytest.raises(Killed):
        run(new(), folder, kill_after=after, **options)
    return folder


@pytest.mark.parametrize("after", [1, 7, 8, 9, 16, 23, 24, 31, 39])
def test_killed_after_any_event_it_goes_on_equally_and_repeats_the_last_steps_alone(
    after: int, whole: Controller, tmp_path: Path
) -> None:
    folder = killed(tmp_path / "run", after)
    kept = (after - 1) // 8 * 8  # the event at which it was killed was not taken
    assert (folder / STATE).exists() == (kept > 0)
    searcher = resumed(folder)
    events = read_journal(folder / FILE_NAME)
    assert searcher.steps_made == tells(events[kept:])
    assert searcher.num_asked == len(events) - tells(events)
    run(searcher, folder)
    assert_equal(searcher, whole)
    assert searcher.steps_made == tells(whole.events[kept:])


def test_with_several_in_flight(tmp_path: Path) -> None:
    whole = new()
    run(whole, tmp_path / "whole", in_flight=3)
    folder = killed(tmp_path / "run", 29, in_flight=3)
    searcher = resumed(folder)
    assert searcher.steps_made == tells(read_journal(folder / FILE_NAME)[24:])
    plain = new()
    plain.replay(read_journal(folder / FILE_NAME))
    assert_equal(searcher, plain)
    assert [searcher.suggest(name) for name in "abc"] == [plain.suggest(name) for name in "abc"]


def test_a_run_of_before_without_a_state_is_replayed(whole: Controller, tmp_path: Path) -> None:
    folder = killed(tmp_path / "run", 20)
    for name in (STATE, STATE_BEFORE):
        (folder / name).unlink(missing_ok=True)
    searcher = resumed(folder)
    assert searcher.steps_made == tells(read_journal(folder / FILE_NAME))
    run(searcher, folder)
    assert_equal(searcher, whole)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def changed(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def linked(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def other(path: Path) -> None:
    path.write_bytes(b"no file of numpy" * 9)


def pickled(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, plan=np.array([{}], dtype=object))


@pytest.mark.parametrize("damage", [cut, changed, emptied, other, linked, pickled])
def test_a_damaged_state_is_told_in_a_line_and_not_used(
    damage: Callable[[Path], None], whole: Controller, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = killed(tmp_path / "run", 12)
    damage(folder / STATE)
    searcher = resumed(folder)
    said = capsys.readouterr().err.strip()
    assert said.startswith(f"The state {folder / STATE} of the searcher is not used (")
    assert said.endswith("all of the search is replayed.")
    assert "\n" not in said
    assert "pickle" not in said
    assert searcher.steps_made == tells(read_journal(folder / FILE_NAME))
    run(searcher, folder)
    assert_equal(searcher, whole)


def test_a_state_newer_than_the_journal_gives_way_to_the_one_before(
    whole: Controller, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = killed(tmp_path / "run", 36)
    lines = (folder / FILE_NAME).read_bytes().splitlines(keepends=True)
    (folder / FILE_NAME).write_bytes(b"".join(lines[:30]))  # as a storage may hold it
    searcher = resumed(folder)
    assert capsys.readouterr().err.strip() == (
        f"The state {folder / STATE} of the searcher is not used (it does not fit the journal); an earlier "
        "one is used."
    )
    assert searcher.steps_made == tells(whole.events[24:30])
    run(searcher, folder)
    assert_equal(searcher, whole)


def test_a_state_of_another_run_or_searcher_is_not_used(
    whole: Controller, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Other(Controller):
        pass

    folder = killed(tmp_path / "run", 12)
    other = resumed(folder, Other)
    assert "it is the state of Controller" in capsys.readouterr().err
    assert other.steps_made == tells(read_journal(folder / FILE_NAME))
    elsewhere = Controller(Grid(), fitness=Single(("x",)), seed=1)
    run(elsewhere, tmp_path / "elsewhere")
    (folder / STATE).write_bytes((tmp_path / "elsewhere" / STATE).read_bytes())
    assert_equal(resumed(folder), other)
    assert "it does not fit the journal" in capsys.readouterr().err


class Stumbles(Controller):
    """Fails when its state is half loaded."""

    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(state)
        raise RuntimeError("a layer is missing")


def test_a_state_that_does_not_load_leaves_the_searcher_as_new(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = new(Stumbles)
    run(whole, tmp_path / "whole")
    folder = tmp_path / "run"
    with pytest.raises(Killed):
        run(new(Stumbles), folder, kill_after=12)
    searcher = resumed(folder, Stumbles)
    assert "RuntimeError: a layer is missing" in capsys.readouterr().err
    run(searcher, folder)
    assert_equal(searcher, whole)
    assert searcher.steps_made == TOTAL


class Unkept(Controller):
    """Its state holds what no file can."""

    def state(self) -> dict[str, Any]:
        return {"known": [1, {2, 3}]}


def test_a_state_that_cannot_be_kept_is_told_before_anything_is_evaluated(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        run(new(Unkept), tmp_path / "run")
    assert str(caught.value) == (
        "A state must be made of texts, numbers, truth values, None, lists, tuples, dicts, arrays and "
        "tensors, but it['state']['known'][1] is a set; turn it into one of these."
    )
    assert read_journal(tmp_path / "run" / FILE_NAME) == []


class Forgets(Controller):
    """Has no state any more after some steps."""

    def state(self) -> dict[str, Any]:
        if self.steps_made > 10:
            raise RuntimeError("no memory")
        return super().state()


def test_where_no_state_can_be_kept_any_more_the_search_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    searcher = new(Forgets)
    run(searcher, tmp_path / "run")
    assert len(searcher.history) > 0
    assert searcher.num_asked == TOTAL
    said = capsys.readouterr().err.strip()
    assert said.startswith("The state of the searcher is not kept any more (RuntimeError: no memory); ")
    assert "\n" not in said
    kept, events = read_kept(tmp_path / "run" / STATE, searcher.events)
    assert (len(events), kept.searcher) == (16, "Forgets")


def test_a_run_whose_state_cannot_be_kept_any_more_is_resumed(tmp_path: Path) -> None:
    searcher = resumed(killed(tmp_path / "run", 7), Unkept)  # its code is another one now
    run(searcher, tmp_path / "run")
    assert searcher.num_asked == TOTAL


def test_a_full_disk_does_not_end_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(path: Path, write: Callable[[Path], Any]) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keeping, "write_atomically", full)
    searcher = new()
    run(searcher, tmp_path / "run")
    assert searcher.num_asked == TOTAL
    assert "No space left on device" in capsys.readouterr().err
    assert not (tmp_path / "run" / STATE).exists()


def test_every_so_many_events_is_at_least_every_one(tmp_path: Path) -> None:
    searcher = new()
    searcher.keep_every = 0
    with pytest.raises(UsageError, match="keep_every must be a whole number of at least 1, got 0"):
        run(searcher, tmp_path / "run")


def test_a_searcher_without_a_state_keeps_none(tmp_path: Path) -> None:
    run(new(RandomSearch), tmp_path / "run")
    assert [path.name for path in (tmp_path / "run").iterdir()] == [FILE_NAME]


def evaluate(arch: str, report: Callable[[Row], None]) -> None:
    report({"x": value_of(arch), "seconds": 0.0, "error": None})


@pytest.mark.slow(faster="test_with_several_in_flight")
@pytest.mark.ray
@pytest.mark.usefixtures("ray_started")
def test_on_ray_it_is_kept_and_goes_on(tmp_path: Path) -> None:
    tune_search(new(), evaluate, folder=tmp_path, num_samples=11)
    assert (tmp_path / STATE).exists()
    searcher = resumed(tmp_path)
    assert searcher.steps_made == tells(read_journal(tmp_path / FILE_NAME)[16:])
    rows = tune_search(searcher, evaluate, folder=tmp_path, num_samples=TOTAL)
    same = new()
    expected = simulate(same, evaluate, num_samples=TOTAL)
    assert rows["arch"].tolist() == expected["arch"].tolist()
    assert all(torch.equal(*pair) for pair in zip(weights(searcher), weights(same), strict=True))


def test_save_and_restore_replay_the_events(whole: Controller, tmp_path: Path) -> None:
    whole.save(str(tmp_path / "saved"))
    searcher = new()
    searcher.restore(str(tmp_path / "saved"))
    assert_equal(searcher, whole)
