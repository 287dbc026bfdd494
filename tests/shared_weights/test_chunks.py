"""Evaluating several archs in one trial, in this process and on Ray."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from nas_ray.drivers.simulation import simulate
from nas_ray.drivers.tune_search import tune_search
from nas_ray.proxies import PROXIES
from nas_ray.runs.journal import FILE_NAME, Journal, read_journal
from nas_ray.searchers import ArchSearcher, RandomSearch, RankSum, RegularizedEvolution, Row, Single
from nas_ray.shared_weights.chunk_scores import ChunkScores, attempt, evaluate
from nas_ray.shared_weights.scorer import ChunkScorer
from nas_ray.spaces import NatsTss
from tests.proxies.nets import DISCONNECTED

SPACE = NatsTss(channels=4, cells=1)
SCORES = ("naswot", "synflow")
RNG = np.random.default_rng(0)
BATCH = (RNG.normal(size=(8, 3, 16, 16)).astype(np.float32), RNG.integers(10, size=8))
ARCHS = [SPACE[place] for place in (6111, 5, 12000, 800, 15000)]
COMPARED = ["trial", "arch", *SCORES, "fitness", "reused", "error"]


def evaluator(*proxies: str) -> ChunkScores:
    return ChunkScores(SPACE, 10, *BATCH, proxies or SCORES)


def random_search() -> RandomSearch:
    return RandomSearch(SPACE, fitness=RankSum(SCORES))


def evolution() -> RegularizedEvolution:
    return RegularizedEvolution(SPACE, fitness=RankSum(SCORES), population=6, sample=3)


class Plain:
    """Evaluates one arch after the other; what it does not know, it raises."""

    def __call__(self, arch: str, report: Callable[[Row], None]) -> None:
        if arch == "unknown":
            raise KeyError("unknown")
        if arch == "exit":
            raise SystemExit(3)
        report({"x": 0.0})
        report({"x": float(len(arch)), "seconds": 2.0, "error": None})


class Together(Plain):
    """Evaluates several archs as one, or nothing."""

    def rows(self, archs: Sequence[str]) -> list[Row]:
        if "unknown" in archs:
            raise KeyError("unknown")
        return [{"x": float(len(arch)), "together": len(archs)} for arch in archs if arch != "lost"]


def test_an_evaluator_of_one_arch_takes_them_in_turn() -> None:
    assert [row["x"] for row in evaluate(Plain(), ["a", "bcd"])] == [1.0, 3.0]


def test_an_evaluator_of_several_archs_takes_them_at_once() -> None:
    assert evaluate(Together(), ["a", "bc"]) == [{"x": 1.0, "together": 2}, {"x": 2.0, "together": 2}]


@pytest.mark.parametrize("make", [Plain, Together])
def test_what_raises_is_a_row_and_costs_no_other(make: type[Plain]) -> None:
    rows = attempt(make(), ["a", "unknown", "bc"])
    assert [row.get("x") for row in rows] == [1.0, None, 2.0]
    assert rows[1] == {"seconds": 0.0, "error": "KeyError: 'unknown'", "error_kind": "raised"}


def test_a_foreign_exit_is_a_row() -> None:
    assert attempt(Plain(), ["exit", "a"])[0]["error"] == "SystemExit: 3"


def test_a_row_too_few_is_an_error_of_that_arch() -> None:
    rows = attempt(Together(), ["a", "lost"])
    assert rows[0] == {"x": 1.0, "together": 1}
    assert rows[1]["error"] == "ValueError: an evaluator must return a row per arch, got 0 for 1."


def test_scores_are_those_of_the_chunk_scorer() -> None:
    rows = evaluator("naswot", "synflow", "params").rows(ARCHS)
    table = ChunkScorer(SPACE, 10, *BATCH, ("naswot", "synflow", "params"))(ARCHS)
    assert [list(row) for row in rows] == [["naswot", "synflow", "params", "seconds", "error"]] * len(ARCHS)
    for name in ("naswot", "synflow", "params"):
        assert [row[name] for row in rows] == table[name].tolist()
    assert [row["error"] for row in rows] == [None] * len(ARCHS)
    assert all(type(value) in (float, str, type(None)) for row in rows for value in row.values())


def test_one_arch_is_a_chunk_of_one_and_the_evaluator_can_be_sent() -> None:
    sent, rows = pickle.loads(pickle.dumps(evaluator())), list[Row]()
    sent(ARCHS[0], rows.append)
    assert rows[0]["synflow"] == pytest.approx(evaluator().rows(ARCHS)[0]["synflow"], rel=1e-5)


def test_another_seed_is_another_supernet() -> None:
    other = ChunkScores(SPACE, 10, *BATCH, SCORES, init_seed=1)
    assert other.rows(ARCHS)[0]["synflow"] != evaluator().rows(ARCHS)[0]["synflow"]


def test_an_undefined_score_is_a_row_and_costs_no_other() -> None:
    undefined, fine = evaluator("jacob_cov", "params").rows([DISCONNECTED, ARCHS[0]])
    assert (undefined["error"], undefined["error_kind"]) == ("jacob_cov is nan", "undefined")
    assert np.isnan(undefined["jacob_cov"])
    assert undefined["params"] > 0
    assert np.isfinite(fine["jacob_cov"])
    assert fine["error"] is None


def test_a_foreign_arch_costs_no_other() -> None:
    rows = evaluator().rows([ARCHS[0], "nonsense", ARCHS[1]])
    assert "got 'nonsense'" in rows[1]["error"]
    assert np.isnan([rows[1][name] for name in SCORES]).all()
    assert [rows[place]["error"] for place in (0, 2)] == [None, None]


def test_out_of_memory_loses_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    score, sizes = ChunkScorer.on, []

    def small_memory(self: ChunkScorer, archs: Sequence[str], *batch: torch.Tensor) -> pd.DataFrame:
        sizes.append(len(archs))
        if len(archs) > 2 or ARCHS[4] in archs:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")
        return score(self, archs, *batch)

    expected = [row["synflow"] for row in evaluator().rows(ARCHS)]
    monkeypatch.setattr(ChunkScorer, "on", small_memory)
    rows = evaluator().rows(ARCHS)
    assert sizes == [5, 2, 3, 1, 2, 1, 1]
    np.testing.assert_allclose([row["synflow"] for row in rows[:4]], expected[:4], rtol=1e-5)
    assert [row["error"] for row in rows] == [None] * 4 + ["out of memory"]
    assert [row.get("error_kind") for row in rows] == [None] * 4 + ["out_of_memory"]
    assert np.isnan(rows[4]["synflow"])


def test_simulate_asks_for_a_trial_at_a_time_and_adds_up_its_seconds() -> None:
    searcher = RegularizedEvolution(SPACE, fitness=Single(("x",)), population=4)
    rows = simulate(searcher, Plain(), num_samples=10, archs_per_trial=4)
    assert rows["finished_at"].tolist() == [8.0] * 4 + [16.0] * 4 + [20.0] * 2
    kinds = "".join(event["event"][0] for event in searcher.events)
    assert kinds == "aaaatttt" * 2 + "aatt"


def test_fewer_samples_than_a_trial_carries() -> None:
    assert len(simulate(random_search(), evaluator(), num_samples=3, archs_per_trial=8)) == 3


@pytest.mark.parametrize("archs_per_trial", [3, 8])
def test_random_search_has_the_same_table_with_any_number_of_archs_per_trial(archs_per_trial: int) -> None:
    one = simulate(random_search(), evaluator(), num_samples=20)
    several = simulate(random_search(), evaluator(), num_samples=20, archs_per_trial=archs_per_trial)
    pd.testing.assert_frame_equal(several[COMPARED], one[COMPARED], rtol=1e-5)


AT_NIGHT = pytest.mark.slow(faster="test_random_search_has_the_same_table_with_any_number_of_archs_per_trial")


@pytest.mark.parametrize(
    ("make", "archs_per_trial"),
    [
        (random_search, 1),
        pytest.param(evolution, 3, marks=AT_NIGHT),
        *(pytest.param(make, 8, marks=AT_NIGHT) for make in (random_search, evolution)),
        pytest.param(random_search, 3, marks=AT_NIGHT),
        pytest.param(evolution, 1, marks=AT_NIGHT),
    ],
)
def test_tune_with_one_worker_equals_simulate(
    ray_started: None, tmp_path: Path, make: Callable[[], ArchSearcher], archs_per_trial: int
) -> None:
    options = {"num_samples": 20, "archs_per_trial": archs_per_trial}
    hosted = tune_search(make(), evaluator(), folder=tmp_path, max_concurrent=1, **options)  # type: ignore[arg-type]
    local = simulate(make(), evaluator(), **options)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(hosted[COMPARED], local[COMPARED], rtol=1e-5)
    assert len(hosted) == 20
    assert hosted["worker"].notna().all()


def test_a_search_cut_in_the_middle_of_a_trial_goes_on_as_if_it_had_not_been(
    ray_started: None, tmp_path: Path
) -> None:
    whole = evolution()
    expected = simulate(whole, evaluator(), num_samples=22, archs_per_trial=4)
    places = [place for place, event in enumerate(whole.events) if event["event"] == "tell"]
    journal = Journal(tmp_path / FILE_NAME)
    for event in whole.events[: places[9] + 1]:  # two rows of the third trial
        journal.append(event)
    journal.close()
    resumed = evolution()
    resumed.replay(read_journal(tmp_path / FILE_NAME))
    rows = tune_search(resumed, evaluator(), folder=tmp_path, num_samples=22, archs_per_trial=4)
    pd.testing.assert_frame_equal(rows[COMPARED], expected[COMPARED], rtol=1e-5)
    numbers = [event["trial"] for event in read_journal(tmp_path / FILE_NAME) if event["event"] == "tell"]
    assert sorted(numbers) == list(range(22))


class Dies(Together):
    """Kills its worker at one arch."""

    def __init__(self, arch: str) -> None:
        self.arch = arch

    def rows(self, archs: Sequence[str]) -> list[Row]:
        if self.arch in archs:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().rows(archs)


@pytest.mark.slow(faster="test_the_archs_of_a_worker_that_died_go_out_one_by_one")
def test_an_arch_that_kills_its_workers_costs_its_trial_no_other_row(
    ray_started: None, tmp_path: Path
) -> None:
    asked = simulate(RandomSearch(SPACE, fitness=Single(("x",))), Together(), num_samples=8)["arch"]
    searcher = RandomSearch(SPACE, fitness=Single(("x",)))
    rows = tune_search(
        searcher, Dies(asked[1]), folder=tmp_path, num_samples=8, max_concurrent=2, archs_per_trial=4
    )
    assert sorted(rows["trial"]) == list(range(8))
    assert set(rows["arch"]) == set(asked)
    errors = rows.set_index("arch")["error"].dropna()
    assert errors.to_dict() == {asked[1]: "the worker died before the trial ended"}


def test_your_own_proxy_has_the_columns_of_its_dict() -> None:
    def mine(net: torch.nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> dict[str, float]:
        return {"images": float(len(inputs)), "layers": float(len(list(net.modules())))}

    rows = ChunkScores(SPACE, 10, *BATCH, {"mine": mine, "params": PROXIES["params"]}).rows(ARCHS[:3])
    assert [row["mine.images"] for row in rows] == [len(BATCH[0])] * 3
    assert all(row["params"] > 0 and row["error"] is None for row in rows)


class Ends(Plain):
    """Raises what would end the process."""

    def __call__(self, arch: str, report: Callable[[Row], None]) -> None:
        if arch == "interrupt":
            raise KeyboardInterrupt
        report({"x": np.float32(0.5) if arch == "a" else b"no"})


def test_what_would_end_the_worker_is_a_row() -> None:
    rows = attempt(Ends(), ["interrupt", "a", "b"])
    assert rows[0]["error"] == "KeyboardInterrupt, which ends a process; raise an Exception instead"
    assert rows[1] == {"x": 0.5}
    assert rows[2]["error"].startswith("TypeError: the column 'x' of a row must be a number, a text")
