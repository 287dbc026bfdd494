"""Hypervolume ratio, IGD+ and attainment: by hand, by brute force, and by an installed library."""

from __future__ import annotations

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.report.attainment import attainment_surface
from nas_ray.report.true_front import TrueFront
from nas_ray.searchers.hypervolume import hypervolume
from nas_ray.searchers.pareto import first_front

TABLE = np.array([[10.0, -5.0], [8.0, -1.0], [0.0, -1.0], [8.0, -1.0], [5.0, -6.0]])


def test_a_front_by_hand() -> None:
    truth = TrueFront(TABLE)
    assert truth.places.tolist() == [0, 1]  # of two equal ones the first
    np.testing.assert_allclose(truth.points, [[1.0, 0.2], [0.8, 1.0]])
    assert truth.hypervolume == pytest.approx(0.8 + 0.2 * 0.2)
    assert truth.ratio(TABLE) == 1.0
    assert truth.ratio(TABLE[:1]) == pytest.approx(0.2 / 0.84)
    assert truth.igd_plus(TABLE[:1]) == pytest.approx((0.0 + 0.8) / 2)  # worse in the second alone
    assert truth.igd_plus(TABLE[1:3]) == pytest.approx((0.2 + 0.0) / 2)
    assert truth.igd_plus(TABLE) == 0.0
    np.testing.assert_allclose(truth.course(TABLE[[2, 0, 1]]), [0.0, 0.2 / 0.84, 1.0])


def test_what_failed_has_no_part_in_a_front() -> None:
    truth = TrueFront(TABLE)
    failed = np.full((2, 2), -np.inf)
    assert truth.ratio(np.vstack([failed, TABLE])) == 1.0
    assert truth.ratio(failed) == 0.0
    assert np.isnan(truth.igd_plus(failed))
    undefined = TrueFront(np.vstack([[[np.nan, 3.0], [-np.inf, -np.inf]], TABLE]))
    assert undefined.places.tolist() == [2, 3]
    assert undefined.hypervolume == truth.hypervolume


@pytest.mark.parametrize("bad", [np.ones((3, 1)), np.ones((3, 5)), np.empty((0, 2)), np.array([[1, np.nan]])])
def test_no_front_without_whole_numbers_of_a_few_objectives(bad: np.ndarray) -> None:
    with pytest.raises(UsageError, match="A true front needs"):
        TrueFront(bad)


@pytest.mark.parametrize("objectives", [2, 3])
def test_equals_an_installed_library(objectives: int) -> None:
    moocore = pytest.importorskip("moocore", reason="a dev dependency")
    rng = np.random.default_rng(objectives)
    table = rng.random((400, objectives)) ** 0.5
    truth, found = TrueFront(table), table[rng.choice(400, 30, replace=False)]
    assert set(truth.places.tolist()) == set(np.flatnonzero(moocore.is_nondominated(-table)).tolist())
    reference = np.zeros(objectives)
    theirs = moocore.hypervolume(-truth.scaled(found), ref=reference)
    assert hypervolume(truth.scaled(found)) == pytest.approx(theirs, rel=1e-12)
    whole = moocore.hypervolume(-truth.scaled(table), ref=reference)
    assert truth.ratio(found) == pytest.approx(theirs / whole, rel=1e-12)
    assert truth.igd_plus(found) == pytest.approx(
        moocore.igd_plus(-truth.scaled(found), ref=-truth.points), rel=1e-12
    )


@pytest.mark.parametrize("objectives", [2, 3])
def test_equals_brute_force(objectives: int) -> None:
    rng = np.random.default_rng(objectives)
    table = rng.integers(0, 8, size=(60, objectives)).astype(float)
    truth, found = TrueFront(table), table[:6]
    on_front = [
        row for row in table if not any((other >= row).all() and (other > row).any() for other in table)
    ]
    assert sorted(map(tuple, table[truth.places])) == sorted({tuple(row) for row in on_front})
    distances = []
    for point in truth.points:
        steps = [np.linalg.norm(np.clip(point - row, 0, None)) for row in truth.scaled(found)]
        distances.append(min(steps))
    assert truth.igd_plus(found) == pytest.approx(np.mean(distances))
    draws = rng.random((200_000, objectives))
    share = [float(np.any([(row >= draws).all(axis=1) for row in rows], axis=0).mean())
             for rows in (truth.scaled(found), truth.points)]  # fmt: skip
    assert truth.ratio(found) == pytest.approx(share[0] / share[1], abs=0.01)


def attained(point: np.ndarray, runs: list[np.ndarray]) -> float:
    """Returns the share of runs with a row that is nowhere worse than a point."""
    return float(np.mean([(values >= point).all(axis=1).any() for values in runs]))


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75, 1.0])
def test_a_surface_is_the_edge_of_what_a_share_of_runs_attained(share: float) -> None:
    rng = np.random.default_rng(0)
    runs = [rng.integers(0, 10, size=(5, 2)).astype(float) for _ in range(7)]
    surface = attainment_surface(runs, share)
    for first in range(11):
        for second in range(11):
            point = np.array([first, second], dtype=float)
            below = bool((surface >= point).all(axis=1).any())
            assert below == (attained(point, runs) >= share)
    assert len(first_front(surface)) == len(surface)
    assert (np.diff(surface[:, 0]) < 0).all()


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_surfaces_equal_an_installed_library(share: float) -> None:
    moocore = pytest.importorskip("moocore", reason="a dev dependency")
    rng = np.random.default_rng(1)
    runs = [rng.random((6, 2)) for _ in range(9)]
    sets = np.repeat(np.arange(9), 6)
    theirs = -moocore.eaf(-np.concatenate(runs), sets, percentiles=[100 * share])[:, :2]
    ours = attainment_surface(runs, share)
    np.testing.assert_allclose(ours, theirs[np.argsort(-theirs[:, 0])], rtol=1e-12)


def test_runs_without_a_point_attain_nothing() -> None:
    runs = [np.array([[1.0, 2.0], [-np.inf, -np.inf]]), np.empty((0, 2))]
    np.testing.assert_array_equal(attainment_surface(runs, 0.5), [[1.0, 2.0]])
    assert len(attainment_surface(runs, 0.75)) == 0
    assert len(attainment_surface([], 0.5)) == 0
