"""Tasks that are no images, scored and trained in searches."""

from __future__ import annotations

import contextlib
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from nas_ray.drivers.simulation import simulate
from nas_ray.drivers.tune_search import tune_search
from nas_ray.errors import UsageError
from nas_ray.evaluation.proxy_scores import ProxyScores
from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.images.image_data import ImageDataModule
from nas_ray.proxies import PROXIES
from nas_ray.proxies.needs import needs_of
from nas_ray.rows import UNDEFINED, Row
from nas_ray.runs.journal import FILE_NAME, Journal, read_journal
from nas_ray.searchers import RegularizedEvolution, Single
from nas_ray.spaces import NatsTss
from nas_ray.testing import task_contract
from nas_ray.training.image_task import ImageTask
from nas_ray.training.recipes import parse_recipe
from tests.training.toys import Bytes, Radius, TextNets, Widths

PAGE = (Path(__file__).parents[2] / "docs" / "new_task.md").read_text(encoding="utf-8")
RECIPE = parse_recipe("epochs:2:batch_size=32")
TEXT = ("swap", "snip", "ntk")
SCORED = {name: PROXIES[name] for name in TEXT}


def small_embedding(outputs: int) -> nn.Module:
    return TextNets().build("mean-4", outputs)


TestBytes = task_contract(Bytes, small_embedding)
TestRadius = task_contract(Radius)
TestImages = task_contract(
    lambda: ImageTask(ImageDataModule("digits", batch_size=16).train_images, 10), lambda n: pooled(n)
)


def pooled(outputs: int) -> nn.Module:
    return nn.Sequential(nn.AvgPool2d(4), nn.Flatten(), nn.Linear(192, outputs))


def trained(**options: Any) -> ShortTraining:
    task = Bytes()
    scores = ProxyScores.of_task(TextNets(), task, SCORED)
    return ShortTraining.of_task(TextNets(), task, RECIPE, scores=scores, **options)


def search(score: str = "valid_acc") -> RegularizedEvolution:
    return RegularizedEvolution(TextNets(), fitness=Single((score,)), population=3, sample=2)


def without_times(rows: pd.DataFrame) -> pd.DataFrame:
    kept = ["trial", "arch", "valid_acc", "train_acc", "valid_loss", "train_loss", "curve", "epochs", "error"]
    return rows[[*kept, *TEXT, "fitness"]].reset_index(drop=True)


def test_the_table_of_the_document_says_what_proxies_need() -> None:
    rows = dict(re.findall(r"^\| ([^|]+) \| (`.*`) \|$", PAGE, flags=re.MULTILINE))
    said = {
        what.strip(): {
            name
            for pattern in re.findall(r"`([\w*]+)`", names)
            for name in PROXIES
            if re.fullmatch(pattern.replace("*", r"\w*"), name)
        }
        for what, names in rows.items()
    }
    found: dict[str, set[str]] = {what: set() for what in said}
    for name, proxy in PROXIES.items():
        need = needs_of(proxy)
        flags = {
            "images `[B, C, H, W]`": need.images,
            "inputs of real numbers": need.numbers,
            "labels `[B]` below `num_outputs`": need.labels,
            need.words: bool(need.words),
        }
        for what in (what for what, flag in flags.items() if flag):
            found[what].add(name)
    assert said == found


def test_text_is_trained_and_scored_in_a_search() -> None:
    first, second = (simulate(search(), trained(), num_samples=6) for _ in range(2))
    pd.testing.assert_frame_equal(without_times(first), without_times(second))
    assert first["error"].isna().all()
    assert first["valid_acc"].max() > 50  # a third by chance
    assert np.isfinite(first[list(TEXT)]).all(axis=None)
    by_score = simulate(search("snip"), ProxyScores.of_task(TextNets(), Bytes(), SCORED), num_samples=6)
    assert by_score["fitness"].tolist() == by_score["snip"].tolist()
    assert "valid_acc" not in by_score


@pytest.mark.ray
@pytest.mark.usefixtures("ray_started")
@pytest.mark.slow(faster="test_text_is_trained_and_scored_in_a_search")
def test_text_in_ray_equals_this_process_and_goes_on_after_a_kill(tmp_path: Path) -> None:
    whole = simulate(search(), trained(), num_samples=6)
    tuned = tune_search(search(), trained(checkpoints=tmp_path / "c"), folder=tmp_path, num_samples=3)
    pd.testing.assert_frame_equal(without_times(tuned), without_times(whole[:3]), check_dtype=False)
    begun = trained(checkpoints=tmp_path / "c").epochs(str(whole["arch"][3]))  # killed in the fourth
    next(begun)
    begun.close()
    again = search()
    again.replay(read_journal(tmp_path / FILE_NAME))
    with contextlib.closing(Journal(tmp_path / FILE_NAME)) as journal:
        rows = tune_search(
            again, trained(checkpoints=tmp_path / "c"), folder=tmp_path, num_samples=6, journal=journal
        )
    pd.testing.assert_frame_equal(without_times(rows), without_times(whole), check_dtype=False)


def row_of(scores: ProxyScores, arch: str) -> Row:
    rows: list[Row] = []
    scores(arch, rows.append)
    return rows[0]


def test_a_metric_of_another_name_and_the_loss_of_the_task() -> None:
    task, space = Radius(), Widths()
    training = ShortTraining.of_task(space, task, parse_recipe("epochs:3:batch_size=16,seeds=2"))
    rows = list(training.epochs("8"))
    assert training.metric_column == "valid_fit"
    assert rows[-1]["valid_fit"] == pytest.approx(-rows[-1]["valid_loss"], rel=1e-6)
    assert rows[-1]["valid_fit"] > rows[0]["valid_fit"]
    assert {"train_fit", "valid_fit_std"} < set(rows[-1])
    assert "valid_acc" not in rows[-1]
    row = row_of(ProxyScores.of_task(space, task, {"grad_norm": PROXIES["grad_norm"]}), "8")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = space.build("8", 1)
    task.loss(net(task.minibatch()[0]), task.minibatch()[1]).backward()
    norms = [float(m.weight.grad.norm()) for m in net if isinstance(m, nn.Linear)]  # type: ignore[union-attr]
    assert row["error"] is None
    assert row["grad_norm"] == pytest.approx(sum(norms), rel=1e-5)


def test_a_loss_that_is_none_is_a_failed_row() -> None:
    class PerExample(Radius):
        @staticmethod
        def loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
            return (outputs - targets).square()

    row = row_of(ProxyScores.of_task(Widths(), PerExample(), {"snip": PROXIES["snip"]}), "4")
    assert math.isnan(row["snip"])
    assert "snip: needs a loss that is one number, the mean over the examples." in row["error"]


IMAGES = "images as inputs, real numbers [B, C, H, W], got int64 [32, 16]; leave it out for this task."
NUMBERS = "inputs of real numbers, got int64 [32, 16]; leave it out for this task."
LABELS = "labels below 1 as targets, whole numbers [B], got float32 [32, 1]; leave it out for this task."
RELUS = "nets with ReLU modules, but none of 8 archs of the space has any; leave it out for this space."


@pytest.mark.parametrize(
    ("space", "task", "name", "said"),
    [
        (TextNets(), Bytes(), "zen", IMAGES),
        (TextNets(), Bytes(), "jacob_cov", NUMBERS),
        (Widths(), Radius(), "gradsign", LABELS),
        (Widths(nn.Tanh), Radius(), "swap", RELUS),
    ],
)
def test_an_unfit_proxy_is_refused(space: Any, task: Any, name: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        ProxyScores.of_task(space, task, {"params": PROXIES["params"], name: PROXIES[name]})
    assert str(caught.value) == f"The proxy {name!r} needs {said}"


@pytest.mark.parametrize(("task", "space"), [(Bytes(), TextNets()), (Radius(), Widths())])
def test_a_proxy_that_is_not_refused_does_not_raise(task: Any, space: Any) -> None:
    fit = {}
    for name, proxy in PROXIES.items():
        with contextlib.suppress(UsageError):
            ProxyScores.of_task(space, task, {name: proxy})
            fit[name] = proxy
    arch = space.sample(np.random.default_rng(1))
    row = row_of(ProxyScores.of_task(space, task, fit), arch)
    assert len(fit) >= 15
    assert row.get("error_kind") in (None, UNDEFINED), row["error"]


def test_images_score_as_they_do_without_a_task() -> None:
    data = ImageDataModule("digits", batch_size=16)
    space, inputs, targets = NatsTss(channels=4, cells=1), *(tensor.numpy() for tensor in data.minibatch())
    names = ("snip", "grasp", "zico", "fisher", "naswot")
    proxies = {name: PROXIES[name] for name in names}
    plain = row_of(ProxyScores(space, 10, inputs, targets, proxies), space[999])
    ours = row_of(ProxyScores.of_task(space, ImageTask.of(data), proxies), space[999])
    assert [ours[name] for name in names] == [plain[name] for name in names]


@pytest.mark.parametrize("change", ["label_smoothing=0.1", "class_weights=true"])
def test_an_option_that_the_task_cannot_follow_is_refused(change: str) -> None:
    name = change.partition("=")[0]
    with pytest.raises(UsageError) as caught:
        ShortTraining.of_task(TextNets(), Bytes(), parse_recipe(f"fast:{change}"))
    assert str(caught.value) == (
        f"The recipe option {name} needs a task with training_loss(recipe), which Bytes lacks; "
        f"leave {name} out."
    )
