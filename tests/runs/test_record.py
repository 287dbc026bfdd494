"""What `run.json` says of tables that can be made again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nas_ray.runs.record import EARLIER, Record


def info(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "run.json").read_text()))


def test_a_killed_run_leaves_words_that_belong_to_the_tables(tmp_path: Path) -> None:
    first = Record(tmp_path, "compare", {"seeds": 2})
    first.begin()
    assert info(tmp_path)["status"] == "running"
    first.wrote("compare")
    first.end("finished")
    Record(tmp_path, "compare", {"seeds": 9}).begin()  # and is killed
    left = info(tmp_path)
    assert (left["status"], left["settings"]) == ("running", {"seeds": 9})
    assert left["tables"]["compare"]["settings"] == {"seeds": 2}
    again = Record(tmp_path, "compare", {"seeds": 5})
    again.begin()
    again.wrote("other")
    tables = info(tmp_path)["tables"]
    assert {name: table["settings"] for name, table in tables.items()} == {
        "compare": {"seeds": 2},
        "other": {"seeds": 5},
    }


def test_a_folder_of_before_keeps_what_it_said(tmp_path: Path) -> None:
    held = {"format": 1, "experiment": "choose", "settings": {"top": 3}, "started": "then"}
    (tmp_path / "run.json").write_text(json.dumps(held))
    record = Record(tmp_path, "choose", {"top": 4})
    record.begin()
    assert info(tmp_path)["tables"] == {EARLIER: {"settings": {"top": 3}, "started": "then"}}
    record.wrote("choices")
    assert list(info(tmp_path)["tables"]) == ["choices"]


def test_settings_are_plain(tmp_path: Path) -> None:
    Record(tmp_path, "choose", {"out": Path("a"), "scores": ("x",)}).begin()
    assert info(tmp_path)["settings"] == {"out": "a", "scores": ["x"]}
