"""What the settings of a searcher are worth."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from scipy import stats

from nas_ray.reproduce.args import CompareArgs
from nas_ray.reproduce.compare import compare, comparison, said_of_differences
from nas_ray.reproduce.over_settings import TITLE, cells, over_settings, say_over_settings
from tests.reproduce.synthetic import write_files

SEARCHERS = {"a": "a", "a,n=2": "a", "a,n=3": "a", "b": "b"}


def answers(seed: int = 0, runs: int = 40, **shifts: float) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    made = [
        pd.DataFrame({"setting": name, "accuracy": rng.normal(shifts.get(name[-1], 0.0), 1, runs)})
        for name in SEARCHERS
    ]
    return pd.concat(made).assign(dataset="cifar10")


def test_by_hand() -> None:
    runs = {"a": [1.0, 3.0], "a,n=2": [5.0, 7.0], "a,n=3": [4.0, 4.0], "b": [9.0, 9.0]}
    made = [pd.DataFrame({"setting": name, "accuracy": values}) for name, values in runs.items()]
    table = over_settings(pd.concat(made).assign(dataset="cifar10"), SEARCHERS, resamples=500)
    line, alone = table.to_dict("records")
    assert (line["settings"], line["best"], line["worst"], line["gap"]) == (3, 6.0, 2.0, 4.0)
    assert (line["best_setting"], line["worst_setting"]) == ("a,n=2", "a")
    assert (line["low"], line["high"]) == (2.0, 6.0)  # 5 - 3 and 7 - 1, each of one draw in sixteen
    assert line["p"] == pytest.approx(stats.kruskal(*list(runs.values())[:3]).pvalue)
    assert cells(line)[2:9] == ["3", "6.00", "n=2", "2.00", "defaults", "4.00", "2.00 to 6.00"]
    assert (alone["best"], alone["settings"]) == (9.0, 1)
    assert cells(alone)[3:] == ["9.00", "defaults", "-", "-", "-", "-", "-"]


def test_settings_that_differ_and_settings_that_do_not() -> None:
    found = over_settings(answers(**{"3": 2.0}), SEARCHERS, resamples=300).iloc[0]
    assert found["best_setting"] == "a,n=3"
    assert 1.5 < found["low"] < found["gap"] < found["high"]
    assert found["p"] < 1e-3
    ps = [over_settings(answers(seed), SEARCHERS, resamples=10)["p"][0] for seed in range(20)]
    assert np.mean(np.array(ps) < 0.05) < 0.3  # a gap by chance is told to be one


def test_the_interval_is_that_of_single_draws() -> None:
    made = answers(**{"2": 0.5})
    found = over_settings(made, SEARCHERS, resamples=2_000).iloc[0]
    rng, runs = np.random.default_rng(5), [group["accuracy"].to_numpy() for name, group in
                                           made.groupby("setting") if name != "b"]  # fmt: skip
    gaps = []
    for _ in range(2_000):
        means = [np.mean([one[rng.integers(len(one))] for _ in one]) for one in runs]
        gaps.append(max(means) - min(means))
    assert [found["low"], found["high"]] == pytest.approx(np.quantile(gaps, [0.025, 0.975]), abs=0.05)


def test_without_several_settings_nothing_is_said() -> None:
    found = over_settings(answers(), {name: name for name in SEARCHERS}, resamples=10)
    assert say_over_settings(found, Console(quiet=True)) == ("", "")


def test_equal_runs_have_no_gap() -> None:
    found = over_settings(answers().assign(accuracy=5.0), SEARCHERS, resamples=10).iloc[0]
    assert (found["gap"], found["low"], found["high"], found["p"]) == (0.0, 0.0, 0.0, 1.0)


def test_what_follows_the_table_of_a_comparison() -> None:
    """Options are those of the command line, and what was said before is still there."""
    args = CompareArgs(searchers=("rea,population=3,sample=2", "rea", "local_search"), resamples=20)
    table = comparison(args)
    titles = [row.title for row in table.settings]
    accuracy = np.random.default_rng(0).normal(90, 1, (len(titles), 5))
    made = [
        pd.DataFrame({"setting": one, "accuracy": values})
        for one, values in zip(titles, accuracy, strict=True)
    ]
    said = io.StringIO()
    runs = pd.concat(made).assign(dataset="cifar10")
    markdown, latex = said_of_differences(args, Console(file=said, width=200), table, runs)
    assert TITLE in said.getvalue()
    best, worst = sorted(((accuracy[0].mean(), "population=3,sample=2"), (accuracy[1].mean(), "defaults")))[
        ::-1
    ]
    assert f"| rea | cifar10 | 2 | {best[0]:.2f} | {best[1]} | {worst[0]:.2f} | {worst[1]} |" in markdown
    assert "| local_search | cifar10 | 1 |" in markdown
    assert "### Against random_search" in markdown
    assert r"\label{tab:compare-settings}" in latex
    assert r"\label{tab:compare-against}" in latex


@pytest.mark.slow(faster="test_what_follows_the_table_of_a_comparison")
def test_in_a_comparison(tmp_path: Path) -> None:
    write_files(str(tmp_path))
    args = CompareArgs(
        benchmark=str(tmp_path / "nats.csv"), seeds=8, resamples=50, num_cpus=1, out=tmp_path / "out",
        searchers=("rea,population=3,sample=2", "rea,population=8,sample=8", "local_search"), evaluations=20,
    )  # fmt: skip
    said = io.StringIO()
    assert compare(args, Console(file=said, width=200)) == 0
    assert TITLE in said.getvalue()
    means = (
        pd.read_csv(tmp_path / "out" / "compare.csv")
        .query("dataset == 'cifar10'")
        .set_index("setting")["mean"]
    )
    both = [means[name] for name in args.searchers[:2]]
    text = (tmp_path / "out" / "compare.md").read_text(encoding="utf-8")
    (line,) = (line for line in text.splitlines() if line.startswith("| rea | cifar10 | 2 |"))
    parts = [part.strip() for part in line.split("|")]
    assert [parts[4], parts[6]] == [f"{max(both):.2f}", f"{min(both):.2f}"]
    assert float(parts[8]) == pytest.approx(max(both) - min(both), abs=0.006)
    assert "| local_search | cifar10 | 1 |" in text
    assert "### Against random_search" in text
    tex = (tmp_path / "out" / "compare.tex").read_text(encoding="utf-8")
    assert r"\label{tab:compare-settings}" in tex
    assert r"\label{tab:compare-against}" in tex
