"""Reports on what a Tuner of Ray left: its folder, or a table of its results."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nas_ray import add_accuracy
from nas_ray.commands.args import ReportArgs
from nas_ray.commands.results import _report
from nas_ray.drivers.ray_compat import names_of_tune
from nas_ray.errors import UsageError
from nas_ray.report.accuracies import Accuracies
from nas_ray.report.html_report import write_report
from nas_ray.report.read_tuned import Judged, read_tuned
from nas_ray.report.tables import all_rows
from nas_ray.runs.kinds import check_reportable, page_beside
from nas_ray.safe_files.tune_folder import OF_TUNE
from nas_ray.spaces import NatsTss
from tests.report.page import Page
from tests.report.runs import make_search, search_rows
from tests.report.tuned import PICKLED, make_tuned, trial

ARCHS = NatsTss().archs


def results(count: int = 5) -> list[list[str]]:
    """Returns trials that scored archs, in another order than they ended."""
    made = [
        trial(n, {"arch": ARCHS[n], "lr": 0.1 * n}, {"arch": ARCHS[n], "naswot": float(n), "error": None})
        for n in range(count)
    ]
    return made[::-1]


def test_all_known_names_of_tune_are_left_out() -> None:
    assert names_of_tune() <= OF_TUNE


def test_a_folder_of_scores_becomes_a_page(tmp_path: Path) -> None:
    folder = make_tuned(tmp_path / "ProxyTrial", results())
    path = write_report([folder])
    assert path == folder / "report.html"
    page = Page(path)
    assert page.facts["what"] == "Ray Tune"
    assert page.facts["best arch"] == ARCHS[4]
    assert (page.facts["fitness"], page.facts["evaluations"]) == ("naswot", "5")
    table = pd.DataFrame(page.json["rows"]["rows"], columns=page.json["rows"]["columns"])
    assert table["arch"].tolist() == [ARCHS[n] for n in range(5)]
    assert table["finished_at"].astype(float).tolist() == [0.5, 1.5, 2.5, 3.5, 4.5]
    assert not {"pid", "trial_id", "timestamp"} & set(table)


def test_failed_trials_stay_with_their_error(tmp_path: Path) -> None:
    failed = trial(8, {"arch": ARCHS[8]}, None, status="ERROR")
    silent = trial(9, {"arch": ARCHS[9]}, None, status="ERROR")
    folder = make_tuned(tmp_path / "run", [*results(), failed, silent])
    (folder / "train_0a_8").mkdir()
    (folder / "train_0a_8" / "error.txt").write_text("Traceback:\n  line\nValueError: <b>no</b>\n")
    run = read_tuned(folder, Accuracies(), Judged())
    assert run.rows["error"].isna().tolist() == [True] * 5 + [False] * 2
    assert run.rows["error"].tolist()[5:] == ["ValueError: <b>no</b>", "the trial failed"]
    assert run.rows["arch"].tolist()[5:] == [ARCHS[8], ARCHS[9]]
    assert Page(write_report([folder])).facts["evaluations"] == "7, 2 failed"
    assert "<b>no</b>" not in (folder / "report.html").read_text()


def test_a_training_is_judged_by_its_accuracy_and_a_loss_by_the_smallest(tmp_path: Path) -> None:
    own = [
        {
            "naswot": 9.0 - n,
            "valid_acc": 50.0 + n,
            "train_acc": 99.0,
            "valid_loss": 1.0,
            "epochs": 3,
            "loss": n,
        }
        for n in range(4)
    ]
    folder = make_tuned(tmp_path / "run", [trial(n, {"arch": ARCHS[n]}, row) for n, row in enumerate(own)])
    run = read_tuned(folder, Accuracies(), Judged())
    assert run.scores == ("naswot", "loss", "valid_acc")
    assert (str(run.fitness), run.best_place) == ("valid_acc", 3)
    least = read_tuned(folder, Accuracies(), Judged("loss", smallest=True))
    assert (str(least.fitness), least.best_place) == ("the smallest loss", 0)
    loss = read_tuned(folder, Accuracies(), Judged("valid_loss", smallest=True))
    assert (str(loss.fitness), loss.scores[-1]) == ("the smallest valid_loss", "valid_loss")
    both = read_tuned(folder, Accuracies(), Judged("rank_sum:naswot,valid_acc"))
    assert str(both.fitness) == "rank sum of naswot and valid_acc"
    with pytest.raises(UsageError, match=r"^Unknown score 'los'\. Did you mean 'loss'\?"):
        read_tuned(folder, Accuracies(), Judged("los"))


def test_what_a_config_has_beside_the_arch_is_shown(tmp_path: Path) -> None:
    trials = [trial(n, {"arch": ARCHS[n], "lr": 0.25 * n}, {"loss": n}) for n in range(3)]
    table = all_rows([read_tuned(make_tuned(tmp_path / "run", trials), Accuracies(), Judged())])
    assert [row[table["columns"].index("config/lr")] for row in table["rows"]] == [0.0, 0.25, 0.5]


def test_any_table_of_archs_with_accuracy_joined(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "config/arch": [ARCHS[3], ARCHS[1], ARCHS[2]],
            "timestamp": [13, 11, 12],
            "time_total_s": [1.0, 1.0, 1.0],
            "naswot": [1.0, 2.0, math.nan],
            "error": [None, None, "ValueError: no"],
            "arch": [ARCHS[3], ARCHS[1], None],
            "config/lr": [0.1, 0.2, 0.3],
            "done": [True] * 3,
        }
    )
    joined = add_accuracy(frame, "nb201")
    joined.to_parquet(tmp_path / "results.parquet")
    joined.to_csv(tmp_path / "results.csv.gz", index=False)
    for name in ("results.parquet", "results.csv.gz"):
        run = read_tuned(tmp_path / name, Accuracies(), Judged())
        assert run.rows["arch"].tolist() == [ARCHS[1], ARCHS[2], ARCHS[3]]
        assert run.rows["error"].isna().tolist() == [True, False, True]
        assert run.scores == ("naswot",)
        assert run.acc_column == "benchmark_valid_acc"
        np.testing.assert_array_equal(run.rows["accuracy"], joined["benchmark_valid_acc"].iloc[[1, 2, 0]])
        path = write_report([tmp_path / name])
        assert path == tmp_path / "results.html"
        assert Page(path).facts["best arch"] == ARCHS[1]
        looked_up = read_tuned(tmp_path / name, Accuracies("nb201"), Judged(dataset="cifar100"))
        assert looked_up.dataset == "cifar100"
        assert looked_up.rows["accuracy"].notna().all()


def test_a_tuner_is_compared_with_a_search(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = (make_search(tmp_path / "search", search_rows(9)), make_tuned(tmp_path / "tuned", results()))
    args = ReportArgs(folders, out=tmp_path / "both.html", fitness="naswot", benchmark="nb201")
    assert _report(args) == 0
    assert "Comparison of 2 runs" in (tmp_path / "both.html").read_text()


def test_what_is_nothing_of_that_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="^A report needs run folders with a run.json"):
        check_reportable(tmp_path)
    (tmp_path / "scores.csv").write_text("net,x\na,1\n")
    with pytest.raises(UsageError, match=r"must have a column arch, and its columns are: net, x\.$"):
        write_report([tmp_path / "scores.csv"])
    (tmp_path / "texts.csv").write_text("arch,x\na,b\n")
    with pytest.raises(UsageError, match="^A report needs a column of numbers to compare archs by, and "):
        write_report([tmp_path / "texts.csv"])
    with pytest.raises(UsageError, match="^Unknown dataset"):
        read_tuned(tmp_path / "scores.csv", Accuracies(), Judged(dataset="cifar"))
    empty = make_tuned(tmp_path / "empty", [])
    with pytest.raises(UsageError, match="^A report needs "):
        write_report([empty])
    assert page_beside(tmp_path / "a.tar.csv.gz", "report.html") == tmp_path / "a.tar.html"


def test_what_no_cell_can_hold_is_left_out(tmp_path: Path) -> None:
    result = {
        "x": 1.0,
        "net": PICKLED,
        "list": [1, 2],
        "in": {"ner": {"y": 2}},
        "big": 10**400,
        "t": "a\x1b[2J",
    }
    folder = make_tuned(tmp_path / "run", [trial(0, {"arch": "a", "net": PICKLED}, result)])
    run = read_tuned(folder, Accuracies(), Judged())
    assert run.scores == ("x", "in/ner/y")
    assert not {"net", "list", "big", "config/net"} & set(run.rows)
