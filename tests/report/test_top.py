from __future__ import annotations

import io

import numpy as np
import pandas as pd
from rich.console import Console

from nas_ray.report.top import print_top, top_archs

SPACE = ["a", "b", "c", "d", "e"]
SCORES = pd.DataFrame({"arch": ["e", "d", "c", "b"], "x": [1.0, 9.0, np.nan, 3.0], "y": [3.0, 1.0, 9.0, 2.0]})
ACCURACY = {"a": 50.0, "b": 60.0, "c": 99.0, "d": 60.0, "e": 70.0}


def test_the_best_by_one_score_and_by_the_rank_sum() -> None:
    one = top_archs(SCORES, ["x"], 2, space=SPACE, accuracy=ACCURACY)
    assert one.to_dict("list") == {
        "place": [1, 2], "index": [3, 1], "arch": ["d", "b"], "x": [9.0, 3.0], "accuracy": [60.0, 60.0],
        "rank": [3, 3],
    }  # fmt: skip
    # Ranks from the worst, undefined as the worst: x gives e 2, d 4, b 3; y gives e 3, d 1, b 2; all have 5.
    both = top_archs(SCORES, ["x", "y"], 10, space=SPACE)
    assert both["arch"].tolist() == ["e", "d", "b"]
    assert "rank" not in both


def test_printed() -> None:
    console = Console(file=io.StringIO(), width=100)
    print_top(top_archs(SCORES, ["x"], 2, space=SPACE, accuracy=ACCURACY), ["x"], "Best 2", console)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert [line.split() for line in lines if line.split()] == [
        ["Best", "2"], ["index", "x", "accuracy", "rank", "arch"],
        ["1", "3", "9", "60.00", "3", "d"], ["2", "1", "3", "60.00", "3", "b"],
    ]  # fmt: skip
