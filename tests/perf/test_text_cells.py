"""What `perf/text_cells.py` halves, gives equal times and says of rows; no net is trained."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

PERF = Path(__file__).parents[2] / "perf"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(PERF))
    import text_cells

    return text_cells


def test_a_text_is_halved_by_words_at_the_end_of_a_line(script: ModuleType) -> None:
    assert script.halves("a b\nc d e f\ng\nh i j k l\n") == ("a b\nc d e f\n", "g\nh i j k l\n")


def test_whole_epochs_take_times_as_equal_as_they_can_be(script: ModuleType) -> None:
    seconds = np.array([50.0, 40.0, 100.0])
    assert script.whole_epochs(seconds, 190.0).tolist() == [4, 5, 2]
    assert script.whole_epochs(seconds, 1.0).tolist() == [1, 1, 1]


def test_every_seed_has_a_random_cell_of_its_own_and_the_same_others(script: ModuleType) -> None:
    args = script.Args(train=Path("a"), held=Path("b"), width=8)
    one, two = (list(script.cells(args, seed)) for seed in (0, 1))
    assert [cell.label for cell in one] == ["darts-v2", "lstm", "gru", "random"]
    assert one[:-1] == two[:-1]
    assert one[-1].arch != two[-1].arch
    assert all("width=8,embedding=8" in cell.space for cell in one)


def test_a_row_per_cell_with_what_the_first_is_lower_by(script: ModuleType) -> None:
    kept = {"epochs": 4, "minutes": 2.0}
    rows = pd.DataFrame(
        [
            {"label": label, "valid_nats": np.log(value), "test_nats": np.log(value + seed), **kept}
            for label, value in (("found", 100.0), ("lstm", 90.0))
            for seed in (0, 1)
        ]
    )
    found, lstm = script.compared(rows)[2:]
    assert [part.strip() for part in found.strip("|").split("|")][:4] == [
        "found",
        "4",
        "2.0",
        "100.0 (100.0 to 100.0)",
    ]
    assert lstm.strip("| ").endswith("-10.0 (-10.0 to -10.0)")
