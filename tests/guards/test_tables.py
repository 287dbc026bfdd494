"""Every command that is given a table refuses a cell that is no number, and takes any name of a table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.guards.commands import COMMANDS, call, refused

LOOKED_UP = sorted(
    set(COMMANDS)
    - {"train", "export_nats", "predict", "one_shot_truth", "trace", "compare_estimates", "unseen", "contest"}
    - {"record"}  # on the archs of another space here
)
"""Commands that take `--benchmark`."""
STORED = {
    "choose_score": "choose_score",
    "reproduce": "reproduce skips-rules --seeds 2",
    "compare_searchers": "compare_searchers rea,population=3,sample=2 --by naswot --evaluations 4 --seeds 2",
}
"""Commands that take `--scores-file`."""


def spoilt(table: Path, column: str, folder: Path) -> tuple[Path, str]:
    """Writes a table with a thousand in row 9 as a German would; returns it, and where that is."""
    frame = pd.read_csv(table, dtype=str)
    frame.loc[8, column] = "1'200.5"
    frame.to_csv(folder / "SPOILT.CSV", index=False, encoding="utf-8-sig")
    return folder / "SPOILT.CSV", f'got "1\'200.5" for {frame["arch"][8]} in line 10; correct the value.'


@pytest.mark.parametrize("name", LOOKED_UP)
def test_a_benchmark(name: str, files: Path, tmp_path: Path) -> None:
    table, said = spoilt(files / "nats.csv", "cifar10_test_acc_200", tmp_path)
    arguments = COMMANDS[name].tiny(files)
    out = COMMANDS[name].out(tmp_path)
    line = refused(name, *arguments, "--benchmark", table, "--out", out)
    assert line == (
        f"The column 'cifar10_test_acc_200' of the table {table} must hold percentages from 0 to 100, {said}"
    )
    assert not out.exists()


@pytest.mark.parametrize("name", STORED)
def test_stored_scores(name: str, files: Path, tmp_path: Path) -> None:
    table, said = spoilt(files / "scores.csv", "naswot", tmp_path)
    script, *arguments = STORED[name].split()
    given = ("--benchmark", files / "nats.csv", "--scores-file", table, "--out", tmp_path / "made")
    line = refused(script, *arguments, *given)
    assert (
        line == f"The column 'naswot' of the table {table} must hold numbers such as -1234.5 or 1e-3, {said}"
    )


def test_a_list_of_archs(files: Path, tmp_path: Path) -> None:
    pd.DataFrame({"arch": ["a"]}).to_parquet(tmp_path / "ARCHS.PARQUET")
    assert "must hold archs of the space only, but 1 of 1 are not" in refused(
        "score_space", "--archs", tmp_path / "ARCHS.PARQUET", "--out", tmp_path / "made"
    )


def test_a_directory_above_the_official_one(files: Path, tmp_path: Path) -> None:
    (tmp_path / "above").mkdir()
    (tmp_path / "above" / "NATS").symlink_to(files / "official")
    given = ("--benchmark", tmp_path / "above", "--out", tmp_path / "made")
    assert refused("rea", *COMMANDS["rea"].tiny(files), *given).endswith(f"; give {tmp_path}/above/NATS.")
    assert call("export_nats", tmp_path / "above", "--out", tmp_path / "x.csv").err.endswith(
        f"; give {tmp_path}/above/NATS.\n"
    )
