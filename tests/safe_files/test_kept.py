"""Damage that costs no more than what is damaged, and pickles that nobody reads."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pyarrow.fs import FileInfo, FileType

from nas_ray.errors import UsageError
from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.evaluation.training_checkpoints import TrainingCheckpoints
from nas_ray.images.image_data import ImageDataModule
from nas_ray.runs.folder import make_folder, write_json
from nas_ray.runs.journal import FILE_NAME, Journal, read_journal
from nas_ray.runs.resume import resume_command
from nas_ray.runs.storage import Storage
from nas_ray.safe_files.foreign import check_brings_no_code, check_own_files
from nas_ray.search.arguments import SearchArgs, parse
from nas_ray.spaces import NatsTss
from nas_ray.terminal import cli
from nas_ray.training.recipes import parse_recipe
from tests.night import by_day
from tests.safe_files.cases import CANARY, GARBAGE, Runs, hostile_pickle

ASK = b'{"event": "ask", "trial": 0, "arch": "a"}\n'
VICTIM = "of the user's own"


def test_a_journal_whose_last_line_was_cut_keeps_the_others(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(ASK + b'{"event": "tell", "tr')
    assert [event["event"] for event in read_journal(path)] == ["ask"]
    Journal(path).close()
    assert path.read_bytes() == ASK


@pytest.mark.parametrize("name", ["tuner.pkl", "experiment_state.json", "trial/params.pkl"])
def test_snapshots_of_ray_are_removed_unread(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "tune" / name).parent.mkdir(parents=True)
    (folder / "tune" / name).write_bytes(hostile_pickle(folder))
    check_own_files(folder)
    assert not (tmp_path / CANARY).exists()
    assert list(folder.iterdir()) == []


def test_what_a_link_among_snapshots_leads_to_is_kept(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "x").write_text(VICTIM)
    (tmp_path / "run" / "tune").mkdir(parents=True)
    (tmp_path / "run" / "tune" / "trial").symlink_to(tmp_path / "own")
    check_own_files(tmp_path / "run")
    assert (tmp_path / "own" / "x").read_text() == VICTIM
    assert list((tmp_path / "run").iterdir()) == []


def test_a_temporary_file_that_is_a_link_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text(VICTIM)
    (tmp_path / f".{os.getpid()}-run.json").symlink_to(tmp_path / "own.txt")
    write_json(tmp_path / "run.json", {"a": 1})
    assert (tmp_path / "own.txt").read_text() == VICTIM
    assert json.loads((tmp_path / "run.json").read_text()) == {"a": 1}
    assert not (tmp_path / "run.json").is_symlink()


def test_to_try_a_folder_writes_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".write-test").symlink_to(tmp_path / "made")
    make_folder(tmp_path / "run")
    assert not (tmp_path / "made").exists()


def test_keys_of_a_storage_that_lead_elsewhere_are_left_there(tmp_path: Path) -> None:
    keys = ("run.json", "../up", "a/../../up", "/etc/passwd", "a//b", ".hidden", "scores/journal.jsonl")

    class Keys:
        def get_file_info(self, selector: object) -> list[FileInfo]:
            return [FileInfo(f"{tmp_path}/{key}", type=FileType.File) for key in keys]

    storage = Storage(f"file://{tmp_path}")
    storage._system = Keys()
    assert storage.names() == ["run.json", "scores/journal.jsonl"]


DAMAGE: dict[str, Callable[[dict[str, Any], Path], Any]] = {
    "code": lambda state, folder: {**state, "more": Runs(folder)},
    "no weights": lambda state, folder: {k: v for k, v in state.items() if k != "states"},
    "weights that are text": lambda state, folder: {**state, "states": ["x"]},
    "weights of another net": lambda state, folder: {
        **state, "states": [{**state["states"][0], "module": {}}]
    },
    "a row that is text": lambda state, folder: {**state, "row": "x"},
    "a row of rows": lambda state, folder: {**state, "row": {**state["row"], "more": {"a": 1}}},
    "epochs that are text": lambda state, folder: {**state, "row": {**state["row"], "epochs": "2"}},
}  # fmt: skip


@pytest.fixture(scope="module")
def digits() -> Any:
    return ImageDataModule("digits").train_images


DAILY = ("code", "weights of another net", "a row of rows")


@pytest.mark.parametrize("damage", by_day(DAMAGE, DAILY, faster="test_a_damaged_checkpoint_is_a_new_start"))
def test_a_damaged_checkpoint_is_a_new_start(damage: str, digits: Any, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    space, recipe = NatsTss(channels=2, cells=1), parse_recipe("epochs:2")
    arch = next(iter(space))
    made = ShortTraining(space, 10, digits, recipe, until=1, checkpoints=folder, keep_checkpoints=True)
    whole = [row["valid_acc"] for row in made.epochs(arch)]
    (path,) = folder.iterdir()
    torch.save(DAMAGE[damage](torch.load(path, weights_only=True), folder), path)
    again = ShortTraining(space, 10, digits, recipe, until=1, checkpoints=folder, keep_checkpoints=True)
    assert [(row["valid_acc"], row["epochs"], row["error"]) for row in again.epochs(arch)] == [
        (whole[0], 1, None)
    ]
    assert not (tmp_path / CANARY).exists()


@pytest.mark.parametrize("content", [b"", GARBAGE, b"\x80\x02."])
def test_bytes_that_are_no_checkpoint_are_none(content: bytes, tmp_path: Path) -> None:
    store = TrainingCheckpoints(tmp_path, "x")
    store.save("../../a", {})
    (path,) = tmp_path.iterdir()
    assert store.load("../../a") == {"arch": "../../a", "identity": "x"}
    path.write_bytes(content)
    assert store.load("../../a") is None


@pytest.mark.parametrize(
    ("stored", "words", "environment", "expected"),
    [
        ("203.0.113.7:6379", ("--address", "local"), "", "local"),
        ("203.0.113.7:6379", ("--address=h:1",), "", "h:1"),
        ("203.0.113.7:6379", (), "mine:6379", None),  # RAY_ADDRESS says where
        ("auto", (), "", "auto"),
        (None, (), "", None),
    ],
)
def test_a_cluster_is_joined_if_it_is_named(
    stored: str | None,
    words: tuple[str, ...],
    environment: str,
    expected: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", environment)
    (tmp_path / "run.json").write_text(
        json.dumps({"format": 1, "experiment": "rea", "args": {"address": stored}})
    )
    assert parse(SearchArgs, "rea", "", ["--resume", str(tmp_path), *words]).address == expected


def test_the_command_that_goes_on_names_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["rea.py"])
    assert resume_command("runs/a", "h:1") == "python rea.py --resume runs/a --address h:1"
    assert resume_command("runs/a b") == "python rea.py --resume 'runs/a b'"


def test_a_message_cannot_steer_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, cli.reported_errors():
        raise UsageError("é \x1b[2J\r\x9b1A end")
    assert ended.value.code == 2
    assert capsys.readouterr().err == "error: é \\x1b[2J\\r\\x9b1A end\n"


def test_a_run_folder_may_be_called_as_its_space_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "pnas"
    folder.mkdir()
    check_brings_no_code({"space": "pnas:cells=1"}, folder)
    (folder / "inner.py").touch()
    check_brings_no_code({"space": "pnas:cells=1"}, folder)
    with pytest.raises(UsageError, match="names the module pnas, which Python would import from that very"):
        check_brings_no_code({"space": "pnas.inner:Space"}, folder)
    (folder / "__init__.py").touch()
    with pytest.raises(UsageError, match="a run folder brings no code"):
        check_brings_no_code({"space": "pnas:cells=1"}, folder)
