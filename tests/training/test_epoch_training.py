"""Trainings of other kinds than by a recipe, with the same epochs, checkpoints and going on."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from nas_ray.drivers.simulation import simulate
from nas_ray.drivers.tune_search import tune_search
from nas_ray.errors import UsageError
from nas_ray.evaluation.epoch_training import EpochTraining
from nas_ray.evaluation.proxy_scores import EpochEvaluator
from nas_ray.rows import Row
from nas_ray.searchers import Single
from nas_ray.searchers.given import GivenArchs
from nas_ray.training.epoch_module import EpochModule
from nas_ray.training.recipes import parse_recipe
from tests.training.toys import Bytes, TextNets

RECIPE = parse_recipe("fast:batch_size=32")


class Alternating:
    """Embeddings learn from held-out batches and layers from training batches, each with its optimiser.

    This is what a bilevel training does with the parameters of a supernet; gradients are noisy, so that
    torch's global generator counts as well.
    """

    def __init__(self, arch: str, seed: int) -> None:
        self.task, self.seed = Bytes(), seed
        self.net = TextNets().build(arch, self.task.num_outputs)
        upper = [p for name, p in self.net.named_parameters() if name.startswith("0.0.")]
        lower = [p for name, p in self.net.named_parameters() if not name.startswith("0.0.")]
        self.optimisers = torch.optim.Adam(upper, 0.02), torch.optim.SGD(lower, 0.1, momentum=0.9)

    def train_epoch(self, epoch: int) -> dict[str, float]:
        train, valid = self.task.loaders(RECIPE, self.seed, epoch)
        total = 0.0
        for step, batch in enumerate(train):
            total += self._step(self.optimisers[1], *batch)
            self._step(self.optimisers[0], *valid[step % len(valid)])
        with torch.no_grad():
            right = [self.task.metric(self.net(inputs), targets) for inputs, targets in valid]
        return {"valid_acc": sum(right) / len(right), "train_loss": total / len(train), "steps": len(train)}

    def _step(self, optimiser: torch.optim.Optimizer, inputs: torch.Tensor, targets: torch.Tensor) -> float:
        self.net.zero_grad()
        loss = self.task.loss(self.net(inputs), targets)
        loss.backward()
        for group in optimiser.param_groups:
            for parameter in group["params"]:
                parameter.grad += 1e-3 * torch.randn_like(parameter)
        optimiser.step()
        return float(loss.detach())

    def state(self) -> dict[str, Any]:
        return {"net": self.net.state_dict(), "optimisers": [o.state_dict() for o in self.optimisers]}

    def load_state(self, state: dict[str, Any]) -> None:
        self.net.load_state_dict(state["net"])
        for optimiser, kept in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)


def training(**options: Any) -> EpochTraining:
    return EpochTraining(Alternating, **{"epochs": 3, "kind": "alternating, adam 0.02, sgd 0.1", **options})


def without_times(rows: list[Row]) -> list[Row]:
    return [{name: row[name] for name in row if not name.startswith("seconds")} for row in rows]


def test_two_optimisers_learn() -> None:
    rows = list(training().epochs("flat-8"))
    assert isinstance(training(), EpochEvaluator)
    assert isinstance(Alternating("flat-8", 0), EpochModule)
    assert [row["epochs"] for row in rows] == [1, 2, 3]
    assert rows[-1]["train_loss"] < rows[0]["train_loss"]
    assert rows[-1]["valid_acc"] > 50
    assert rows[0]["steps"] == 8
    assert [float(value) for value in rows[-1]["curve"].split()] == pytest.approx(
        [row["valid_acc"] for row in rows], abs=1e-4
    )


@pytest.mark.parametrize("seeds", [1, 2])
def test_an_interrupted_training_goes_on_with_equal_numbers(tmp_path: Path, seeds: int) -> None:
    before = torch.get_rng_state()
    whole = without_times(list(training(seeds=seeds).epochs("mean-4")))
    parts = []
    for _ in range(3):  # each epoch in a new evaluator, as in a new process
        epochs = training(seeds=seeds, checkpoints=tmp_path).epochs("mean-4")
        parts.append(next(epochs))
        epochs.close()
        torch.rand(7)
        torch.set_rng_state(before)
    assert without_times(parts) == whole
    assert ("valid_acc_std" in whole[0]) == (seeds == 2)
    training(seeds=seeds, checkpoints=tmp_path).forget("mean-4")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("change", [{"kind": "alternating, adam 0.01"}, {"init_seed": 1}])
def test_a_checkpoint_of_another_kind_is_not_gone_on_from(tmp_path: Path, change: dict[str, Any]) -> None:
    epochs = training(checkpoints=tmp_path).epochs("mean-4")
    next(epochs)
    epochs.close()
    assert len(list(training(checkpoints=tmp_path).epochs("mean-4"))) == 2
    epochs = training(checkpoints=tmp_path, **change).epochs("mean-4")
    assert next(epochs)["epochs"] == 1
    epochs.close()


def test_a_loss_or_a_metric_that_is_no_number_ends_it() -> None:
    class Lost(Alternating):
        def train_epoch(self, epoch: int) -> dict[str, float]:
            return {"valid_acc": math.nan if epoch else 5.0}

    rows = list(EpochTraining(Lost, epochs=3, kind="lost").epochs("mean-4"))
    assert [row["error"] for row in rows] == [None, "the training diverged in epoch 2"]
    assert rows[-1]["error_kind"] == "diverged"


def test_a_column_that_is_missing_is_named() -> None:
    rows = list(training(metric_column="valid_fit").epochs("mean-4"))
    assert len(rows) == 1
    assert rows[0]["error"] == (
        "KeyError: 'an epoch must return the column valid_fit, but it has valid_acc, train_loss, steps'"
    )


def test_an_epoch_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^A training of 3 epochs cannot stop after 4\.$"):
        training(until=4)


@pytest.mark.ray
@pytest.mark.usefixtures("ray_started")
def test_it_is_searched_with_as_any_other(tmp_path: Path) -> None:
    def searcher() -> GivenArchs:
        archs = ["mean-2", "flat-3"]
        return GivenArchs(TextNets(), fitness=Single(("valid_acc",)), archs=archs)

    local = simulate(searcher(), training())
    begun = training(checkpoints=tmp_path / "c").epochs("mean-2")  # by one that was killed
    next(begun)
    begun.close()
    hosted = tune_search(searcher(), training(checkpoints=tmp_path / "c"), folder=tmp_path)
    kept = ["arch", "valid_acc", "train_loss", "curve", "epochs", "fitness"]
    pd.testing.assert_frame_equal(hosted[kept], local[kept], check_dtype=False)
    assert not list((tmp_path / "c").iterdir())


def test_something_makes_the_modules() -> None:
    with pytest.raises(UsageError, match="EpochTraining needs a factory of modules, or a method new_module"):
        EpochTraining(None, epochs=2, kind="none")


class Finding(Alternating):
    """Says what it has found so far, and ends by itself after two epochs."""

    done = 0

    def train_epoch(self, epoch: int) -> dict[str, float | str]:
        self.done = epoch + 1
        return {**super().train_epoch(epoch), "found": f"found-{epoch}"}

    @property
    def finished(self) -> bool:
        return self.done == 2

    def state(self) -> dict[str, Any]:
        return {**super().state(), "done": self.done}

    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(state)
        self.done = state["done"]


@pytest.mark.parametrize("seeds", [1, 2])
def test_a_training_says_texts_and_may_end_by_itself(tmp_path: Path, seeds: int) -> None:
    kind = {"epochs": 4, "kind": "finding", "checkpoints": tmp_path, "seeds": seeds}
    rows = list(EpochTraining(Finding, **kind).epochs("flat-8"))  # type: ignore[arg-type]
    assert [(row["epochs"], row["found"]) for row in rows] == [(1, "found-0"), (2, "found-1")]
    again = list(EpochTraining(Finding, **kind).epochs("flat-8"))  # type: ignore[arg-type]
    assert again == rows[-1:]  # as where a driver was killed before it had the last row
