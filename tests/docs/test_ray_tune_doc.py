"""The four ways of docs/ray_tune.md, run as they stand, and reports on what they leave."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nas_ray.commands.start import main
from nas_ray.report.html_report import write_report
from nas_ray.report.read_tuned import Judged
from tests.report.page import Page

PAGE = (Path(__file__).parents[2] / "docs" / "ray_tune.md").read_text(encoding="utf-8")
COMMAND = next(line for line in PAGE.splitlines() if line.startswith("    nas-ray search "))


def test_four_ways_run_and_can_be_reported(
    ray_started: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", shlex.split(COMMAND))
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    (tmp_path / "run").mkdir()
    names: dict[str, Any] = {
        "folder": tmp_path / "run",
        "storage": str(tmp_path / "storage"),
        "__name__": "__main__",
    }
    for block in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(block, names)
    rows: pd.DataFrame = names["rows"]
    rows.to_parquet(tmp_path / "rows.parquet")
    assert len(rows) == 4
    assert list((tmp_path / "run" / "tune_logs").rglob("result.json"))
    assert names["found"]["benchmark_rank"].between(1, 15_625).all()
    assert len(names["searcher"].history) == 4
    assert names["grid"].num_errors == names["trained"].num_errors == 0
    assert names["best"].checkpoint is not None
    folders = [Path(names[name].experiment_path) for name in ("own", "grid", "trained")]
    judged = [Judged("spread"), Judged("rank_sum:naswot,synflow"), None]
    for folder, how, count in zip(folders, judged, (4, 2, 3), strict=True):
        page = Page(write_report([folder], judged=how))
        assert page.facts["evaluations"] == str(count)
    assert Page(write_report([tmp_path / "rows.parquet"])).facts["fitness"] == "naswot"
    assert Page(write_report([tmp_path / "runs" / "rea"])).facts["evaluations"].startswith("4")


def test_the_example_of_a_new_score_is_short() -> None:
    (block,) = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "Spread" in block]
    assert len([line for line in block.splitlines() if line.strip()]) < 25
