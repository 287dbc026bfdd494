"""Progressive search on small cells: its stages, its beam, what it waits for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.rows import Row
from nas_ray.searchers import RankSum, Single
from nas_ray.searchers.progressive import predictors
from nas_ray.searchers.progressive.search import PREDICTORS, targets_of
from nas_ray.spaces import NatsTss
from tests.searchers.progressive.cells import CELLS, OwnCells, ask, run, run_lengths, searcher, tell, worth_of
from tests.searchers.toy import Grid


def test_all_cells_of_one_block_come_first_and_then_the_beam_of_each_stage() -> None:
    search = searcher()
    first, second, third = run(search, 10), run(search, 6), run(search, 6)
    assert sorted(first) == CELLS.one_block()
    assert first != sorted(first) != run(searcher(seed=1), 10) != first  # in an order that is drawn
    kept = sorted(first, key=worth_of, reverse=True)[:6]
    assert {arch[:4] for arch in second} <= set(kept)
    assert [CELLS.blocks(arch) for arch in (*second, *third)] == [2] * 6 + [3] * 6
    assert {arch.rpartition("|")[0] for arch in third} <= set(second)


def test_of_all_children_of_the_beam_the_best_predicted_are_evaluated_best_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The prediction is replaced by the number of b, then of 2: what follows is known."""
    seen: list[tuple[int, np.ndarray, float]] = []

    def fit(self: Any, decisions: Any, targets: np.ndarray, *, rate: float, epochs: int) -> None:
        seen.append((len(decisions), targets, rate))

    def predict(self: Any, decisions: Any) -> np.ndarray:
        return np.array([one.count("b") + 0.1 * one.count("2") for one in decisions])

    monkeypatch.setattr(predictors.Predictor, "fit", fit)
    monkeypatch.setattr(predictors.Predictor, "predict", predict)
    search = searcher(beam=2)
    first = run(search, 10)
    best = sorted(sorted(first, key=first.index), key=worth_of, reverse=True)[:2]
    assert (
        run(search, 2)
        == sorted(
            (child for one in best for child in CELLS.grown(one)),
            key=lambda arch: -(arch.count("b") + 0.1 * arch.count("2")),
        )[:2]
    )
    run(search, 2)
    assert [(count, rate) for count, _, rate in seen] == [(10, 0.01), (12, 0.002)]
    np.testing.assert_allclose(
        np.sort(seen[0][1]), np.sort(targets_of(np.array([*map(worth_of, first)]), False))
    )


def test_a_stage_is_independent_and_at_its_end_workers_wait() -> None:
    search = searcher()
    archs = [ask(search, f"t{number}") for number in range(10)]
    assert sorted(archs) == CELLS.one_block()
    events = search.events
    assert ask(search, "early") is None
    for number in (3, 1, 2, 4, 5, 6, 7, 8, 9):
        tell(search, archs[number], f"t{number}")
        assert ask(search, "early") is None
    assert search.events[: len(events)] == events
    tell(search, archs[0], "t0")
    assert CELLS.blocks(ask(search, "next")) == 2


def test_a_cancelled_evaluation_is_one_arch_fewer() -> None:
    search = searcher(beam=20)
    *others, last = [ask(search, f"t{number}") for number in range(10)]
    for number, arch in enumerate(others):
        tell(search, arch, f"t{number}")
    assert ask(search, "early") is None
    search.on_trial_complete("t9", None, error=False)
    assert {arch[:4] for arch in run(search, 20)} <= {*others}
    assert last not in search.events[-1]["row"]["arch"]
    again = searcher(beam=20)
    again.replay(search.events)
    assert ask(again) == last  # was paid for, so it goes out once more
    tell(again, last)
    assert run(again, 5) != []


def test_failed_cells_are_extended_only_where_too_few_did_not_fail() -> None:
    def stages(beam: int) -> tuple[set[str], set[str]]:
        search = searcher(beam=beam)
        failed = set()
        for number in range(10):
            arch = ask(search)
            if number < 5:
                failed.add(arch)
                tell(search, arch, x=float("nan"), error="x is nan")
            else:
                tell(search, arch)
        return failed, {one for one, *_ in (arch.split("|") for arch in run(search, beam))}

    failed, extended = stages(5)
    assert not failed & extended
    failed, extended = stages(150)
    assert failed & extended


def test_it_goes_on_with_the_next_best_until_every_cell_was_evaluated() -> None:
    search = searcher(beam=40, epochs=1, ensemble=1)
    search.space = CELLS
    asked = run(search, 10 + 40 + 40)
    later = run(search, 300)
    assert len({*asked, *later}) == 390
    assert [CELLS.blocks(arch) for arch in later] == [3] * 300

    class Two(OwnCells):
        MOST = 2

    small = searcher(Two(), beam=100)
    assert len(set(run(small, 220))) == 220
    assert ask(small) == "FINISHED"


def test_a_space_without_blocks_is_searched_to_its_end_too() -> None:
    search = searcher(Grid(), beam=3)
    assert set(run(search, 64)) == set(Grid())
    assert ask(search) == "FINISHED"


def test_targets_are_accuracies_or_ranks() -> None:
    assert targets_of(np.array([90.0, 10.0, -np.inf, 100.0]), True).tolist() == [0.9, 0.1, 0.0, 1.0]
    assert targets_of(np.array([5.0, 7.0, -np.inf, -np.inf]), False).tolist() == [0.625, 0.875, 0.25, 0.25]
    assert not searcher()._are_accuracies
    assert searcher(fitness=Single(("valid_acc",)))._are_accuracies
    assert not searcher(fitness=RankSum(("valid_acc",)))._are_accuracies
    assert not searcher(fitness=Single(("valid_acc",)), targets="ranks")._are_accuracies
    assert searcher(targets="accuracy")._are_accuracies


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"predictor": "rnn"}, "Unknown predictor 'rnn'. Known: lstm, mlp."),
        (
            {"targets": "rank"},
            "Unknown kind of targets 'rank'. Did you mean 'ranks'?",
        ),
        ({"beam": 0}, "beam of pnas must be from 1"),
        ({"ensemble": 0}, "ensemble of pnas must be from 1"),
        ({"epochs": 0}, "epochs of pnas must be from 1"),
    ],
)
def test_what_it_cannot_do_is_refused(options: dict[str, Any], said: str) -> None:
    assert tuple(predictors.PREDICTORS) == PREDICTORS
    with pytest.raises(UsageError) as refused:
        searcher(**options)
    assert str(refused.value).startswith(said)


def test_cells_that_it_was_given_are_extended_and_not_evaluated() -> None:
    search = searcher(beam=3)
    given = [*CELLS.one_block()[2:], "0a0a|0b2b"]
    rows: list[Row] = [{"arch": arch, "x": worth_of(arch), "seconds": 1.0} for arch in given]
    assert search.add(rows).told == 9
    asked = run(search, 8)
    assert asked[:2] != asked[2:4]
    assert sorted(asked[:2]) == CELLS.one_block()[:2]
    assert not {*given} & {*asked}
    assert [CELLS.blocks(arch) for arch in asked] == [1, 1, 2, 2, 2, 3, 3, 3]


def test_it_finds_the_best_cells_and_not_where_scores_are_shuffled() -> None:
    def found(shuffled: bool, seed: int) -> float:
        """Returns what whole cells are worth that are evaluated, on average."""
        search, rng = searcher(beam=12, epochs=30, ensemble=1, seed=seed), np.random.default_rng(seed)
        for _ in range(34):
            arch = ask(search)
            tell(search, arch, x=float(rng.random()) if shuffled else worth_of(arch))
        whole = [row["arch"] for row in search.history if CELLS.blocks(row["arch"]) == 3]
        assert len(whole) == 12
        return float(np.mean([worth_of(arch) for arch in whole]))

    most = worth_of("1b1b|2b2b|3b3b")
    assert found(False, 0) > 0.9 * most
    assert np.mean([found(True, seed) for seed in range(4)]) < 0.8 * most


def test_it_searches_the_table_benchmark_node_by_node() -> None:
    search = searcher(NatsTss(), beam=5)
    asked = run_lengths(search, 5 + 5 + 5)
    decisions = [NatsTss().decisions(arch) for arch in asked]
    assert len({one[0] for one in decisions[:5]}) == 5
    best = max(range(5), key=lambda place: len(asked[place]))
    assert decisions[best][0] in {one[0] for one in decisions[5:10]}
    assert {one[:3] for one in decisions[10:]} <= {one[:3] for one in decisions[:10]}


def test_a_predictor_goes_on_where_few_rows_are_new(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is fitted anew, with all passes, where a quarter of them is."""
    learnt: list[tuple[int, int, int]] = []
    fit = predictors.Predictor.fit

    def counted(self: Any, decisions: Any, targets: np.ndarray, *, rate: float, epochs: int) -> None:
        learnt.append((id(self), len(decisions), epochs))
        fit(self, decisions, targets, rate=rate, epochs=epochs)

    monkeypatch.setattr(predictors.Predictor, "fit", counted)
    run(searcher(Grid(), beam=4, epochs=8, ensemble=2), 28)
    assert [(count, passes) for _, count, passes in learnt] == [
        (4, 8),
        (8, 8),
        (12, 8),
        (16, 8),
        (20, 2),
        (24, 2),
    ]
    assert len({one for one, *_ in learnt[3:]}) == 1
    assert len({one for one, *_ in learnt[2:4]}) == 2
