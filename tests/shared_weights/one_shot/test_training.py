"""One-shot searches as trials: rows, what is found, going on, and bad ends."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nas_ray.errors import UsageError
from nas_ray.evaluation.base import EpochEvaluator, Foretold
from nas_ray.rows import TRAJECTORY, Row
from nas_ray.shared_weights.methods.named import METHODS
from nas_ray.shared_weights.one_shot import training as training_module
from nas_ray.shared_weights.one_shot.epochs import entropy
from nas_ray.shared_weights.one_shot.training import NetSize, OneShotTraining
from nas_ray.shared_weights.one_shot.trajectory import Trajectory
from nas_ray.spaces import NatsTss
from nas_ray.training.recipes import Recipe
from tests.night import by_day
from tests.training.test_search_set import images

SPACE = NatsTss(channels=4, cells=1)
LABELS = [number % 3 for number in range(48)]


def training(**options: Any) -> OneShotTraining:
    recipe = Recipe(batch_size=8, valid_fraction=0.5)
    given = {"recipe": recipe, "epochs": 3, "batch_size": 8, **options}
    return OneShotTraining(SPACE, 3, images(LABELS), **given)


def numbers(row: Row) -> Row:
    return {name: value for name, value in row.items() if not name.startswith("seconds")}


def test_a_row_after_each_epoch_says_what_was_found() -> None:
    rows = list(training(curvature=True).epochs("darts1,seed=3"))
    assert isinstance(training(), EpochEvaluator)
    assert [row["epochs"] for row in rows] == [1, 2, 3]
    for row in rows:
        assert not row["error"]
        assert row["found"] in SPACE
        assert row["skips"] == row["found"].count("skip_connect")
        assert 0 <= row["valid_acc"] <= 100
        assert math.isfinite(row["train_loss"] + row["valid_loss"] + row["lambda_max"])
        assert 0 < row["entropy"] <= math.log(5) + 1e-6
    course = Trajectory.from_text(rows[-1][TRAJECTORY])
    assert course.found == [row["found"] for row in rows]
    assert course.numbers["valid_acc"] == [row["valid_acc"] for row in rows]
    best = max(range(3), key=lambda epoch: rows[epoch]["valid_acc"])
    assert rows[-1]["found_best"] == rows[best]["found"]
    last = course.weights[-1][0]
    assert last.shape == (6, 5)
    ops = SPACE.graphs()[0].ops
    assert rows[-1]["found"] == SPACE.assemble([ops[place] for place in last.argmax(axis=1)])


DAILY = ("darts1", "gdas", "p-darts", "enas")


@pytest.mark.parametrize(
    "method",
    by_day(sorted(METHODS), DAILY, faster="test_a_search_goes_on_after_every_epoch_with_equal_numbers"),
)
def test_a_search_goes_on_after_every_epoch_with_equal_numbers(tmp_path: Path, method: str) -> None:
    asked = f"{method},seed=1" + (",tune_epochs=1" if method == "darts-pt" else "")
    asked += ",samples=5" if METHODS[method].derive == "sampled" else ""
    whole = [numbers(row) for row in training().epochs(asked)]
    parts = []
    for _ in whole:  # each in a new evaluator, as in a new process
        epochs = training(checkpoints=tmp_path).epochs(asked)
        parts.append(numbers(next(epochs)))
        epochs.close()
        torch.rand(5)
    assert parts == whole
    assert whole[-1]["found"] in SPACE


def test_seeds_differ_and_are_repeatable() -> None:
    def found(seed: int) -> str:
        return str(list(training(epochs=1).epochs(f"gdas,seed={seed}"))[-1][TRAJECTORY])

    assert found(1) == found(1) != found(2)


def test_numbers_of_a_setting_come_before_those_of_the_run() -> None:
    made = training(epochs=3, batch_size=8)
    assert made.last_epoch("darts1,seed=0") == 3
    assert made.last_epoch("darts1,epochs=2,seed=0") == 2
    quick = training(arch_lr=0.5)
    rates = [quick.method_of(f"{text},seed=0")[0].arch_lr for text in ("gdas", "gdas,arch_lr=0.1", "enas")]
    assert rates == [0.5, 0.1, METHODS["enas"].arch_lr]
    assert training(epochs=None).last_epoch("gdas,seed=0") == METHODS["gdas"].epochs


def test_what_diverges_is_a_failed_row() -> None:
    rows = list(training(epochs=3).epochs("darts1,lr=1e20,clip=0,seed=0"))
    assert rows[-1]["error_kind"] == "diverged"
    assert "diverged in epoch" in rows[-1]["error"]


def test_a_setting_that_is_none_is_a_failed_row() -> None:
    (row,) = list(training().epochs("darts3,seed=0"))
    assert "darts1" in row["error"]


def test_too_few_images_are_refused() -> None:
    with pytest.raises(UsageError, match="one-shot search needs 2 images"):
        OneShotTraining(SPACE, 3, images([0, 0, 1]), recipe=Recipe(valid_fraction=0.5))


def test_a_trajectory_survives_its_text() -> None:
    course = Trajectory()
    rng = np.random.default_rng(0)
    for epoch in range(3):
        weights = [rng.random((14, 8)).astype(np.float32) for _ in range(2)]
        said = {"valid_acc": [1.0, math.nan, 3.0][epoch], "skips": 1.0, "entropy": 0.5, "train_loss": 9.0}
        course.add(f"arch-{epoch}", weights, said)
    again = Trajectory.from_text(course.to_text())
    assert again.found == course.found
    assert again.best() == "arch-2"
    np.testing.assert_equal(again.numbers, course.numbers)
    np.testing.assert_equal(again.weights, course.weights)
    again.add("arch-3", weights, {**said, "lambda_max": 2.0})
    np.testing.assert_equal(
        Trajectory.from_text(again.to_text()).numbers["lambda_max"], [math.nan, math.nan, math.nan, 2.0]
    )


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"found": ["a"], "numbers": {}, "weights": []}', "nan"])
def test_another_text_is_no_trajectory(text: str) -> None:
    with pytest.raises(ValueError, match=r"trajectory|Expecting value"):
        Trajectory.from_text(text)


def test_entropy_is_that_of_shares() -> None:
    even, sure = np.full((2, 4), 0.3, dtype=np.float32), np.eye(4, dtype=np.float32)
    assert entropy([even]) == pytest.approx(math.log(4))
    assert entropy([sure]) == 0
    assert entropy([np.zeros((2, 4), dtype=np.float32)]) == 0
    assert entropy([even, sure]) == pytest.approx(2 * math.log(4) / 6)


@pytest.mark.parametrize("method", ["darts1", "gdas", "rs-ws"])
def test_a_search_says_how_long_it_takes(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[float] = []

    def clocked(step: Callable[[], object], **_: object) -> float:
        step()
        taken.append(2.0 if not taken else 0.5)
        return taken[-1]

    monkeypatch.setattr(training_module, "seconds_of", clocked)
    search = training()
    torch.manual_seed(3)
    state = torch.get_rng_state()
    told = search.foretold(f"{method},seed=1")
    steps, passes = len(search.parts), len(search.parts.arch_part) / 8
    assert (told.epochs, told.epoch_seconds) == (3, steps * 2.0 + passes * 0.5)
    assert torch.equal(torch.get_rng_state(), state)
    assert isinstance(search, Foretold)


@pytest.mark.parametrize(
    "name", ["zero-cost-pt,batch_size=4,proposals=1", "te-nas,batch_size=2,repeats=1,crops=20"]
)
def test_a_search_without_training_is_a_trial_of_one_epoch(name: str) -> None:
    rows = [numbers(row) for row in training().epochs(f"{name},seed=3")]
    (row,) = rows
    assert not row["error"]
    assert row["found"] == row["found_best"] in SPACE
    assert row["epochs"] == 1
    assert Trajectory.from_text(row[TRAJECTORY]).found == [row["found"]]
    assert [numbers(row) for row in training().epochs(f"{name},seed=3")] == rows


def test_a_wrong_option_of_pruning_is_told() -> None:
    with pytest.raises(UsageError, match="option of te-nas"):
        training().new_module("te-nas,colour=red,seed=0", 0)


@pytest.mark.parametrize(
    ("name", "value"),
    [("epochs", 0), ("batch_size", 2.5), ("split_seed", -1), ("recipe", None), ("arch_lr", 0.0)],
)
def test_arguments_that_cannot_be_are_refused(name: str, value: object) -> None:
    with pytest.raises(UsageError, match=name):
        training(**{name: value})


@pytest.mark.parametrize(("space", "held"), [(None, True), (SPACE, False)])
def test_a_space_and_images_must_be_such(space: Any, held: bool) -> None:
    with pytest.raises(UsageError, match="images" if space else "space"):
        OneShotTraining(space, 3, images(LABELS) if held else None, recipe=Recipe())  # type: ignore[arg-type]


def test_a_supernet_of_no_size_is_refused() -> None:
    with pytest.raises(UsageError, match="channels"):
        NetSize(channels=0)
