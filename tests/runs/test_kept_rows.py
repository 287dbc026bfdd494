from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from nas_ray.errors import UsageError
from nas_ray.runs.claim import claimed
from nas_ray.runs.folder import read_run
from nas_ray.runs.kept_rows import KeptRows
from nas_ray.runs.record import Record


def test_rows_are_there_in_the_next_process_and_those_of_other_settings_stay(tmp_path: Path) -> None:
    first = KeptRows(tmp_path, "parts", ("arch", "how"), "parts")
    first.add({"arch": "a", "how": "x", "value": 1.5, "error": None})
    first.add({"arch": "a", "how": "y", "value": 2.5, "error": "lost"})
    second = KeptRows(tmp_path, "parts", ("arch", "how"), "parts")
    assert ("a", "x") in second
    assert ("a", "z") not in second
    second.add({"arch": "a", "how": "x", "value": 3.5, "error": None})
    table = pd.read_csv(tmp_path / "parts.csv")
    assert table["value"].tolist() == [3.5, 2.5]
    assert KeptRows(tmp_path, "parts", ("arch", "how"), "parts")["a", "y"]["error"] == "lost"


def test_a_table_of_another_kind_has_no_rows_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    pd.DataFrame({"arch": ["a"]}).to_parquet(tmp_path / "parts.parquet")
    assert ("a", "x") not in KeptRows(tmp_path, "parts", ("arch", "how"), "parts")
    (tmp_path / "parts.parquet").write_bytes(b"no table")
    with pytest.raises(UsageError, match=r"remove it, and its parts are made again\."):
        KeptRows(tmp_path, "parts", ("arch", "how"), "parts")


@pytest.mark.parametrize("content", ['{"experiment": "contest"', '{"experiment": "contest"}'])
def test_rows_outlive_a_damaged_run_json(tmp_path: Path, content: str) -> None:
    with claimed(tmp_path, "contest"):
        Record(tmp_path, "contest", {"seeds": 1}).begin()
        KeptRows(tmp_path, "entries", ("arch",), "entries").add({"arch": "a", "value": 1.5})
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(UsageError) as raised, claimed(tmp_path, "contest"):
        pass
    assert str(raised.value).startswith(f"{tmp_path / 'run.json'} must be the file that a run wrote")
    assert str(raised.value).endswith(
        "; remove that file alone, and the same command goes on with what is whole beside it."
    )
    (tmp_path / "run.json").unlink()
    with claimed(tmp_path, "contest"):
        record = Record(tmp_path, "contest", {"seeds": 2})
        record.begin()
        assert KeptRows(tmp_path, "entries", ("arch",), "entries")[("a",)]["value"] == 1.5
    assert read_run(tmp_path)["settings"] == {"seeds": 2}
