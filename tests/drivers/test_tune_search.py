"""What a search does with what its caller holds, wherever Tune runs."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest

from nas_ray.drivers import tune_search as module
from nas_ray.runs.journal import FILE_NAME, Journal, read_journal
from nas_ray.searchers import RandomSearch, Single
from nas_ray.spaces import NatsTss

FIRST, SECOND = ({"event": "ask", "trial": number, "arch": "a"} for number in (0, 1))


def search(folder: Path, **given: Any) -> None:
    searcher = RandomSearch(NatsTss(), fitness=Single(("x",)))
    module.tune_search(searcher, lambda arch, report: None, folder=folder, **given)


@pytest.fixture
def journals(monkeypatch: pytest.MonkeyPatch) -> list[Journal]:
    """Ray Client without a cluster: the journals that searches at the head got, with an event each."""
    got: list[Journal] = []

    def at_head(*args: Any, journal: Journal, **options: Any) -> None:
        got.append(journal)
        journal.append(FIRST)

    monkeypatch.setattr(module, "over_client", lambda: True)
    monkeypatch.setattr(module, "search_at_head", at_head)
    return got


def test_over_ray_client_a_journal_of_the_caller_stays_open(tmp_path: Path, journals: list[Journal]) -> None:
    with contextlib.closing(Journal(tmp_path / FILE_NAME)) as journal:
        search(tmp_path, journal=journal)
        journal.append(SECOND)
    assert journals == [journal]
    assert read_journal(tmp_path / FILE_NAME) == [FIRST, SECOND]


def test_over_ray_client_its_own_is_closed(tmp_path: Path, journals: list[Journal]) -> None:
    search(tmp_path)
    with pytest.raises(ValueError, match="closed"):
        journals[0].append(SECOND)
    Journal(tmp_path / FILE_NAME).close()  # nobody holds its lock
