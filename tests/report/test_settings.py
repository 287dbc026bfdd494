"""Importance and parallel coordinates of settings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nas_ray.report.settings import caution, draw_importance, importance_table, setting_rows, ticks_of
from nas_ray.spaces import SettingSpace, settings_of

SPACE = SettingSpace("lr=log:0.01..1,mode=a/b,x=1..3:if:mode:b,only=1")


def rows(count: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    points = list(dict.fromkeys(SPACE.sample(rng) for _ in range(count)))
    fitness = [np.log10(float(settings_of(point)["lr"])) for point in points]
    return pd.DataFrame({"arch": [f"net{point}" for point in points], "fitness": fitness})


def test_what_alone_decides_explains_all() -> None:
    known = setting_rows(rows(), SPACE.settings)
    assert known is not None
    table = importance_table(known)
    assert table["setting"].tolist()[0] == "lr"
    assert table["setting"].tolist()[-1] == "several together"
    assert table["share"].iloc[0] > 0.95
    assert table["share"].sum() == pytest.approx(1, abs=0.02)


def test_places_are_on_the_scale_of_each_setting() -> None:
    points = ["n@lr=0.1,mode=a,only=1", "n@lr=1,mode=b,x=2,only=1", "n@lr=0.01,mode=b,x=3,only=1"]
    table = pd.DataFrame(
        {"arch": [*points, points[0], "n@lr=0.5,mode=a,only=1"], "fitness": [1, 2, 3, 9, np.nan]}
    )
    assert setting_rows(table, SPACE.settings) is None  # three that differ and have a fitness
    more = pd.concat([table, pd.DataFrame({"arch": ["n@lr=0.01,mode=a,only=1"], "fitness": [5]})])
    known = setting_rows(more, SPACE.settings)
    assert known is not None
    nothing = np.nan
    expected = [[0.5, 0, nothing, 0.5], [1, 1, 0.5, 0.5], [0, 1, 1, 0.5], [0, 0, nothing, 0.5]]
    np.testing.assert_allclose(known.places(), expected, atol=1e-3)
    assert known.heights().tolist() == [0, 0.25, 0.5, 1]


def test_few_points_are_told_to_say_little(tmp_path: Path) -> None:
    few, enough = (setting_rows(rows().head(count), SPACE.settings) for count in (39, 40))
    assert few is not None
    assert enough is not None
    assert len(enough.values) == 40
    assert caution(few) == "39 points say little of 4 settings: trust these shares from about 40 points on."
    assert caution(enough) == ""
    draw_importance(importance_table(few), tmp_path / "few.svg", note=caution(few))
    draw_importance(importance_table(enough), tmp_path / "enough.svg", note=caution(enough))
    told = ["39 points say little" in (tmp_path / name).read_text() for name in ("few.svg", "enough.svg")]
    assert told == [True, False]


def test_ticks_are_values() -> None:
    assert [text for _, text in ticks_of(SPACE.settings["lr"])] == ["0.01", "0.03162", "0.1", "0.3162", "1"]
    assert ticks_of(SPACE.settings["mode"]) == [(0, "a"), (1, "b")]
    assert ticks_of(SPACE.settings["only"]) == [(0.5, "1")]
