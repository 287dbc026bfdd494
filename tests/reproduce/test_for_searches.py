"""Choosing the default of the searches: what was used for the choice, and what it is judged on."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from nas_ray.drivers.simulation import simulate
from nas_ray.reproduce.args import ChooseArgs
from nas_ray.reproduce.by_search import BUDGETS, Ground, Stored, fitnesses, halves, judged
from nas_ray.reproduce.choose import choose
from nas_ray.reproduce.for_searches import choose_for_searches, confirm, scores_of
from nas_ray.reproduce.known import mean_span
from nas_ray.search.defaults import CELLS
from nas_ray.searchers import RegularizedEvolution, parse_fitness
from nas_ray.spaces import NatsTss
from nas_ray.spaces.canonical import canonical_form
from tests.commands.next_line import next_commands
from tests.reproduce.synthetic import CONVOLUTIONS, NOISE, known, write_files

SPACE = NatsTss()
ARCHS = SPACE.archs


def test_no_function_is_in_both_halves() -> None:
    first, second = halves(ARCHS)
    assert sorted([*first, *second]) == sorted(ARCHS)
    forms = [{canonical_form(arch) for arch in part} for part in (first, second)]
    assert not forms[0] & forms[1]
    assert abs(len(forms[0]) - len(forms[1])) <= 1
    assert halves(ARCHS) == (first, second)
    assert halves(ARCHS, seed=1)[0] != first


def test_every_fitness_is_one_that_a_search_takes() -> None:
    tried = fitnesses(["naswot", "synflow", "skip", "params"])
    assert len(tried) == len(set(tried)) == 4 + 3 * (6 + 4)
    for text in tried:
        assert parse_fitness(text, ["naswot", "synflow", "skip", "params"])
        assert set(scores_of(text)) <= {"naswot", "synflow", "skip", "params"}


@pytest.mark.parametrize("text", ["naswot", "log_rank_sum:naswot,skip", "normalised_sum:synflow,skip"])
def test_a_search_on_stored_scores_is_the_search_on_rows(text: str) -> None:
    scores = known().scores[0]
    ground = Ground(ARCHS, [scores])
    place = {arch: number for number, arch in enumerate(ARCHS)}

    def look_up(arch: str, report: object) -> None:
        report({**{name: float(v[place[arch]]) for name, v in scores.items()}, "error": None})  # type: ignore[operator]

    fitness = parse_fitness(text, list(scores))
    rows = simulate(RegularizedEvolution(SPACE, fitness=fitness, seed=3), look_up, num_samples=60)
    best = rows.loc[rows["fitness"].idxmax(), "arch"]
    assert ARCHS[ground.found(text, 3, (60,))[0]] == best
    some = [{"place": number} for number in range(40)]
    full = [{name: values[number] for name, values in scores.items()} for number in range(40)]
    assert (Stored(text, scores)(some) == fitness(full)).all()


def test_what_answers_are_worth_by_hand() -> None:
    accuracy = np.arange(200.0)  # the best hundredth are the last two
    worth = judged(np.array([[199, 0], [198, 199], [197, 199]]), accuracy)
    assert [one["rank"] for one in worth] == [2, 1]
    assert [one["accuracy"] for one in worth] == [198, pytest.approx(398 / 3)]
    assert [round(one["top"], 3) for one in worth] == [0.667, 0.667]


def test_the_half_that_was_chosen_on_decides_alone() -> None:
    first = halves(ARCHS)[0]
    mine = np.isin(np.array(ARCHS), first)
    scores = [{"good": CONVOLUTIONS + NOISE, "bad": -CONVOLUTIONS, "noise": NOISE}]
    valid = CONVOLUTIONS + NOISE
    chosen = choose_for_searches(ARCHS, scores, valid, seeds=3)
    assert chosen.fitness == "good"
    turned = np.where(mine, valid, -valid)  # whatever the others are worth
    again = choose_for_searches(ARCHS, scores, turned, seeds=3)
    pd.testing.assert_frame_equal(chosen.tried, again.tried)
    lines = confirm(ARCHS, scores, {"valid": valid, "turned": turned}, ["good"], seeds=3)
    assert list(lines["archs"]) == ["second half"] * 2 + ["all"] * 2
    told = lines.set_index(["archs", "accuracy"])["top_300"]
    assert told["second half", "valid"] == 1
    assert told["second half", "turned"] == 0


@pytest.mark.slow(faster="test_the_half_that_was_chosen_on_decides_alone")
def test_the_command_keeps_two_tables(tmp_path: Path) -> None:
    write_files(str(tmp_path))
    said = io.StringIO()
    args = ChooseArgs(
        scores_file=(tmp_path / "scores.csv",),
        benchmark=str(tmp_path / "nats.csv"),
        out=tmp_path / "out",
        scores=("naswot",),
        for_searches=True,
        seeds=2,
    )
    assert choose(args, Console(file=said, width=250)) == 0
    tried, confirmed = (pd.read_csv(tmp_path / "out" / f"{name}.csv") for name in ("tried", "confirmed"))
    assert set(tried["fitness"]) == set(fitnesses(["naswot", "params", "num_conv", "skip"]))
    assert {f"top_{budget}" for budget in BUDGETS} < set(confirmed.columns)
    assert set(confirmed["accuracy"]) == {
        *("cifar10 valid_acc", "cifar10 test_acc", "cifar100 test_acc", "ImageNet16-120 test_acc")
    }
    chosen = said.getvalue().rpartition("Chosen: ")[2].split()[0]
    assert f" --fitness {chosen}   or   " in said.getvalue()
    assert next_commands(said.getvalue())[1].startswith("nas-ray compare-searchers rea local_search --by ")
    assert chosen in set(tried.loc[tried["round"] == 2, "fitness"])
    assert chosen in set(confirmed["fitness"])


@pytest.mark.data
def test_the_default_finds_the_top_with_parameters_for_its_score(data_dir: Path) -> None:
    """A bound without any net: parameters stand in for LogSynFlow, whose order they roughly have."""
    table = pd.read_csv(data_dir / "nats_tss.csv.gz")
    ones, threes = np.array([SPACE.cost_class(arch) for arch in ARCHS], dtype=float).T
    scores = {"logsynflow": ones + 9 * threes, "skip": np.array([mean_span(arch) for arch in ARCHS])}
    found = Ground(ARCHS, [scores]).searched(CELLS.fitness, 10)
    worth = judged(found, table["cifar10_test_acc_200"].to_numpy())
    assert worth[1]["top"] == 1.0
    assert worth[1]["rank"] <= 0.002 * len(ARCHS)
