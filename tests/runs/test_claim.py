"""Who may write into a folder."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nas_ray.errors import UsageError
from nas_ray.runs.claim import LOCK, Opens, claimed

HOLD = """
import sys
from pathlib import Path
from nas_ray.runs.claim import claimed
with claimed(Path(sys.argv[1]), "rea"):
    print("held", flush=True)
    sys.stdin.read()
"""


def write_info(folder: Path, **info: object) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "run.json").write_text(json.dumps({"format": 1, **info}))


def test_another_process_is_kept_out_until_it_dies(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    command = [sys.executable, "-c", HOLD, str(folder)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(UsageError) as caught, claimed(folder, "rea"):
        pass
    assert str(caught.value) == (f"Another process is writing the folder {folder}; wait for it or stop it.")
    holder.kill()
    holder.communicate()
    with claimed(folder, "rea"):
        pass


@pytest.mark.parametrize(
    ("info", "held"),
    [
        ({"experiment": "rea"}, "a run of rea.py"),
        ({"experiment": "compare"}, "a run of compare_searchers.py"),
        ({"experiment": 3}, "a run of 3.py"),
        ({"proxies": [], "fitness": [], "datasets": [], "archs": 10}, "a run of correlate.py"),
        ({"proxies": {}, "init_seed": 0}, "a search"),
    ],
)
def test_another_experiment_is_refused(info: dict[str, object], held: str, tmp_path: Path) -> None:
    write_info(tmp_path, **info)
    before = (tmp_path / "run.json").read_bytes()
    with pytest.raises(UsageError) as caught, claimed(tmp_path, "choose"):
        pass
    assert str(caught.value) == (
        f"The folder {tmp_path} holds {held}, which choose_score.py would overwrite; choose another --out."
    )
    assert (tmp_path / "run.json").read_bytes() == before


def test_a_journal_is_a_search_whatever_stands_beside_it(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").touch()
    with (
        pytest.raises(UsageError, match="holds a search, which best_arch.py would"),
        claimed(tmp_path, "best_arch"),
    ):
        pass
    write_info(tmp_path, experiment="best_arch")
    with pytest.raises(UsageError, match="holds a run of best_arch.py"), claimed(tmp_path, "best_arch"):
        pass


def test_the_same_experiment_goes_on(tmp_path: Path) -> None:
    write_info(tmp_path, proxies=[], fitness=[], datasets=[], archs=10)
    with claimed(tmp_path, "correlate"):
        pass


def test_a_new_run_needs_a_folder_without_one(tmp_path: Path) -> None:
    write_info(tmp_path / "a", experiment="rea")
    with pytest.raises(UsageError, match="already holds a run; continue it with --resume"):
        claimed(tmp_path / "a", "rea", Opens.NEW).__enter__()
    with pytest.raises(UsageError, match="is none"), claimed(tmp_path / "b", "rea", Opens.RESUMED):
        pass
    assert not (tmp_path / "b").exists()


def test_what_is_refused_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="later"), claimed(tmp_path / "new", "rea", Opens.NEW):
        raise ValueError("later")
    assert not (tmp_path / "new").exists()


def test_a_folder_that_was_there_stays(tmp_path: Path) -> None:
    with claimed(tmp_path, "rea", Opens.NEW):
        pass
    assert tmp_path.is_dir()


def test_what_a_killed_process_was_writing_goes(tmp_path: Path) -> None:
    write_info(tmp_path, experiment="compare")
    (tmp_path / ".123-results.csv").touch()
    (tmp_path / ".123-staged").mkdir()
    (tmp_path / ".123-staged" / "a.csv").touch()
    (tmp_path / ".hidden").touch()
    (tmp_path / ".4-link").symlink_to(tmp_path / "run.json")
    with claimed(tmp_path, "compare"):
        assert {path.name for path in tmp_path.iterdir()} == {"run.json", ".hidden", LOCK}


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / LOCK).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match=r"\.lock must be writable, but"), claimed(tmp_path / "out", "rea"):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="must be writable, but"), claimed(tmp_path / "file", "rea"):
        pass
