"""Pictures and the card, through the tables behind them."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import nas_ray
from nas_ray.errors import UsageError
from nas_ray.report.read_runs import read_runs
from nas_ray.runs.folder import write_json
from nas_ray.train.args import TrainArgs
from nas_ray.train.card import _training, model_card
from nas_ray.train.curves import draw_curves
from nas_ray.train.job import TrainJob, prepare
from nas_ray.train.leave import leave
from nas_ray.train.outcome import Outcome
from nas_ray.train.pictures import confusion, draw_confusion
from nas_ray.train.rows import results_table, summary_table, to_markdown
from tests.proxies.nets import CONNECTED

INFO = {
    "versions": {"torch": "2.0", "ray": None},
    "hardware": {"gpus": [], "system": "Linux", "cpu_cores": 2},
    "commit": "abc",
    "started": "2020-01-01",
}


@pytest.fixture(scope="module")
def job() -> TrainJob:
    arguments = {"images": "digits", "recipe": "epochs:3", "seeds": 2, "formats": ("onnx",)}
    return prepare(TrainArgs(arch=CONNECTED[0], beside=("lenet-5",), **arguments))  # type: ignore[arg-type]


def rows() -> list[dict[str, object]]:
    right = {("found", 0): 400, ("found", 1): 410, ("lenet-5", 0): 390, ("lenet-5", 1): 402}
    return [
        {"label": label, "seed": seed, "test_right": count, "test_images": 450, "test_acc": count / 4.5}
        | {"best_epoch": 2}
        for (label, seed), count in right.items()
    ]


def summary(job: TrainJob) -> pd.DataFrame:
    facts = [
        {"label": one.label, "arch": one.arch, "params": one.params, "flops": one.flops}
        | {"latency_ms": 1.25, "naswot": 600.0, "synflow": float("nan")}
        for one in job.candidates
    ]
    return summary_table(results_table(rows()), pd.DataFrame(facts))


def outcome(job: TrainJob, **differences: float) -> Outcome:
    return Outcome(summary(job), results_table(rows()), rows()[1], differences, INFO)


def test_the_card_says_what_was_measured(job: TrainJob) -> None:
    card = model_card(job, outcome(job, onnx=2e-6))
    for text in (
        CONNECTED[0],
        "| this net | 91.11 (88.12 to 93.40) | 95 % Wilson interval over 450 test images |",
        "| nets trained like it | 90.00 (75.88 to 100.00) | 95 % t interval over 2 seeds |",
        "This net is that of seed 1 after epoch 2",
        f"- parameters: {job.found.params:,.0f}",
        "- trained on 1,077, held out 270 to choose the epoch, tested on 450",
        "seeds: 0, 1; split seed 0",
        "- `model.onnx` differs from the net by at most 2.0e-06 in a logit",
        "- torch 2.0\n",
    ):
        assert text in card, text
    assert "pt2" not in card


@pytest.mark.slow(faster="test_the_card_says_what_was_measured")
def test_the_lines_of_the_card_are_executed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = {"images": "digits", "recipe": "epochs:3", "seeds": 2, "formats": ("onnx", "pt2")}
    job = prepare(TrainArgs(arch=CONNECTED[0], beside=("lenet-5",), **arguments))  # type: ignore[arg-type]
    write_json(tmp_path / "run.json", {**INFO, "format": 1, "experiment": "train", "args": {}})
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = job.found.space.build(job.found.arch, job.images.num_classes).eval()
    curve = [pd.DataFrame({"epoch": [1, 2], "train_acc": [1, 2], "train_loss": [2, 1]})]
    curves = {"found": curve, "lenet-5": curve}
    leave(job, net, summary(job), results_table(rows()), rows()[1], curves, tmp_path)
    monkeypatch.chdir(tmp_path)
    size = job.images.image_size
    pixels = np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save("photo.jpg", quality=95)
    (block,) = re.findall(r"```python\n(.*?)```", (tmp_path / "model_card.md").read_text(), re.S)
    exec(block, {})
    _, row, by_onnx, by_torch = capsys.readouterr().out.strip().splitlines()
    expected = nas_ray.load("model.pt").predict("photo.jpg")["label"][0]
    assert expected in job.images.classes
    assert row.split()[1:3] == ["photo.jpg", expected]
    assert [by_onnx, by_torch] == [expected, expected]


def test_a_space_of_others_is_named_where_its_net_is_loaded(job: TrainJob) -> None:
    found = dataclasses.replace(job.found, space_name="mine:Space")
    card = model_card(dataclasses.replace(job, found=found), outcome(job))
    assert 'net = nas_ray.load("model.pt", nas_ray.open_space("mine:Space"))' in card


def test_the_table_shows_every_arch_with_its_gap(job: TrainJob) -> None:
    lines = to_markdown(summary(job), ["naswot", "synflow"])
    assert len(lines) == 4
    assert lines[3].startswith("| lenet-5 | 0.062 | ")
    assert " | 600 | - | 88.00 (" in lines[3]
    assert " | 2.00 (" in lines[3]  # 10 and 8 of 450 images


def test_rows_of_the_confusion_matrix_are_true_classes() -> None:
    counts = confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), ["cat", "dog", "eel"])
    assert counts.loc["cat"].tolist() == [1, 1, 0]
    assert counts.loc["dog"].tolist() == [0, 1, 0]
    assert counts.loc["eel"].tolist() == [0, 0, 0]


@pytest.mark.parametrize("classes", [3, 60])
def test_pictures_are_drawn(tmp_path: Path, classes: int) -> None:
    names = [str(number) for number in range(classes)]
    draw_confusion(confusion(np.arange(classes), np.zeros(classes), names), tmp_path / "a.png", "title")
    curve = pd.DataFrame({"epoch": [1, 2], "train_acc": [1, 2], "train_loss": [2, 1]})
    draw_curves({"found": [curve, curve.assign(valid_acc=1, valid_loss=1)]}, tmp_path / "b.png", "title")
    for name in ("a.png", "b.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_a_report_points_to_the_card(tmp_path: Path) -> None:
    write_json(tmp_path / "run.json", {"format": 1, "experiment": "train", "args": {}})
    with pytest.raises(UsageError) as caught:
        read_runs(tmp_path, None)  # type: ignore[arg-type]  # not asked for
    assert str(caught.value) == (
        f"{tmp_path} is a training, whose report is {tmp_path / 'model_card.md'}; give folders of searches."
    )


def test_the_line_of_the_recipe_says_nothing_of_seeds() -> None:
    job: Any = SimpleNamespace(
        identity=lambda: {"recipe": {"epochs": 4, "seeds": 1, "lr": 0.1}},
        args=SimpleNamespace(recipe="fast", split_seed=5), seeds=(0, 1, 2), devices="cpu",
    )  # fmt: skip
    assert _training(job)[2:4] == ["- recipe `fast`: epochs 4, lr 0.1", "- seeds: 0, 1, 2; split seed 5"]
