"""The walk-through for images of one's own, run as it stands with a tiny budget."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest

from tests.guards.commands import call

ROOT = Path(__file__).parents[2]
TINY = {
    "--num-samples 60": (
        "--num-samples 4 --population 3 --sample 2 --batch-size 8 --driver process --space small:small"
    ),
    "--recipe epochs:30:flip=false --seeds 3": (
        "--recipe epochs:1:data_fraction=0.1 --seeds 2 --num-threads 1"
    ),
    "--num-samples 9": "--num-samples 2 --batch-size 8 --driver process --proxies synflow",
}

SMALL = "from nas_ray.spaces import NatsTss\n\ndef small():\n    return NatsTss(channels=4, cells=1)\n"


def blocks(language: str) -> list[str]:
    text = (ROOT / "docs" / "own_data.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.S)


def test_the_walk_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make, use = blocks("python")
    commands = [line for block in blocks("bash") for line in block.strip().splitlines()]
    assert len(commands) == 4
    for long, short in TINY.items():
        assert sum(long in command for command in commands) == 1
        commands = [command.replace(long, short) for command in commands]
    (tmp_path / "small.py").write_text(SMALL)
    exec(make, {})
    for command in commands:
        python, script, *arguments = shlex.split(command)
        assert python == "python"
        ended = call(Path(script).stem, *arguments, environment={"COLUMNS": "140"})
        assert ended.code == 0, ended
    folder = tmp_path / "runs" / "trained"
    listed = {"model.pt", "model.onnx", "model.pt2", "model_card.md", "confusion.png", "curves.png"}
    assert listed <= {path.name for path in folder.iterdir()}
    info = json.loads((folder / "run.json").read_text())
    assert (info["args"]["dataset"], info["images"]["num_classes"], info["images"]["image_size"]) == (
        "own",
        10,
        8,
    )
    comparison = pd.read_csv(folder / "comparison.csv")
    assert comparison["label"].tolist() == ["found", "resnet-20", "random-0"]
    costs = comparison.set_index("label")["params"]
    assert costs["random-0"] == pytest.approx(costs["found"], rel=0.1)
    counts = pd.read_csv(folder / "confusion.csv", index_col=0)
    assert counts.to_numpy().sum() == info["images"]["test"] == 359
    card = (folder / "model_card.md").read_text()
    right = pd.read_csv(folder / "results.csv").query("label == 'found'")
    assert any(f"{value:.2f} (" in card for value in right["test_acc"])
    with contextlib.redirect_stdout(io.StringIO()) as said:
        exec(use.replace('model.pt"', 'model.pt", space=small.small()'), {"small": import_module("small")})
    assert f"[{len(list((tmp_path / 'digits' / '3').iterdir()))} rows x 3 columns]" in said.getvalue()
    best = json.loads((tmp_path / "runs" / "ready" / "best.json").read_text())
    assert best["benchmark"] is None
