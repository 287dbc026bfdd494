"""What `perf/first_command_seeds.py` keeps, goes on with and counts; a program stands for the command."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

PERF = Path(__file__).parents[2] / "perf"
COMMAND = """
import json, pathlib, sys
words = dict(zip(sys.argv[1::2], sys.argv[2::2]))
seed, out = int(words["--seed"]), pathlib.Path(words["--out"])
with open(words["--told"], "a") as file:
    print(seed, file=file)
out.mkdir()
if seed == 13:
    sys.exit("seed 13 fails")
known = {"num_archs": 1000, "acc_column": "valid_acc", "acc_source": "a table"}
known["benchmark_best_accuracy"] = 95.0
ranks = {0: 1, 1: 10, 2: 11}
rank = {"rank": ranks[seed], "accuracy": 95.0 - ranks[seed]} if seed in ranks else {"rank": None}
(out / "best.json").write_text(json.dumps({"arch": f"arch {seed}", **known, **rank}))
"""


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(PERF))
    import first_command_seeds

    return first_command_seeds


@pytest.fixture
def command(tmp_path: Path) -> str:
    (tmp_path / "command.py").write_text(COMMAND)
    return f"{tmp_path / 'command.py'} --told {tmp_path / 'told'}"


def run(script: ModuleType, monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["first_command_seeds.py", *words])
    script.main()


def test_what_is_finished_is_kept_and_counted(
    script: ModuleType,
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "kept"
    run(script, monkeypatch, str(folder), "--command", command, "--seeds", "0..1")
    (folder / "seed-2").mkdir()  # as of one that was killed
    run(script, monkeypatch, str(folder), "--command", command, "--seeds", "0..2")
    assert (tmp_path / "told").read_text().split() == ["0", "1", "2"]
    *_, top, rank, accuracy, seconds = capsys.readouterr().out.splitlines()
    assert top == "found archs in the best 1% (rank 10 or better): 2 of 3"
    assert rank == "median rank 10 of 1000 (best 1 %), worst 11 (seed 2)"
    assert accuracy == "valid_acc: median 85.00, worst 84.00, best of all archs 95.00 (a table)"
    assert seconds.startswith("seconds of a command: median ")


def test_one_that_is_in_no_table_is_the_worst(script: ModuleType) -> None:
    known = {"num_archs": 1000, "acc_column": "a", "acc_source": "b", "benchmark_best_accuracy": 95.0}
    found = {0: {**known, "rank": 3, "accuracy": 90.0, "wall": 1.0}, 1: {"rank": None, "wall": 3.0}}
    assert script.summary(found)[:2] == [
        "found archs in the best 1% (rank 10 or better): 1 of 2",
        "median rank 501.5 of 1000 (best 50 %), worst 3 (seed 0)",
    ]
    assert script.summary({0: {"rank": None, "wall": 1.0}}) == [
        "None of 1 seeds found an arch that the table knows."
    ]


def test_a_command_that_fails_says_so_and_loses_nothing(
    script: ModuleType, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(script, monkeypatch, str(tmp_path / "kept"), "--command", command, "--seeds", "0")
    with pytest.raises(SystemExit, match=r"--seed 13 .*ended with 1:\nseed 13 fails"):
        run(script, monkeypatch, str(tmp_path / "kept"), "--command", command, "--seeds", "13")
    assert json.loads((tmp_path / "kept" / "seed-0" / "best.json").read_text())["rank"] == 1


@pytest.mark.parametrize("seeds", ["all", "0..", "1.5"])
def test_seeds_are_numbers(seeds: str, script: ModuleType) -> None:
    with pytest.raises(SystemExit, match="--seeds must be a number or FIRST"):
        script.seeds_of(seeds)


def test_a_folder_is_of_one_command_and_outside_of_the_checkout(script: ModuleType, tmp_path: Path) -> None:
    script.opened(tmp_path / "a", "one")
    script.opened(tmp_path / "a", "one")
    with pytest.raises(SystemExit, match="is of .*'one'.*'two'.*take another folder"):
        script.opened(tmp_path / "a", "two")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mine").touch()
    with pytest.raises(SystemExit, match="must be empty or made by this script"):
        script.opened(tmp_path / "b", "one")
    with pytest.raises(SystemExit, match="must be outside of the checkout"):
        script.opened(PERF / "kept", "one")
