"""A space of the user's own on the command line: two methods, or sequences, from a file in the directory."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.guards.commands import call
from tests.spaces import toy

SCORES = "--images digits --proxies grad_norm,params --fitness grad_norm --batch-size 8"
TINY = f"{SCORES} --driver process"


@pytest.fixture(autouse=True)
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "mine.py").write_text(Path(toy.__file__).read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("mine", None)  # another test's
    yield
    sys.modules.pop("mine", None)


def search(*arguments: str) -> tuple[int, str, str]:
    ended = call(None, "search", *arguments, *TINY.split(), "--out", "made", environment={"COLUMNS": "120"})
    return ended.code, ended.out, ended.err


def test_a_space_of_two_methods_is_searched_at_random() -> None:
    code, out, err = search("random_search", "--space", "mine:Widths", "--num-samples", "5")
    assert code == 0, out + err
    rows = pd.read_parquet("made/results.parquet")
    assert len(set(rows["arch"])) == 5
    assert set(rows["arch"]) <= set("12345678")
    assert np.isfinite(rows["params"]).all()
    best = json.loads(Path("made/best.json").read_text())
    assert best["index"] is None
    assert "label" not in best


def test_sequences_are_searched_by_evolution_and_shown_by_their_labels() -> None:
    sizes = ("--population", "4", "--sample", "2", "--num-samples", "12")
    code, out, err = search("rea", "--space", "mine:Layers", *sizes)
    assert code == 0, out + err
    rows = pd.read_parquet("made/results.parquet")
    space = toy.Layers()
    assert all(space.assemble(space.decisions(arch)) == arch for arch in rows["arch"])
    assert len({len(space.decisions(arch)) for arch in rows["arch"]}) > 1
    assert rows["error"].isna().all()
    best = json.loads(Path("made/best.json").read_text())
    label = space.label(best["arch"])
    assert best["label"] == label
    assert f"{label}\n{best['arch']}\n" in out
    assert call(None, "report", "made", "--out", "made.html").code == 0
    assert f"{label}: {best['arch']}" in Path("made.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("searcher", "said"),
    [
        ("rea", "RegularizedEvolution needs a space with the method neighbors, got Widths"),
        ("local_search", "local_search needs a space with the method neighbors, got Widths"),
        ("freerea", "freerea needs a space with the methods choices, decisions, assemble, got Widths"),
    ],
)
def test_what_a_searcher_lacks_is_said_before_anything_starts(searcher: str, said: str) -> None:
    code, out, err = search(searcher, "--space", "mine:Widths", "--num-samples", "5")
    assert (code, out) == (2, "")
    (line,) = err.strip().splitlines()
    assert line.startswith(f"error: {said}; add ")
    assert not Path("made").exists()


def test_a_space_without_its_two_methods_is_none() -> None:
    Path("mine.py").write_text("class Half:\n    def sample(self, rng):\n        return 'a'\n")
    code, _, err = search("random_search", "--space", "mine:Half")
    assert code == 2
    assert "error: The search space 'mine:Half' needs the methods sample and build." in err
