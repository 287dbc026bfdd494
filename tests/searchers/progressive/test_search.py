"""Progressive search on small cells: its stages, its beam, what it waits for, what it goes on from."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.rows import Row
from nas_ray.safe_files.plain_state import packed, read_plain
from nas_ray.searchers import ProgressiveSearch, RankSum, Single
from nas_ray.searchers.fitness import Fitness
from nas_ray.searchers.kept import Kept
from nas_ray.searchers.progressive import predictors
from nas_ray.searchers.progressive.growth import growth_of
from nas_ray.searchers.progressive.search import PREDICTORS, targets_of
from nas_ray.spaces import NatsTss, Pnas
from nas_ray.testing import searcher_contract
from nas_ray.testing.driving import drive_chunks
from tests.searchers.toy import Cells, Grid


class OwnCells(Cells):
    """The same as part of the package, since what is kept around foreign code takes longer than a fit."""

    __module__ = "nas_ray"


CELLS = OwnCells()
TestProgressive = searcher_contract(ProgressiveSearch, space=CELLS, beam=12, epochs=1, ensemble=1)
QUICK: dict[str, Any] = {"epochs": 2, "ensemble": 2}


def worth_of(arch: str) -> float:
    """An additive score: b is better than a, and the latest input the best."""
    return sum({"b": 1.0, "a": 0.3}.get(text, 0.0) + 0.1 * (text in "34") for text in arch)


def searcher(space: Any = CELLS, fitness: Fitness | None = None, seed: int = 0, **options: Any) -> Any:
    made = ProgressiveSearch(
        space, fitness=fitness or Single(("x",)), seed=seed, **{"beam": 6, **QUICK, **options}
    )
    made.attach()
    return made


def ask(search: Any, name: str = "t") -> Any:
    config = search.suggest(name)
    return config["arch"] if isinstance(config, dict) else config


def tell(search: Any, arch: str, name: str = "t", **row: Any) -> None:
    search.on_trial_complete(name, row or {"x": worth_of(arch)})


def run(search: Any, count: int) -> list[str]:
    asked = []
    for _ in range(count):
        asked.append(ask(search))
        tell(search, asked[-1])
    return asked


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


@pytest.mark.parametrize("predictor", ["mlp", "lstm"])
def test_stopped_after_any_event_it_goes_on_from_its_state_or_its_events(
    predictor: str, tmp_path: Path
) -> None:
    options = {"beam": 2, "predictor": predictor, "epochs": 1}
    whole = searcher(**options)
    drive_chunks(whole, 14, 3)
    assert [CELLS.blocks(row["arch"]) for row in whole.history] == [1] * 10 + [2, 2, 3, 3]
    for cut in range(0, len(whole.events) + 1, 1 if predictor == "mlp" else 6):
        events = json.loads(json.dumps(whole.events[:cut]))
        replayed, kept = searcher(**options), searcher(**options)
        replayed.replay(events)
        (tmp_path / "state").write_bytes(packed(replayed.kept()._asdict()))
        kept.load_kept(Kept(**read_plain(tmp_path / "state")), events)
        kept.replay(events)
        for resumed in (replayed, kept):
            drive_chunks(resumed, 14, 3)
            assert resumed.events == whole.events, cut


def test_killed_in_the_middle_of_a_fit_it_fits_again(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, killed = searcher(), searcher()
    run(whole, 30)
    run(killed, 10)
    calls = []

    def dies(self: Any, arrays: Any, gradients: Any, step: Any = predictors.Adam.step) -> None:
        step(self, arrays, gradients)
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(predictors.Adam, "step", dies)
    with pytest.raises(KeyboardInterrupt):
        ask(killed)
    assert calls
    resumed = searcher()
    resumed.replay(killed.events)
    run(resumed, 20)
    assert resumed.events == whole.events


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
        search, rng = searcher(beam=12, epochs=40, seed=seed), np.random.default_rng(seed)
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


def run_lengths(search: Any, count: int) -> list[str]:
    asked = []
    for _ in range(count):
        asked.append(ask(search))
        tell(search, asked[-1], x=float(len(asked[-1])))
    return asked


def test_the_published_search_is_136_cells_and_four_beams() -> None:
    space = Pnas()
    growth = growth_of(space, "pnas")
    halves = list(itertools.product("01", space.OPS))
    ordered = [(one[0], other[0], one[1], other[1]) for one in halves for other in halves]
    assert len(ordered) == 256
    assert {space.assemble(decisions) for decisions in ordered} == set(space.one_block())
    assert len(space.one_block()) == 136
    halves = list(itertools.product("012", space.OPS))
    parent = growth.candidates(1, [()], np.random.default_rng(0))[50]
    longer = {
        space.assemble((*parent, one[0], other[0], one[1], other[1])) for one in halves for other in halves
    }
    children = growth.candidates(2, [parent], np.random.default_rng(0))
    assert {space.assemble(child) for child in children} == longer
    assert len(children) == len(longer) == 300
    search = searcher(space, beam=3, epochs=1)
    assert [space.blocks(arch) for arch in run_lengths(search, 136 + 4 * 3)] == [
        blocks for blocks, count in enumerate((136, 3, 3, 3, 3), 1) for _ in range(count)
    ]


@pytest.mark.slow(faster="test_the_published_search_is_136_cells_and_four_beams")
def test_the_published_search_has_1160_children() -> None:
    space, search = Pnas(), searcher(Pnas(), beam=256, epochs=5)
    asked = run_lengths(search, 1_160)
    assert [space.blocks(arch) for arch in asked] == [
        blocks for blocks, count in enumerate((136, 256, 256, 256, 256), 1) for _ in range(count)
    ]
    assert len(set(asked)) == 1_160
    parents = {blocks: {arch for arch in asked if space.blocks(arch) == blocks} for blocks in range(1, 5)}
    for arch in asked[-40:]:
        assert any(arch in space.grown(parent) for parent in parents[4])
