"""What estimates say of longer trainings: mixtures by hand, a small study, kill and resume."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from scipy.stats import spearmanr

from nas_ray.correlate.estimates import run as study
from nas_ray.correlate.estimates.args import EstimatesArgs
from nas_ray.correlate.estimates.judging import PARTS, Piece, drawn, world_of
from nas_ray.correlate.estimates.mixtures import with_mixtures
from nas_ray.errors import UsageError
from tests.commands.next_line import next_commands

TINY: dict[str, Any] = {
    "space": "nats-tss:channels=2,cells=1",
    "images": "generated:shapes,size=16,shapes=2,train=48,test=12",
    "num_archs": 10,
    "proxies": ("lcmnas",),
    "batch_size": 8,
    "short": "epochs:1:batch_size=16",
    "long": "epochs:2:batch_size=16",
    "weights": ("0.75,0",),
    "resamples": 20,
    "num_cpus": 1,
}


def args(**changes: Any) -> EstimatesArgs:
    return EstimatesArgs(**{**TINY, **changes})


def made(out: Path, **changes: Any) -> str:
    said = io.StringIO()
    assert study.run(args(out=out, **changes), Console(file=said, width=120)) == 0
    return said.getvalue()


def rows_in(out: Path) -> pd.DataFrame:
    table = pd.read_parquet(out / "archs.parquet")
    return table[[name for name in table if not str(name).endswith("_seconds")]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A finished study, and what it said."""
    out = tmp_path_factory.mktemp("whole")
    return out, made(out)


@pytest.fixture
def known(whole: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> list[Piece]:
    """Judges by the rows of the finished study, and returns the pieces that were asked for."""
    tables = {part: pd.read_parquet(whole[0] / f"{part}.parquet").set_index("arch") for part in PARTS}
    asked: list[Piece] = []

    def look_up(piece: Piece) -> tuple[Piece, dict[str, Any]]:
        asked.append(piece)
        row = dict(tables[piece.part].loc[piece.arch])
        return piece, {**row, "arch": piece.arch, "protocol": piece.protocol}

    monkeypatch.setattr(study, "judge", look_up)
    monkeypatch.setattr(study, "foretold", lambda *_: "known")
    for name in ("draw_bars", "draw_ranks"):
        monkeypatch.setattr(study, name, lambda *_: None)
    return asked


def test_mixtures_by_hand() -> None:
    rows = pd.DataFrame(
        {"arch": list("abcd"), "mine": [100.0, 50.0, 25.0, np.nan], "valid_acc": [10.0, 40.0, 70.0, 99.0]}
    )
    made, names = with_mixtures(rows, "mine", [0.75])
    assert names == [
        "mixed_raw=0.25:mine,valid_acc",
        "mixed=0.25:mine,valid_acc",
        "mixed_ranks=0.25:mine,valid_acc",
    ]
    assert made[names[0]].tolist() == [77.5, 47.5, 36.25, -np.inf]
    score = (np.array([100, 50, 25]) - 175 / 3) / np.sqrt((100**2 + 50**2 + 25**2) / 3 - (175 / 3) ** 2)
    accuracy = np.array([-1, 0, 1]) * np.sqrt(1.5)
    np.testing.assert_allclose(made[names[1]][:3], 0.75 * score + 0.25 * accuracy)


def test_a_study_from_end_to_end(whole: tuple[Path, str]) -> None:
    out, text = whole
    rows, table = rows_in(out), pd.read_csv(out / "estimates.csv").set_index("score")
    assert len(rows) == 10 == rows["arch"].nunique()
    assert rows["error"].isna().all()
    world = world_of(args())
    assert rows["arch"].tolist() == drawn(args(), world)
    for training, column in ((world.short, "valid_acc"), (world.long, "test_acc")):
        own: list[dict[str, Any]] = []
        training(rows["arch"][0], own.append)
        assert rows[column][0] == own[-1]["valid_acc"]
    assert table.loc["valid_acc", "spearman"] == pytest.approx(
        spearmanr(rows["valid_acc"], rows["test_acc"]).statistic
    )
    assert table.loc["mixed=1:lcmnas,valid_acc", "spearman"] == pytest.approx(
        table.loc["valid_acc", "spearman"]
    )
    assert {"lcmnas", "params", "flops", "num_conv", "live_ops"} < set(table.index)
    for name in ("estimates.md", "estimates.tex", "estimates.png", "ranks.png", "run.json"):
        assert (out / name).stat().st_size > 300
    assert "2 epochs on 48 images, judged on 12 test images" in text
    assert next_commands(text)[0].startswith(
        "nas-ray search random_search --space nats-tss:channels=2,cells=1"
    )
    assert not list(out.glob("*/checkpoints/*"))


def test_what_was_stopped_goes_on_and_what_is_there_is_not_made_again(
    whole: tuple[Path, str], known: list[Piece], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = study.judge

    def cut(piece: Piece) -> tuple[Piece, dict[str, Any]]:
        if len(known) == 4:
            raise KeyboardInterrupt
        return look_up(piece)

    with monkeypatch.context() as patched:
        patched.setattr(study, "judge", cut)
        assert study.run(args(out=tmp_path), Console(quiet=True)) == 130
    assert len(pd.read_parquet(tmp_path / "scores.parquet")) == 2
    known.clear()
    made(tmp_path)
    assert len(known) == 30 - 4
    pd.testing.assert_frame_equal(rows_in(tmp_path), rows_in(whole[0]), check_like=True)
    known.clear()
    made(tmp_path, weights=("0.5",))
    assert known == []
    made(tmp_path, long="epochs:3:batch_size=16")
    assert {piece.part for piece in known} == {"long"}
    known.clear()
    made(tmp_path, batch_size=4)
    assert {piece.part for piece in known} == {"scores"}


@pytest.mark.slow(faster="test_what_was_stopped_goes_on_and_what_is_there_is_not_made_again")
def test_what_was_killed_goes_on_to_equal_numbers_in_any_number_of_processes(
    whole: tuple[Path, str], tmp_path: Path
) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    words = ["--space", TINY["space"], "--images", TINY["images"], "--num-archs", "10",
             "--proxies", "lcmnas", "--batch-size", "8", "--short", TINY["short"], "--long", TINY["long"],
             "--weights", "0.75,0",
             "--resamples", "20", "--num-cpus", "2", "--out", str(tmp_path)]  # fmt: skip
    command = [sys.executable, "-m", "nas_ray", "compare-estimates", *words]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        while not (tmp_path / "long.parquet").exists() and process.poll() is None:
            time.sleep(0.05)
        process.kill()
    made(tmp_path, num_cpus=2)
    pd.testing.assert_frame_equal(rows_in(tmp_path), rows_in(whole[0]))


def test_an_arch_that_cannot_be_trained_is_the_worst(
    known: list[Piece], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = study.judge

    def failing(piece: Piece) -> tuple[Piece, dict[str, Any]]:
        own, row = look_up(piece)
        lost = {"accuracy": float("nan"), "error": "lost"} if piece.part == "long" and len(known) == 3 else {}
        return own, {**row, **lost}

    monkeypatch.setattr(study, "judge", failing)
    assert "1 of 10 archs could not be trained and count as 0 %." in made(tmp_path)
    table = pd.read_csv(tmp_path / "estimates.csv").set_index("score")
    rows = rows_in(tmp_path)
    assert rows["error"].dropna().to_dict() == {0: "lost"}
    expected = spearmanr(rows["valid_acc"], rows["test_acc"].fillna(0.0)).statistic
    assert table.loc["valid_acc", "spearman"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"weights": ("2",)}, "--weights must be from 0 to 1, got 2.0."),
        ({"weights": ("x",)}, "--weights must be a number from 0 to 1, got 'x'."),
        ({"short": "fas"}, "Unknown recipe 'fas'."),
        ({"mixed": "naswot"}, "--mixed must be one of --proxies, got naswot; add it there."),
        ({"proxies": ()}, "--proxies must name at least one proxy, got none; name one such as naswot."),
        ({"space": "hand-designed"}, "--num-archs must be at most what 1,000 draws for each find in the "),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence(given: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        study.run(args(out=tmp_path / "new", **given), Console(quiet=True))
    assert str(caught.value).startswith(message)
    assert not (tmp_path / "new").exists()
