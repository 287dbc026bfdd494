"""The two-stage search: who goes on, what is kept, and what a resumed run repeats."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from nas_ray.errors import UsageError
from nas_ray.rows import Row
from nas_ray.runs.journal import FILE_NAME
from nas_ray.search.two_stage import Halving, best_archs, best_rows, recipe_of, run, training_fitness
from nas_ray.search.two_stage_args import TwoStageArgs
from nas_ray.search.two_stage_driver import KnownScores
from nas_ray.search.two_stage_report import Stage, join_stages
from nas_ray.searchers import Mixed, RankSum, Single

BY_X = Single(("x",))


def test_the_best_go_on() -> None:
    rows = [
        {"arch": "a", "x": 1.0},
        {"arch": "b", "x": float("nan")},
        {"arch": "c", "x": 3.0},
        {"arch": "d", "x": 3.0},
        {"arch": "a", "x": 1.0, "reused": True},
    ]
    stage = Stage("scores", 0, rows, BY_X)
    assert best_archs(stage, 2) == ["c", "d"]
    assert best_archs(stage, 9) == ["c", "d", "a"]
    assert best_archs(Stage("scores", 0, [], BY_X), 3) == []


def test_what_was_found_goes_on_and_not_what_was_asked() -> None:
    rows = [
        {"arch": "toy,seed=1", "found": "a", "x": 1.0},
        {"arch": "toy,seed=2", "found": "b", "x": 2.0},
        {"arch": "toy,seed=3", "found": "a", "x": 3.0},
        {"arch": "toy,seed=4", "found": "a", "x": 0.5},
    ]
    stage = Stage("scores", 0, rows, BY_X)
    assert best_archs(stage, 9) == ["a", "b"]
    reported: list[Row] = []
    KnownScores(best_rows(stage))("a", reported.append)
    assert reported == [{"found": "a", "x": 3.0}]
    trained = Stage("1 epoch", 1, [{"arch": "a", "found": "a", "x": 5.0, "epochs": 1}], BY_X)
    table = join_stages([stage, trained])
    assert table[["arch", "found", "fitness"]].to_numpy().tolist() == [
        ["toy,seed=3", "a", 5.0], ["toy,seed=2", "b", 2.0]
    ]  # fmt: skip


def test_the_weight_decides_between_trained_archs() -> None:
    scores = RankSum(("p", "q"))
    assert training_fitness(TwoStageArgs(), scores) == Single(("valid_acc",))
    assert training_fitness(TwoStageArgs(weight=0.25), scores) == Mixed(("p", "q", "valid_acc"), 0.25)


def test_rows_of_all_stages() -> None:
    scores = [
        {"arch": name, "x": value, "seconds": 1.0} for name, value in (("a", 1.0), ("b", 2.0), ("c", 3.0))
    ]
    first = [
        {"arch": "c", "x": 3.0, "epochs": 1, "seconds": 5.0},
        {"arch": "b", "x": 9.0, "epochs": 1, "seconds": 5.0},
    ]
    last = [{"arch": "b", "x": 0.5, "epochs": 4, "seconds": 20.0}]
    table = join_stages([Stage(str(n), n, rows, BY_X) for n, rows in ((0, scores), (1, first), (4, last))])
    assert table["arch"].tolist() == ["b", "c", "a"]
    assert table["epochs"].tolist() == [4, 1, 0]
    assert table["fitness"].tolist() == [0.5, 3.0, 1.0]


def test_what_a_trial_of_scores_took_is_not_what_the_training_took() -> None:
    score = {
        "arch": "a",
        "trial": 3,
        "x": 1.0,
        "seconds": 1.0,
        "gpu_memory": 0.5,
        "worker": "w",
        "reused": False,
    }
    score |= {"error": "y is nan", "error_kind": "undefined", "finished_at": 2.0}
    reported: list[Row] = []
    KnownScores({"a": score})("a", reported.append)
    assert reported == [{"x": 1.0}]
    trained = {
        "arch": "a",
        "trial": 0,
        "x": 1.0,
        "valid_acc": 10.0,
        "epochs": 1,
        "seconds": 5.0,
        "error": None,
    }
    table = join_stages([Stage(str(n), n, [row], BY_X) for n, row in ((0, score), (1, trained))])
    (row,) = table.to_dict("records")
    assert row == {**trained, "fitness": 1.0}


def test_the_recipe_is_as_long_as_the_last_rung() -> None:
    recipe = recipe_of(TwoStageArgs(fidelity="nats-200:cutout=4"), 8)
    assert (recipe.epochs, recipe.batch_size, recipe.cutout) == (8, 256, 4)
    assert TwoStageArgs(rungs=("1,2", "8")).checked_rungs() == [1, 2, 8]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rungs": ("4,1",)}, "--rungs must be growing"),
        ({"rungs": ()}, "--rungs must be growing"),
        ({"rungs": ("0,1",)}, "--rungs must be growing"),
        ({"rungs": ("a",)}, "--rungs must be growing"),
        ({"keep": 0}, "--keep must be from 1 to 1,000,000"),
        ({"weight": 2.0}, "--weight must be from 0 to 1"),
        ({"reduction_factor": 1.0}, "--reduction-factor must be from 1.001 to"),
        ({"scheduler": "asha"}, "--scheduler has no place here"),
        ({"fidelity": "nats-13"}, "Unknown recipe"),
        ({"searcher": "nobody"}, "Unknown searcher"),
    ],
)
def test_bad_options(options: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        Halving(TwoStageArgs(images="digits", **options))  # type: ignore[arg-type]
    assert said in str(caught.value)


def test_a_run_and_one_that_was_stopped_are_equal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tiny.py").write_text(
        "from nas_ray.spaces import NatsTss\n\n\ndef small():\n    return NatsTss(channels=4, cells=1)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    args = TwoStageArgs(
        space="tiny:small", images="digits", num_samples=6, keep=3, rungs=("1,2",), batch_size=8,
        driver="process", fidelity="fast:data_fraction=0.1", out=tmp_path / "run", weight=0.5,
        benchmark="none",
    )  # fmt: skip
    assert run(args, Console(quiet=True)) == 0
    folder = tmp_path / "run"
    table = pd.read_parquet(folder / "results.parquet")
    assert len(table) == 6
    assert table["epochs"].tolist() == [2, 1, 1, 0, 0, 0]
    assert np.isfinite(table["logsynflow"]).all()
    best = json.loads((folder / "best.json").read_text())
    assert best["arch"] == table["arch"][0]
    assert best["scores"]["valid_acc"] == table["valid_acc"][0]
    for name in ("curves.png", "cell.png", "results.csv"):
        assert (folder / name).stat().st_size > 0
    assert not (folder / "checkpoints").exists()
    journal = folder / "epochs-002" / FILE_NAME
    journal.write_text("")  # as if it had been killed before the last rung, with its checkpoints lost
    assert run(dataclasses.replace(args, resume=folder, out=None), Console(quiet=True)) == 0
    again = pd.read_parquet(folder / "results.parquet")
    kept = ["arch", "epochs", "fitness", "valid_acc", "logsynflow", "curve"]
    pd.testing.assert_frame_equal(again[kept], table[kept])
