from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nas_ray.errors import UsageError
from nas_ray.runs.journal import FILE_NAME, Journal, read_journal, rows_of

ASK = {"event": "ask", "trial": 0, "arch": "a"}
TELL = {"event": "tell", "trial": 0, "row": {"x": 1.5, "error": None}}


def write(path: Path, *events: dict) -> None:
    journal = Journal(path)
    for event in events:
        journal.append(event)
    journal.close()


def test_events_come_back(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    write(path, ASK, TELL)
    assert read_journal(path) == [ASK, TELL]
    assert rows_of(read_journal(path)) == [TELL["row"]]


def test_undefined_numbers_come_back(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    write(path, {"event": "tell", "trial": 0, "row": {"x": float("-inf"), "y": float("nan")}})
    row = rows_of(read_journal(path))[0]
    assert row["x"] == float("-inf")
    assert row["y"] != row["y"]


@pytest.mark.parametrize("cut", [1, 10, 30])
def test_a_line_cut_short_by_a_kill_is_dropped_and_overwritten(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "journal.jsonl"
    write(path, ASK, TELL)
    path.write_bytes(path.read_bytes()[:-cut])
    assert read_journal(path) == [ASK]
    write(path, TELL)
    assert read_journal(path) == [ASK, TELL]


def test_an_event_is_on_disk_before_append_returns(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append(ASK)
    assert read_journal(tmp_path / "journal.jsonl") == [ASK]
    journal.close()


def test_two_writers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    with pytest.raises(UsageError) as caught:
        Journal(path)
    assert str(caught.value) == f"Another process is writing the run {tmp_path}; wait for it or stop it."
    journal.close()


@pytest.mark.parametrize(
    "line",
    ["{}", "[1]", "nonsense", '{"event": "tell", "trial": "x", "row": {}}', '{"event": "ask", "trial": 1}'],
)
def test_a_changed_file_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text(f'{{"event": "ask", "trial": 0, "arch": "a"}}\n{line}\n')
    with pytest.raises(UsageError) as caught:
        read_journal(path)
    assert (
        str(caught.value) == f"Line 2 of the journal {path} is not an event: {line!r}; the file was changed."
    )


class Flaky:
    """A file that fails some times, after having written a part."""

    def __init__(self, file: Any, failures: int) -> None:
        self.file, self.failures = file, failures

    def write(self, line: bytes) -> int:
        if self.failures:
            self.failures -= 1
            self.file.write(line[:7])
            raise OSError(28, "No space left on device")
        return int(self.file.write(line))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


def test_a_full_disk_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas_ray.runs.journal.PAUSE_S", 0.01)
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append(ASK)
    journal._file = Flaky(journal._file, failures=3)  # type: ignore[assignment]
    journal.append(ASK)
    journal.close()
    assert read_journal(tmp_path / "journal.jsonl") == [ASK, ASK]


def test_a_disk_that_stays_full_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas_ray.runs.journal.PAUSE_S", 0.01)
    monkeypatch.setattr("nas_ray.runs.journal.PATIENCE_S", 0.05)
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append(ASK)
    journal._file = Flaky(journal._file, failures=1_000)  # type: ignore[assignment]
    with pytest.raises(UsageError, match=r"No space left on device; free space .* continue with --resume"):
        journal.append(ASK)
    assert (tmp_path / "journal.jsonl").read_bytes().count(b"\n") == 1
    assert (tmp_path / "journal.jsonl").read_bytes().endswith(b"\n")


@pytest.mark.parametrize("bytes_", [b"\x93NUMPY\x01\x00 no line", b'{"a": 1}', b"garbage"])
def test_a_file_that_is_no_journal_is_refused_and_left(tmp_path: Path, bytes_: bytes) -> None:
    path = tmp_path / FILE_NAME
    for before in (b"", b'{"event": "ask", "trial": 0, "arch": "a"}\n'):
        path.write_bytes(before + bytes_)
        for opens in (Journal, read_journal):
            with pytest.raises(UsageError, match="which is no beginning of an event; the file is no journal"):
                opens(path)
        assert path.read_bytes() == before + bytes_
    path.write_bytes(before + b'{"event": "t' + bytes(5))  # a kill, or a machine without power
    Journal(path).close()
    assert path.read_bytes() == before
