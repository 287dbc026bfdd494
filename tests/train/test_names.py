"""Names of classes that no file could hold are told or written as escapes before anything is trained."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import nas_ray
from nas_ray.errors import UsageError
from nas_ray.images.datasets import OWN, DatasetInfo
from nas_ray.images.sources import open_images
from nas_ray.terminal.console import output
from nas_ray.train.args import TrainArgs
from nas_ray.train.run import train

NOT_UTF8, PIPE = os.fsdecode(b"caf\xe9"), "a|b `c` $\\frac$"


def write_classes(folder: Path, names: list[str], size: int = 8) -> Path:
    rng = np.random.default_rng(0)
    for name in names:
        (folder / name).mkdir(parents=True)
        for number in range(5):
            pixels = rng.integers(0, 256, (size, size, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


def test_names_that_would_become_one_are_told(tmp_path: Path) -> None:
    images = write_classes(tmp_path / "images", [NOT_UTF8, r"caf\xe9"])
    with pytest.raises(UsageError, match="Class folders need different names, but two of .* rename one"):
        open_images(f"folder:{images}", DatasetInfo(OWN, 2, 8))


def test_a_training_writes_every_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = write_classes(tmp_path / NOT_UTF8, [NOT_UTF8, PIPE], size=32)
    args = TrainArgs(
        arch="lenet-5",
        dataset="own",
        images=f"folder:{images}",
        recipe="epochs:1",
        seeds=1,
        formats=("none",),
        proxies=("params",),
        num_threads=1,
        out=tmp_path / "out",
    )
    assert train(args, output()) == 0
    shown = (r"caf\xe9", PIPE)
    assert nas_ray.load(tmp_path / "out" / "model.pt").facts.classes == tuple(sorted(shown))
    counts = pd.read_csv(tmp_path / "out" / "confusion.csv", index_col=0)
    assert set(counts.columns) == set(shown)
    card = (tmp_path / "out" / "model_card.md").read_text(encoding="utf-8")
    assert r"`caf\xe9`" in card
    assert "`a|b 'c' $\\frac$`" in card
    assert (tmp_path / "out" / "confusion.png").stat().st_size > 1_000
    said = capsys.readouterr()
    assert "cannot be" not in said.err
    assert said.out.splitlines()[-1].startswith("next: nas-ray predict ")
