"""`perf/recipe_searchers.py`: functions with their published minima, and a study that goes on."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

PERF = Path(__file__).parents[2] / "perf"


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(PERF))
    import recipe_searchers

    return recipe_searchers


def test_minima_are_those_published(study: ModuleType) -> None:
    assert study.branin(np.array([-np.pi, 12.275])) == pytest.approx(0, abs=1e-6)
    assert study.branin(np.array([9.42478, 2.475])) == pytest.approx(0, abs=1e-5)
    best = np.array([0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573])
    assert study.hartmann(best) == pytest.approx(0, abs=1e-5)
    assert study.griewank(np.zeros(6)) == 0
    assert study.griewank(np.array([np.pi, 0.0])) == pytest.approx(2 + np.pi**2 / 4_000)  # cos(pi) = -1
    assert study.griewank(np.array([0.0, 20.0])) == pytest.approx(1 + 0.2 - np.cos(20 / np.sqrt(2)))


def test_the_surface_is_that_of_the_table(study: ModuleType, tmp_path: Path) -> None:
    rows = [(0.01, 0.1, 50.0), (0.01, 1.0, 60.0), (1.0, 0.1, 80.0), (1.0, 1.0, 90.0)]
    pd.DataFrame(rows, columns=["lr", "weight_decay", "valid_acc"]).to_csv(tmp_path / "t.csv", index=False)
    problem = study.surface(tmp_path / "t.csv")
    assert str(problem.space) == "lr=log:0.01..1,weight_decay=log:0.1..1"
    assert problem.of("@lr=1,weight_decay=1") == 0
    assert problem.of("@lr=0.01,weight_decay=0.1") == pytest.approx(-40)
    assert problem.of("@lr=0.1,weight_decay=0.1") == pytest.approx(-25)  # half way, of logarithms
    whole = study.problems()["lenet-5 on digits"]
    assert 0 <= whole.regret(np.array([0.1, 1e-4])) < 90


def test_a_study_goes_on(study: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "runs.csv"
    args = {"functions": ("branin",), "evaluations": 8, "out": out}
    study.main(study.Args(seeds=2, **args))
    first = pd.read_csv(out)
    study.main(study.Args(seeds=3, **args))
    runs = pd.read_csv(out)
    assert len(first) == 10
    assert len(runs) == 15
    pd.testing.assert_frame_equal(runs.iloc[:10], first)
    assert (runs["regret"] >= 0).all()
    assert runs["regret"].nunique() > 8
    assert "| branin, 3 seeds | " in capsys.readouterr().out
