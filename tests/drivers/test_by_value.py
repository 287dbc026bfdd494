"""Code of modules that workers cannot import reaches them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nas_ray.drivers.by_value import ship_modules, travelled
from nas_ray.process.plugins import resolve, ship_by_value, shipped_by_value
from nas_ray.searchers import RandomSearch

ELSEWHERE = "import sys; from ray import cloudpickle; print(cloudpickle.load(sys.stdin.buffer)())"


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """A function of a module that is in this directory alone, and known to no other test."""
    name = f"only_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text("def answer():\n    return 42\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return resolve("thing", f"{name}:answer", {})


def noted(thing: Callable[[], int]) -> bool:
    return thing.__module__ in [module.__name__ for module in shipped_by_value()]


def elsewhere(thing: object, folder: Path) -> subprocess.CompletedProcess[bytes]:
    from ray import cloudpickle

    sent = cloudpickle.dumps(thing)
    return subprocess.run(
        [sys.executable, "-c", ELSEWHERE], input=sent, capture_output=True, cwd=folder, check=False
    )


def test_a_module_of_this_directory_is_sent(
    mine: Callable[[], int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("elsewhere")
    assert b"No module named 'only_" in elsewhere(mine, folder).stderr
    ship_by_value(mine)
    ship_modules()
    assert elsewhere(mine, folder).stdout == b"42\n"


def test_what_travels_is_noted_and_comes_back(mine: Callable[[], int]) -> None:
    ship_by_value(mine)
    assert noted(mine)
    arrived = travelled(mine)
    assert arrived is not mine
    assert arrived() == 42


def test_a_module_that_is_gone_is_left_out(mine: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
    ship_by_value(mine)
    monkeypatch.delitem(sys.modules, mine.__module__)
    ship_modules()
    assert not noted(mine)


@pytest.mark.parametrize("thing", [RandomSearch, pytest.fixture, 3])
def test_what_workers_have_is_not_sent(thing: object) -> None:
    before = shipped_by_value()
    ship_by_value(thing)
    assert shipped_by_value() == before
