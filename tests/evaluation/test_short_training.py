"""Short training: rows per epoch, checkpoints, schedulers, and a search that is killed in the middle."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from nas_ray.drivers.scheduling import Asha, make_scheduler, teach
from nas_ray.drivers.simulation import simulate
from nas_ray.drivers.tune_search import tune_search
from nas_ray.errors import UsageError
from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.images.image_data import ImageDataModule
from nas_ray.images.splits import NetImages
from nas_ray.rows import Row
from nas_ray.runs.journal import FILE_NAME, read_journal, rows_of
from nas_ray.searchers import Single
from nas_ray.searchers.given import GivenArchs
from nas_ray.spaces import NatsTss
from nas_ray.training.recipes import parse_recipe
from tests.searchers.toy import Line

ROOT = Path(__file__).parents[2]
ARCH, OTHER = "0", "1"


class ToyNets(Line):
    """Archs on a line as very small nets."""

    def build(self, arch: str, num_classes: int) -> nn.Module:
        width = 2 + int(arch) % 3
        return nn.Sequential(
            nn.Conv2d(3, width, 3, stride=4), nn.BatchNorm2d(width), nn.ReLU(), nn.Flatten(),
            nn.Dropout(0.2), nn.Linear(64 * width, num_classes),
        )  # fmt: skip


@pytest.fixture(scope="module")
def digits() -> NetImages:
    return ImageDataModule("digits").train_images


def training(digits: NetImages, recipe: str = "epochs:3", **options: object) -> ShortTraining:
    return ShortTraining(ToyNets(16), 10, digits, parse_recipe(recipe), **options)  # type: ignore[arg-type]


def without_times(row: Row) -> Row:
    return {name: value for name, value in row.items() if not name.startswith("seconds")}


def test_a_row_per_epoch(digits: NetImages) -> None:
    rows = list(training(digits).epochs(ARCH))
    assert [row["epochs"] for row in rows] == [1, 2, 3]
    assert rows[-1]["valid_acc"] > 60
    assert rows[-1]["train_loss"] < rows[0]["train_loss"]
    assert [float(value) for value in rows[-1]["curve"].split()] == pytest.approx(
        [row["valid_acc"] for row in rows], abs=1e-4
    )
    assert rows[0]["seconds"] < rows[1]["seconds"]
    assert rows[-1]["error"] is None


def test_equal_seeds_give_equal_rows_and_leave_the_global_state(digits: NetImages) -> None:
    before = torch.get_rng_state()
    first, second = (list(map(without_times, training(digits).epochs(ARCH))) for _ in range(2))
    assert first == second
    assert torch.equal(torch.get_rng_state(), before)
    other = list(map(without_times, training(digits, init_seed=1).epochs(ARCH)))
    assert other[-1]["train_loss"] != first[-1]["train_loss"]


def test_the_largest_seed_works(digits: NetImages) -> None:
    rows = list(training(digits, "epochs:1:seeds=2", init_seed=2**63 - 1).epochs(ARCH))
    assert rows[-1]["error"] is None


def test_a_training_that_was_left_goes_on_exactly(digits: NetImages, tmp_path: Path) -> None:
    recipe = "epochs:4:ema=0.9,seeds=2"
    whole = list(training(digits, recipe).epochs(ARCH))
    parts = []
    for _ in range(4):  # each epoch in a new evaluator, as in a new process
        epochs = training(digits, recipe, checkpoints=tmp_path).epochs(ARCH)
        parts.append(next(epochs))
        epochs.close()
    assert list(map(without_times, parts)) == list(map(without_times, whole))
    assert "valid_acc_std" in whole[0]
    done = list(training(digits, recipe, checkpoints=tmp_path).epochs(ARCH))
    assert list(map(without_times, done)) == [without_times(whole[-1])]
    evaluator = training(digits, recipe, checkpoints=tmp_path)
    evaluator.forget(ARCH)
    assert list(tmp_path.iterdir()) == []


def test_several_seeds_are_single_trainings(digits: NetImages) -> None:
    both = list(training(digits, "epochs:1:seeds=2").epochs(ARCH))[-1]
    alone = [
        list(training(digits, "epochs:1", init_seed=seed).epochs(ARCH))[-1]["valid_acc"] for seed in (0, 1)
    ]
    assert both["valid_acc"] == pytest.approx(np.mean(alone))
    assert both["valid_acc_std"] == pytest.approx(np.std(alone, ddof=1))


def test_a_rung_ends_in_the_middle_of_the_schedule(digits: NetImages, tmp_path: Path) -> None:
    whole = list(map(without_times, training(digits).epochs(ARCH)))
    first = list(training(digits, until=1, checkpoints=tmp_path).epochs(ARCH))
    rest = list(training(digits, until=3, checkpoints=tmp_path).epochs(ARCH))
    assert list(map(without_times, [*first, *rest])) == whole


@pytest.mark.parametrize("damage", ["other recipe", "cut", "text", "folder"])
def test_a_checkpoint_that_does_not_fit_is_not_used(digits: NetImages, tmp_path: Path, damage: str) -> None:
    epochs = training(digits, "epochs:2", checkpoints=tmp_path).epochs(ARCH)
    next(epochs)
    epochs.close()
    (path,) = tmp_path.iterdir()
    recipe = "epochs:2:lr=0.05" if damage == "other recipe" else "epochs:2"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:1000])
    if damage == "text":
        path.write_text("no checkpoint")
    if damage == "folder":
        path.unlink()
        path.mkdir()
    rows = list(training(digits, recipe, checkpoints=tmp_path).epochs(ARCH))
    assert [row["epochs"] for row in rows] == [1, 2]


def test_a_diverged_training_is_a_failed_row(digits: NetImages) -> None:
    rows = list(training(digits, "epochs:3:lr=1e30").epochs(ARCH))
    assert len(rows) == 1
    assert rows[0]["error"] == "the training diverged in epoch 1"
    assert math.isnan(rows[0]["valid_acc"])


def test_a_net_that_cannot_be_built_is_a_failed_row(digits: NetImages) -> None:
    class Broken(ToyNets):
        def build(self, arch: str, num_classes: int) -> nn.Module:
            raise ValueError("no such net")

    rows = list(ShortTraining(Broken(), 10, digits, parse_recipe("fast")).epochs(ARCH))
    assert [row["error"] for row in rows] == ["ValueError: no such net"]


@pytest.mark.parametrize("options", [{"until": 4}, {"until": 0}, {"recipe": "fast:valid_fraction=0"}])
def test_what_cannot_work_is_told(digits: NetImages, options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        training(digits, **options)  # type: ignore[arg-type]


def test_simulate_takes_the_last_epoch(digits: NetImages) -> None:
    searcher = GivenArchs(ToyNets(16), fitness=Single(("valid_acc",)), archs=[ARCH, OTHER])
    rows = simulate(searcher, training(digits, "epochs:2"))
    assert rows["epochs"].tolist() == [2, 2]
    assert rows["fitness"].tolist() == rows["valid_acc"].tolist()


class Curves:
    """Learning curves that are known: after k epochs arch i has valid_acc i * k."""

    until = 9

    def __call__(self, arch: str, report: object) -> None:
        raise AssertionError("a search trains epoch by epoch")

    def epochs(self, arch: str) -> Iterator[Row]:
        for epoch in range(1, self.until + 1):
            values = [int(arch) * done for done in range(1, epoch + 1)]
            curve = " ".join(map(str, values))
            yield {
                "valid_acc": float(values[-1]),
                "epochs": epoch,
                "seconds": 1.0 * epoch,
                "curve": curve,
                "error": None,
            }

    def forget(self, arch: str) -> None:
        """Nothing is kept."""


def searched(names: list[str], folder: Path, scheduler: str) -> list[int]:
    folder.mkdir(exist_ok=True)
    searcher = GivenArchs(ToyNets(16), fitness=Single(("valid_acc",)), archs=names)
    made = make_scheduler(scheduler, epochs=9, reduction_factor=3)
    rows = tune_search(searcher, Curves(), folder=folder, scheduler=made)  # type: ignore[arg-type]
    return [int(epochs) for epochs in rows.set_index("arch").loc[names, "epochs"]]


@pytest.mark.usefixtures("ray_started")
def test_asha_stops_at_rungs_what_is_not_in_the_best_third(tmp_path: Path) -> None:
    # One worker, rungs after 1 and 3 epochs. The first arch sees nobody better. Two thirds of 4, 3, 2, 1, 8
    # lie at 3.67 by interpolation, which 5 reaches; after 3 epochs of 12 and 24 at 20, which 15 does not.
    names = ["4", "3", "2", "1", "8", "5"]
    assert searched(names, tmp_path / "asha", "asha") == [9, 1, 1, 1, 9, 3]
    assert searched(names[:3], tmp_path / "none", "none") == [9, 9, 9]


@pytest.mark.usefixtures("ray_started")
@pytest.mark.slow(faster="test_asha_stops_at_rungs_what_is_not_in_the_best_third")
def test_median_and_hyperband_stop_some_and_never_the_best(tmp_path: Path) -> None:
    names = [str(number) for number in (15, 14, 13, 12, 1, 2, 3, 4, 5, 6, 7, 8)]
    for name in ("median", "hyperband"):
        epochs = searched(names, tmp_path / name, name)
        assert epochs[0] == 9
        assert sum(epochs) < 9 * len(names)


def test_a_resumed_asha_knows_the_rungs() -> None:
    rows: list[Row] = [list(Curves().epochs(arch))[-1] for arch in ("4", "3")]
    scheduler = make_scheduler("asha", epochs=9, reduction_factor=3)
    assert isinstance(scheduler, Asha)
    teach(scheduler, [*rows, {"error": "lost"}, {**rows[0], "reused": True}])
    rungs = scheduler._brackets[0]._rungs  # as Tune keeps them
    assert {rung: sorted(values.values()) for rung, values in rungs} == {9: [27, 36], 3: [9, 12], 1: [3, 4]}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scheduler", "asha"], "needs --fidelity"),
        (["--fidelity", "epochs:4", "--scheduler", "pbt"], "copies weights between trials"),
        (["--fidelity", "epochs:4", "--scheduler", "ashaa"], "Did you mean 'asha'"),
        (["--fidelity", "epochs:1", "--scheduler", "asha"], "at least 2 epochs"),
        (["--fidelity", "epochs:4", "--scheduler", "asha", "--grace-epochs", "9"], "--grace-epochs must be"),
        (["--fidelity", "epochs:4", "--scheduler", "asha", "--reduction-factor", "1"], "--reduction-factor"),
        (["--fidelity", "epochs:4", "--archs-per-trial", "4"], "leave it out with --fidelity"),
        (["--fidelity", "nats-13"], "Unknown recipe 'nats-13'"),
        (["--fitness", "valid_acc"], "valid_acc"),
    ],
)
def test_bad_options(arguments: list[str], said: str) -> None:
    from nas_ray.search.arguments import SearchArgs, parse
    from nas_ray.search.experiment import prepare

    with pytest.raises(UsageError) as caught:
        prepare("rea", parse(SearchArgs, "rea", "", [*arguments, "--images", "digits"]), "random_search")
    assert said in str(caught.value)


@pytest.mark.ray
@pytest.mark.slow(faster="test_a_training_that_was_left_goes_on_exactly")
def test_a_killed_search_goes_on_in_the_middle_of_an_arch(tmp_path: Path) -> None:
    plugin = tmp_path / "small.py"
    plugin.write_text(
        "from nas_ray.spaces import NatsTss\n\n\ndef small():\n    return NatsTss(channels=4, cells=1)\n"
    )
    command = [sys.executable, str(ROOT / "experiments/random_search.py"), "--num-cpus", "1"]
    options = [
        "--space",
        "small:small",
        "--images",
        "digits",
        "--fidelity",
        "epochs:5:data_fraction=0.5",
        "--num-samples",
        "2",
    ]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"}

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        quiet = subprocess.DEVNULL
        return subprocess.Popen([*command, *arguments], env=environment, stdout=quiet, stderr=quiet)

    killed = start(*options, "--out", str(tmp_path / "killed"))
    checkpoints = tmp_path / "killed" / "checkpoints"
    deadline = time.monotonic() + 120
    while not (checkpoints.is_dir() and list(checkpoints.glob("[!.]*.pt"))) and time.monotonic() < deadline:
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    (path,) = checkpoints.glob("[!.]*.pt")
    trained = torch.load(path, weights_only=True)["row"]["epochs"]
    assert 1 <= trained < 5
    assert start("--resume", str(tmp_path / "killed")).wait(timeout=200) == 0
    assert not checkpoints.exists()
    recipe = parse_recipe("epochs:5:data_fraction=0.5")
    whole = ShortTraining(NatsTss(channels=4, cells=1), 10, ImageDataModule("digits").train_images, recipe)
    for row in rows_of(read_journal(tmp_path / "killed" / FILE_NAME)):
        wanted = list(whole.epochs(row["arch"]))[-1]
        keep = ("epochs", "curve", "valid_acc", "train_loss", "error")
        assert [row[name] for name in keep] == [wanted[name] for name in keep]
    assert json.loads((tmp_path / "killed" / "run.json").read_text())["status"] == "finished"


def test_it_is_described_by_its_epochs_and_images(digits: NetImages) -> None:
    said = training(digits, until=1).described()
    train, valid = training(digits).task.parts(training(digits).recipe)
    assert said == f"1 epoch on {len(train):,} images, {len(valid):,} held out"
