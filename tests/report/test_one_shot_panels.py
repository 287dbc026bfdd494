"""The course of one-shot searches on the page, from files that may hold anything."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from nas_ray.report.one_shot_panels import one_shot_panels


def run(folder: Path, accuracy: Any = 90.0) -> Any:
    """A run of two searches of two epochs each."""
    epochs = [
        {"arch": f"darts1,seed={seed}", "epoch": epoch, "found": "a", "accuracy": accuracy,
         "valid_acc": 10.0 * epoch, "skips": 1, "entropy": 1.5}
        for seed in (0, 1)
        for epoch in (1, 2)
    ]  # fmt: skip
    pd.DataFrame(epochs).to_csv(folder / "epochs.csv", index=False)
    weights = [
        {
            "arch": "darts1,seed=0",
            "epoch": epoch,
            "graph": "cell",
            "source": 0,
            "target": 1,
            "op": op,
            "weight": 0.5,
        }
        for epoch in (1, 2)
        for op in ("none", "skip_connect")
    ]
    pd.DataFrame(weights).to_parquet(folder / "weights.parquet")
    return SimpleNamespace(folder=folder, experiment="one_shot", name="run")


def test_every_epoch_and_every_weight_is_shown(tmp_path: Path) -> None:
    panels = one_shot_panels([run(tmp_path)])
    assert len(panels) == 4 + 1
    accuracy, weights = panels[0].plot, panels[-1].plot
    assert [list(line.x) for line in accuracy.data] == [[1, 2], [1, 2]]
    assert list(weights.data[0].y) == ["0 to 1  none", "0 to 1  skip_connect"]


def test_the_largest_eigenvalue_is_shown_where_it_was_asked_for(tmp_path: Path) -> None:
    made = run(tmp_path)
    table = pd.read_csv(tmp_path / "epochs.csv")
    table.assign(lambda_max=0.1 * table["epoch"]).to_csv(tmp_path / "epochs.csv", index=False)
    shown = one_shot_panels([made])[4]
    assert shown.title == "Largest eigenvalue of the validation loss"
    assert list(shown.plot.data[0].y) == [0.1, 0.2]


def test_without_a_benchmark_there_is_no_accuracy(tmp_path: Path) -> None:
    assert len(one_shot_panels([run(tmp_path, None)])) == 3 + 1


@pytest.mark.parametrize(
    ("name", "content", "left"),
    [
        ("epochs.csv", b"arch,epoch\nx,abc\n", 0),
        ("epochs.csv", b"\x00\xff", 0),
        ("weights.parquet", b"PAR1 and nothing else", 4),
        ("weights.parquet", b"", 4),
    ],
)
def test_a_damaged_file_costs_its_figures_alone(tmp_path: Path, name: str, content: bytes, left: int) -> None:
    made = run(tmp_path)
    (tmp_path / name).write_bytes(content)
    assert len(one_shot_panels([made])) == left


def test_texts_in_the_place_of_numbers_are_not_drawn(tmp_path: Path) -> None:
    made = run(tmp_path)
    text = (tmp_path / "epochs.csv").read_text().replace("10.0", "<b>")
    (tmp_path / "epochs.csv").write_text(text)
    assert len(one_shot_panels([made])) == 5
