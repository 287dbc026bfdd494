"""What can be reported on, told by names of files alone; a light module, for quick answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nas_ray.errors import UsageError
from nas_ray.runs.folder import FILE_NAME, check_is_run, check_local, read_run
from nas_ray.safe_files.tune_folder import is_tune_folder

TABLES = (".csv", ".tsv", ".parquet", ".pq")
PACKED = (".gz", ".bz2", ".xz", ".zip")
TRAINING = "train"
"""What `run.json` calls the experiment of a training."""


def is_table(path: Path) -> bool:
    """Returns whether `path` is a file that is called as a table is."""
    name = path.name.lower()
    for ending in PACKED:
        name = name.removesuffix(ending)
    return name.endswith(TABLES) and path.is_file()


def is_tuned(path: Path) -> bool:
    """Returns whether `path` is a table, or the folder of a `Tuner` of Ray and no run of ours."""
    return is_table(path) or (is_tune_folder(path) and not (path / "run.json").exists())


def check_reportable(path: Path) -> None:
    """Checks that a report can be made of `path`.

    Raises:
        UsageError: it is no run folder, no folder of a Tuner and no table.
    """
    check_local(path)
    if not is_tuned(path):
        check_is_run(path)


def without_page(folder: Path, info: Mapping[str, Any]) -> UsageError:
    """Returns the refusal of a run that no page is made of, which says where its own report is.

    Args:
        folder: of a training, of a study, or of anything else that is neither search nor scores.
        info: its `run.json`.
    """
    if info.get("experiment") == TRAINING:
        return UsageError(
            f"{folder} is a training, whose report is {folder / 'model_card.md'}; give folders of searches."
        )
    tables = sorted(folder.glob("*.md"))
    if not tables:
        return UsageError(
            f"{folder / FILE_NAME} must be of a search, score-space or correlate, and names none of them; "
            "give another folder."
        )
    searches = sorted(run.parent for run in folder.glob(f"entries/*/*/search/{FILE_NAME}"))
    where = f", such as {searches[0]}; all of its own are below {folder / 'entries'}" if searches else ""
    return UsageError(f"{folder} is a study, whose table is {tables[0]}; give folders of searches{where}.")


def check_start(path: Path) -> None:
    """Checks that a search can start from what is at `path`, as far as its name and its `run.json` tell.

    Raises:
        UsageError: it is neither a run folder nor a file.
    """
    check_local(path)
    if path.is_dir():
        read_run(path)
    elif not path.is_file():
        raise UsageError(
            f"--start-from needs the folder of a run with a {FILE_NAME}, or a table; {path} is none."
        )


def page_beside(path: Path, file_name: str) -> Path:
    """Returns where the page about `path` goes: into a folder, beside a table under its name."""
    if path.is_dir():
        return path / file_name
    name = path.name
    while name.lower().endswith((*TABLES, *PACKED)):
        name = name.rpartition(".")[0]
    return path.with_name(f"{name}.html")
