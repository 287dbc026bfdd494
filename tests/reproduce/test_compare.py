"""Searchers against each other."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from scipy import stats

from nas_ray.errors import UsageError
from nas_ray.reproduce.against import BETTER, DISAGREE, OPEN, WORSE, differences
from nas_ray.reproduce.args import CompareArgs
from nas_ray.reproduce.compare import compare, comparison, parts_of
from nas_ray.searchers import ArchSearcher
from tests.commands.next_line import next_commands
from tests.reproduce.synthetic import SPACE, write_files


def answers(**runs: list[float]) -> pd.DataFrame:
    made = [pd.DataFrame({"setting": name, "accuracy": values}) for name, values in runs.items()]
    return pd.concat(made).assign(dataset="cifar10")


def test_differences_by_hand() -> None:
    table = differences(answers(a=[4.0, 5.0, 6.0], b=[1.0, 2.0, 5.0]), "b", resamples=200)
    (line,) = table.to_dict("records")
    assert line["difference"] == pytest.approx(5.0 - 8.0 / 3.0)
    assert line["wins"] == pytest.approx(100 * (2 + 2.5 + 3) / 9)  # of 3, 2, 1 and half of an equal pair
    assert line["low"] < line["difference"] < line["high"]
    assert line["verdict"] == DISAGREE  # three runs prove nothing


def test_many_runs_decide_and_are_corrected_for_their_number() -> None:
    rng = np.random.default_rng(0)
    low, high, same = rng.normal(0, 1, 200), rng.normal(1, 1, 200), rng.normal(0, 1, 200)
    table = differences(answers(base=list(low), good=list(high), same=list(same)), "base", resamples=50)
    found = table.set_index("setting")
    assert found["verdict"].to_dict() == {"good": BETTER, "same": OPEN}
    assert found.loc["same", "p"] >= stats.mannwhitneyu(same, low).pvalue
    turned = differences(answers(base=list(low), good=list(high)), "good", resamples=50)
    assert turned["verdict"].tolist() == [WORSE]


def test_equal_runs_are_no_difference() -> None:
    table = differences(answers(a=[5.0, 5.0], b=[5.0, 5.0]), "b", resamples=10)
    assert table[["difference", "p", "verdict"]].to_numpy().tolist() == [[0.0, 1.0, OPEN]]


def test_options_of_a_searcher_stand_behind_commas() -> None:
    assert parts_of("rea,population=20,sample=5") == ("rea", ["population=20", "sample=5"])
    assert parts_of("predictor,proxies=t.csv:a,b,start=3") == ("predictor", ["proxies=t.csv:a,b", "start=3"])
    assert parts_of("mine:Walk") == ("mine:Walk", [])


class Worst(ArchSearcher):
    """Always proposes an arch without any operation, then ends."""

    def ask(self) -> str:
        if self.history:
            raise StopIteration
        return next(arch for arch in SPACE if arch.count("none") == 6)


def test_a_searcher_of_ones_own_is_compared(tmp_path: Path) -> None:
    write_files(str(tmp_path))
    args = CompareArgs(
        benchmark=str(tmp_path / "nats.csv"), seeds=12, resamples=50, num_cpus=1, out=tmp_path / "out",
        searchers=(f"{__name__}:Worst", "rea,population=5,sample=3"), evaluations=20, workers=2,
    )  # fmt: skip
    said = io.StringIO()
    assert compare(args, Console(file=said, width=200)) == 0
    lines = pd.read_csv(tmp_path / "out" / "compare.csv").set_index("setting")
    assert set(lines.loc["random_search", "evaluations"]) == {20}
    assert (lines.loc[f"{__name__}:Worst", "mean"].to_numpy() < lines.loc["random_search", "low"]).all()
    text = (tmp_path / "out" / "compare.md").read_text(encoding="utf-8")
    assert f"| {__name__}:Worst | cifar10 |" in text
    assert WORSE in text
    assert "Against random_search" in said.getvalue()
    assert next_commands(said.getvalue())[0] == f"nas-ray search --searcher {__name__}:Worst"
    tex = (tmp_path / "out" / "compare.tex").read_text(encoding="utf-8")
    best = pd.read_csv(tmp_path / "out" / "compare.csv").query("dataset == 'cifar10'")["mean"].max()
    assert rf"$\mathbf{{{best:.2f}}} \pm " in tex
    assert r"tests.reproduce.test\_compare:Worst & $" in tex
    assert r"\label{tab:compare-against}" in tex
    assert (tmp_path / "out" / "compare.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"workers": 0}, "--workers must be from 1 to 1,000,000, got 0."),
        ({"seconds": -1.0}, "--seconds must be above 0 and at most 1,000,000,000, got -1.0."),
        ({"measure": "acc"}, "Unknown measure 'acc'"),
        ({"searched_on": "mnist"}, "Unknown dataset 'mnist'"),
        ({"searched_on": "cifar10", "by": "naswot"}, "--searched-on needs --by valid_acc_12"),
        ({"searchers": ("rea", "rea")}, "Each searcher must be named once, got rea twice"),
        ({"searchers": ("reaa",)}, "Did you mean 'rea'?"),
        ({"searchers": ("rea,populaton=3",)}, "Did you mean 'population'?"),
        ({"against": "freerea"}, "Unknown searcher of this comparison 'freerea'"),
        ({"by": "sum:naswot"}, "Unknown fitness 'sum'"),
    ],
)
def test_bad_input_is_one_sentence(change: dict[str, object], said: str) -> None:
    make: Callable[..., CompareArgs] = CompareArgs
    with pytest.raises(UsageError) as error:
        comparison(make(**change))
    assert said in str(error.value)


def test_a_bare_install_searches_by_what_its_table_holds(tmp_path: Path) -> None:
    args = CompareArgs(
        searchers=("rea,population=5,sample=3",), benchmark="nb201", seeds=2, evaluations=8, resamples=10,
        num_cpus=1, out=tmp_path / "out",
    )  # fmt: skip
    said = io.StringIO()
    assert compare(args, Console(file=said, width=400)) == 0
    sentence = (
        "The benchmark nb201 holds no accuracy after 12 epochs, so searches maximise valid_acc_200, the "
        "validation accuracy after 200; give --benchmark TABLE with valid_acc_12 to search by that."
    )
    assert said.getvalue().count(sentence) == 1
    assert "Seconds are those of training for 200 epochs and validation" in said.getvalue()
    runs = pd.read_parquet(tmp_path / "out" / "compare-runs.parquet")
    assert runs["accuracy"].between(20, 92).all()
    assert set(runs["evaluations"]) == {8}


def test_by_default_searches_go_by_twelve_epochs_where_they_are_held(tmp_path: Path) -> None:
    write_files(str(tmp_path))
    table = comparison(CompareArgs(benchmark=str(tmp_path / "nats.parquet")))
    assert {setting.by for setting in table.settings} == {"valid_acc_12"}
    assert table.remarks == ()
    with pytest.raises(UsageError, match="Searches by valid_acc_12 need a benchmark with 12-epoch accuracy"):
        compare(CompareArgs(by="valid_acc_12", benchmark="nb201", out=tmp_path / "x"), Console(quiet=True))
