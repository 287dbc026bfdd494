from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from nas_ray.errors import UsageError
from nas_ray.runs.kept_rows import KeptRows


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
