"""`perf/paired_estimates.py`: a difference by hand, and what the intervals of equal estimates are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

PERF = Path(__file__).parents[2] / "perf"


def test_gains_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PERF))
    from paired_estimates import gains

    long = [0.0, 1.0, 2.0, 3.0, 4.0]
    rows = pd.DataFrame(
        {"same": [2, 1, 3, 4, 5], "better": [np.nan, 1, 2, 3, 4], "worse": [5, 4, 3, 2, 1]}
    ).assign(valid_acc=[2.0, 1.0, 3.0, 4.0, 5.0], test_acc=[np.nan, *long[1:]])
    found = gains(rows, ["same", "better", "worse"], resamples=200, seed=0).set_index("score")
    # one pair of neighbours changed places: 1 - 6 * 2 / (5 * 24) = 0.9; what is missing is the worst
    assert found["gain"].tolist() == pytest.approx([0, 0.1, -1.9])
    assert found.loc["same", ["low", "high"]].tolist() == [0, 0]
    assert found.loc["better", "low"] >= 0
    assert found.loc["worse", "high"] < 0
