"""What the pages must have come to, beyond that nothing failed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nas_ray.report.html_report import write_report
from nas_ray.report.read_tuned import Judged
from nas_ray.spaces import NatsTss
from tests.docs.running import Walk
from tests.report.page import Page


def readme(walk: Walk) -> None:
    if Path("runs/trained").is_dir():
        listed = {"model.pt", "model.onnx", "model.pt2", "model_card.md", "confusion.png", "curves.png"}
        assert listed <= {path.name for path in Path("runs/trained").iterdir()}
        table = pd.read_csv("runs/trained/comparison.csv").set_index("label")
        assert table.loc["found", "test_acc"] > 85
        said = walk.said["nas-ray " + " ".join(_words("nas-ray train runs/digits", walk))]
        assert "time       about " in said


def _words(begin: str, walk: Walk) -> list[str]:
    whole = next(words for words in walk.said if words.startswith(begin))
    return whole.split()[1:]


def new_proxy(walk: Walk) -> None:
    rows = walk.names["rows"]
    assert len(rows) == 10
    assert np.isfinite(rows["active_share"]).all()


def library(walk: Walk) -> None:
    names = walk.names
    assert (names["outcome"].status, len(names["outcome"].rows)) == ("finished", 60)
    assert (names["cancelled"].status, len(names["cancelled"].rows)) == ("cancelled", 80)
    assert (names["resumed"].status, len(names["resumed"].rows)) == ("finished", 100)
    assert names["resumed"].best["valid_acc"] > 85


def new_task(walk: Walk) -> None:
    rows = walk.names["rows"]
    assert len(rows) == 10
    assert rows["error"].isna().all()
    assert rows["valid_acc"].max() > 80
    assert rows["fitness"].tolist() == rows["valid_acc"].tolist()
    assert np.isfinite(rows[["swap", "snip", "grad_norm"]]).all(axis=None)


def finding_trials(walk: Walk) -> None:
    rows, best = walk.names["rows"], walk.names["best"]
    assert list(rows.columns[:3]) == ["arch", "found", "valid_acc"]
    assert rows["arch"].str.match(r"toy,seed=\d+$").all()
    assert all(found in NatsTss() for found in rows["found"])
    assert best["valid_acc"] == rows["valid_acc"].max()
    assert len(list(walk.names["net"].parameters())) > 0


def searchers(walk: Walk) -> None:
    rows = walk.names["rows"]
    assert isinstance(rows, pd.DataFrame)
    assert len(walk.names["front"]) > 1


def hyper_parameters(walk: Walk) -> None:
    assert str(walk.names["space"]) == "nats-tss@lr=log:0.01..1,batch_size=32/64"


def batched(walk: Walk) -> None:
    assert walk.names["scores"].shape == (8,)
    assert walk.names["rows"]["synflow"].notna().all()


def own_data(walk: Walk) -> None:
    if not Path("runs/trained").is_dir():
        return
    info = json.loads(Path("runs/trained/run.json").read_text(encoding="utf-8"))
    assert (info["args"]["dataset"], info["images"]["num_classes"], info["images"]["image_size"]) == (
        "own", 10, 8,
    )  # fmt: skip
    costs = pd.read_csv("runs/trained/comparison.csv").set_index("label")["params"]
    assert costs["random-0"] == pytest.approx(costs["found"], rel=0.1)
    counts = pd.read_csv("runs/trained/confusion.csv", index_col=0)
    assert counts.to_numpy().sum() == info["images"]["test"] == 359
    card = Path("runs/trained/model_card.md").read_text(encoding="utf-8")
    right = pd.read_csv("runs/trained/results.csv").query("label == 'found'")
    assert any(f"{value:.2f} (" in card for value in right["test_acc"])
    assert json.loads(Path("runs/ready/best.json").read_text(encoding="utf-8"))["benchmark"] is None


def ray_tune(walk: Walk) -> None:
    names = walk.names
    assert len(names["rows"]) == 4
    assert list(Path("runs/tuned/tune_logs").rglob("result.json"))
    assert names["found"]["benchmark_rank"].between(1, 15_625).all()
    assert len(names["searcher"].history) == 4
    assert names["grid"].num_errors == names["trained"].num_errors == 0
    assert names["best"].checkpoint is not None
    folders = [Path(names[name].experiment_path) for name in ("own", "grid", "trained")]
    judged = [Judged("spread"), Judged("rank_sum:naswot,synflow"), None]
    for folder, how, count in zip(folders, judged, (4, 2, 3), strict=True):
        page = Page(write_report([folder], judged=how))
        assert page.facts["evaluations"] == str(count)
    assert Page(write_report([Path("table.parquet")])).facts["fitness"] == "naswot"
    assert Page(write_report([Path("runs/rea")])).facts["evaluations"].startswith("4")


def trained_net(walk: Walk) -> None:
    said = next(text for words, text in walk.said.items() if words.startswith("nas-ray predict"))
    assert "photos/black.png" in said
    assert pd.read_csv("classes.csv")["image"].tolist() == ["photo.jpg", "photos/black.png"]
    printed = "".join(text for words, text in walk.said.items() if words.startswith("docs/"))
    assert printed.count("photo.jpg") == 2


CHECKS: dict[str, Callable[[Walk], None]] = {
    "README.md": readme,
    "docs/library.md": library,
    "docs/new_proxy.md": new_proxy,
    "docs/new_task.md": new_task,
    "docs/finding_trials.md": finding_trials,
    "docs/ray_tune.md": ray_tune,
    "docs/searchers.md": searchers,
    "docs/trained_net.md": trained_net,
    "docs/hyper_parameters.md": hyper_parameters,
    "docs/batched.md": batched,
    "docs/own_data.md": own_data,
}
