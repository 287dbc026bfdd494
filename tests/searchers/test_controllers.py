"""REINFORCE and PPO: what moves the policy, that it learns, and that nothing is lost."""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from nas_ray.drivers.simulation import simulate
from nas_ray.errors import UsageError
from nas_ray.process.one_blas_thread import _libraries
from nas_ray.rows import Row
from nas_ray.safe_files.plain_state import packed, read_plain
from nas_ray.searchers import FilteredSpace, Ppo, RankSum, Reinforce, Single
from nas_ray.searchers.controllers.adam import Adam
from nas_ray.searchers.controllers.controller import Controller
from nas_ray.searchers.controllers.depth import Depth
from nas_ray.searchers.controllers.paths import Decision, path_of
from nas_ray.searchers.controllers.reinforce import MOST_RATIO
from nas_ray.searchers.controllers.rewards import Baseline, rank_of, shaped
from nas_ray.searchers.controllers.samples import Batch, Sample
from nas_ray.searchers.kept import Kept
from nas_ray.spaces import NatsTss
from nas_ray.spaces.named import open_space
from nas_ray.testing import searcher_contract
from tests.searchers.layers import Stack, reads_of, shuffled
from tests.searchers.toy import Grid, Line, Word, drive

FITNESS = Single(("x",))
TestLstm = pytest.mark.slow(faster="test_killed_anywhere_it_goes_on_as_if_it_had_not_been")(
    searcher_contract(Ppo, space=Stack(), archs_per_update=6)
)


def tell(searcher: Controller, arch: str, row: Row, number: int = 0) -> None:
    """Has an arch drawn, whatever the policy would draw, and its row told."""
    path = path_of(searcher._sequences, searcher._sequences.decisions(arch))
    sample = Sample(path, searcher.learner.logs([path]), searcher.updates)
    searcher._drawn[searcher.num_asked] = sample
    with mock.patch.object(type(searcher), "ask", return_value=arch):
        assert searcher.suggest(f"told-{number}") == {"arch": arch}
    searcher.on_trial_complete(f"told-{number}", row)


def sampled(searcher: Controller, arch: str, advantage: float, **changes: Any) -> Sample:
    path = path_of(searcher._sequences, searcher._sequences.decisions(arch))
    return Sample(path, changes.get("logs", searcher.learner.logs([path])), 0, advantage)


def uphill(searcher: Controller, *samples: Sample) -> np.ndarray:
    """The gradient of one step, as one row of numbers."""
    batch = Batch(samples)
    with mock.patch.object(Adam, "step") as step:
        searcher.learner.climb(batch.paths, partial(searcher.weights, batch), 0.0)
    return np.concatenate([np.ravel(one) for one in step.call_args.args[1]])


def all_paths(space: Stack, searcher: Controller) -> tuple[list[str], np.ndarray]:
    archs = list(space)
    return archs, np.exp([searcher.log_chance(arch) for arch in archs])


def expected_slope(searcher: Controller, archs: list[str]) -> np.ndarray:
    """The gradient of the expected reward over all archs: sum of p'(a) R(a), exactly."""
    total: Any = 0
    for arch in archs:
        chance = math.exp(searcher.log_chance(arch))
        total = total + chance * reads_of(arch) * uphill(searcher, sampled(searcher, arch, 1.0))
    return np.asarray(total)


@pytest.mark.parametrize("policy", ["categorical", "lstm"])
@pytest.mark.parametrize("baseline", [0.0, 1.7])
def test_the_gradient_is_unbiased(policy: str, baseline: float) -> None:
    """The mean over all archs by their chances is the gradient of the mean reward, whatever the baseline."""
    space = Stack(2)
    searcher = Reinforce(space, fitness=FITNESS, policy=policy, archs_per_update=3)
    drive(searcher, 12, value=reads_of)
    archs, chances = all_paths(space, searcher)
    estimates = [uphill(searcher, sampled(searcher, arch, reads_of(arch) - baseline)) for arch in archs]
    mean = np.sum(chances[:, None] * np.array(estimates), axis=0)
    wanted = expected_slope(searcher, archs)
    assert np.abs(wanted).max() > 1e-3
    assert mean == pytest.approx(wanted, abs=1e-5)


def test_the_gradient_of_the_expected_reward_is_that_of_finite_differences() -> None:
    """So that the one above is compared with what it should be."""
    space = Stack(2)
    searcher = Reinforce(space, fitness=FITNESS, archs_per_update=3)
    drive(searcher, 12, value=reads_of)
    archs, learner, rng = list(space), searcher.learner, np.random.default_rng(0)
    logits = learner._logits  # type: ignore[attr-defined]
    direction, sides = rng.normal(size=logits.shape), []
    for side in (1e-5, -1e-5):
        shift = np.where(np.isfinite(logits), side * direction, 0.0)
        logits += shift
        learner._refresh()  # type: ignore[attr-defined]
        sides.append(sum(math.exp(searcher.log_chance(arch)) * reads_of(arch) for arch in archs))
        logits -= shift
        learner._refresh()  # type: ignore[attr-defined]
    slope = (sides[0] - sides[1]) / 2e-5
    assert expected_slope(searcher, archs) @ direction.ravel() == pytest.approx(slope, rel=1e-6)


def test_late_archs_are_corrected_by_what_the_policy_thinks_of_them_now() -> None:
    """Drawn by an older policy, the mean over all archs is the gradient of the policy as it is."""
    space = Stack(2)
    searcher = Reinforce(space, fitness=FITNESS, archs_per_update=1000, late="correct")
    archs, before = all_paths(space, searcher)
    logs = [sampled(searcher, arch, 0.0).logs for arch in archs]
    rng = np.random.default_rng(0)
    for _ in range(3):
        batch = Batch([sampled(searcher, arch, float(rng.normal())) for arch in archs])
        searcher.learner.climb(batch.paths, lambda _, batch=batch: batch.advantages(), 0.0)
    ratios = np.exp([searcher.log_chance(arch) for arch in archs]) / before
    assert 1.2 < ratios.max() < MOST_RATIO
    estimates = [
        uphill(searcher, sampled(searcher, arch, reads_of(arch), logs=then))
        for arch, then in zip(archs, logs, strict=True)
    ]
    mean = np.sum(before[:, None] * np.array(estimates), axis=0)
    assert mean == pytest.approx(expected_slope(searcher, archs), abs=1e-9)
    searcher.late = "use"
    assert np.abs(uphill(searcher, sampled(searcher, archs[0], 1.0)) - estimates[0]).max() > 1e-3


def test_the_ratio_of_late_archs_has_a_limit() -> None:
    searcher = Reinforce(Grid(), fitness=FITNESS, late="correct")
    unlikely = sampled(searcher, "123", 1.0, logs=np.array([-9.0, -9.0, -9.0, 0.0]))
    assert searcher.weights(Batch([unlikely]), searcher.learner.logs([unlikely.path])).tolist() == [2.0] * 4


def test_clipping_by_hand() -> None:
    """Decisions of two archs whose chances went from 1/2 to 3/4, 1/2, 1/4 and 11/20, with clip .2."""
    searcher = Ppo(Grid(), fitness=FITNESS, policy="categorical")
    path = tuple(Decision(("a", "b"), 0) for _ in range(4))
    then = np.log([0.5] * 4)
    good, bad = Sample(path, then, 0, 1.0), Sample(path, then, 0, -3.0)
    now = np.log([0.75, 0.5, 0.25, 0.55])  # ratios 1.5, 1, .5 and 1.1
    weights = searcher.weights(Batch([good, bad]), np.concatenate([now, now]))
    # The good one moves while its ratio is below 1.2, the bad one while it is above .8; the mean is over two.
    assert weights == pytest.approx([0, 0.5, 0.25, 0.55, -2.25, -1.5, 0, -1.65])


def test_clipping_is_the_gradient_of_the_objective() -> None:
    searcher, rng = Ppo(Grid(), fitness=FITNESS, policy="categorical", clip=0.3), np.random.default_rng(0)
    path = tuple(Decision(("a", "b"), 0) for _ in range(5))
    samples = [Sample(path, rng.normal(size=5) - 2, 0, float(rng.normal())) for _ in range(40)]
    now = torch.tensor(rng.normal(size=200) * 0.4 + np.concatenate([one.logs for one in samples]))
    now.requires_grad_()
    ratio = (now - torch.tensor(np.concatenate([one.logs for one in samples]))).exp()
    gain = torch.tensor(np.repeat([one.advantage for one in samples], 5)) / 40
    torch.minimum(ratio * gain, ratio.clip(0.7, 1.3) * gain).sum().backward()
    ours = searcher.weights(Batch(samples), now.detach().numpy())
    assert now.grad is not None
    assert ours == pytest.approx(now.grad.numpy(), abs=1e-12)
    assert (ours == 0).any()
    assert (ours != 0).any()


def test_ppo_makes_its_steps_on_one_update() -> None:
    searcher = Ppo(Grid(), fitness=FITNESS, policy="categorical", archs_per_update=5, epochs=3)
    with mock.patch.object(Adam, "step", autospec=True, side_effect=Adam.step) as step:
        drive(searcher, 11)
    assert step.call_count == 6
    assert searcher.updates == 2


LEARNERS: dict[str, Callable[..., Controller]] = {
    "softmax": partial(Reinforce, lr=0.1),
    "lstm": partial(Reinforce, policy="lstm", lr=0.005, archs_per_update=4),
    "ppo": partial(Ppo, policy="categorical", lr=0.05),
    "ppo lstm": partial(Ppo, lr=0.003),
}


BEST: dict[str, tuple[Callable[[], Any], str]] = {
    "decisions": (partial(Word, 5), "bcabe"),
    "layers alike": (partial(Stack, 3), "b b on b on on"),
    "layers that differ": (partial(Stack, 3), "a c on b off on"),
}
"""Spaces and their best archs; in two of them a place likes what others do not."""


def in_common(best: str) -> Callable[[str], float]:
    """Returns a reward: in how many places an arch is `best`, less what is missing or too much."""
    wanted = best.split() if " " in best else list(best)

    def value(arch: str) -> float:
        found = arch.split() if " " in best else list(arch)
        alike = sum(map(operator.eq, found, wanted))
        return float(alike - abs(len(found) - len(wanted)))

    return value


@pytest.mark.parametrize("space", BEST)
@pytest.mark.parametrize("kind", LEARNERS)
def test_the_best_becomes_likely_and_by_shuffled_rewards_does_not(kind: str, space: str) -> None:
    """A shuffled reward is drawn anew each time."""
    (make, best), rng = BEST[space], np.random.default_rng(0)
    searcher, other = (LEARNERS[kind](make(), fitness=FITNESS, seed=1) for _ in range(2))
    assert math.exp(searcher.log_chance(best)) < 0.02
    steps = learn(searcher, 2500, in_common(best), best)
    assert math.exp(searcher.log_chance(best)) > 0.9
    learn(other, steps, lambda arch: shuffled(rng), best)
    assert math.exp(other.log_chance(best)) < 0.3


def learn(searcher: Controller, steps: int, value: Callable[[str], float], best: str) -> int:
    """Draws archs and has them learnt from, until the best is likely; returns how many.

    There is no driver, for which known archs would cost nothing.
    """
    for number in range(steps):
        arch = searcher.ask()
        with mock.patch.object(searcher, "_reward", lambda _, arch=arch: value(arch)):
            searcher.tell(arch, {"arch": arch, "trial": searcher.num_asked})
        if number % 50 == 49 and math.exp(searcher.log_chance(best)) > 0.92:
            return number + 1
    return steps


OLD_ASKS = ["210", "033", "222", "330", "302", "032", "110", "022", "213", "322", "210", "221", "233", "121"]
"""What REINFORCE with an LSTM asked for where all places had the same output weights."""


def test_a_run_of_a_policy_without_places_is_refused() -> None:
    def new() -> Controller:
        return Reinforce(Grid(), fitness=FITNESS, policy="lstm", lr=0.05, archs_per_update=2)

    own = new()
    drive(own, 14)
    new().replay(own.events)
    events: list[dict[str, Any]] = []
    for trial, arch in enumerate(OLD_ASKS):
        row = {"x": float(arch), "trial": trial, "arch": arch, "reused": arch in OLD_ASKS[:trial]}
        events.append({"event": "ask", "trial": trial, "arch": arch})
        events.append({"event": "tell", "trial": trial, "row": row})
    with pytest.raises(ValueError, match="of the journal is '.*it was made with other arguments or another"):
        new().replay(events)
    old = new().state()
    old["policy"]["tokens"] = ["0", "1", "2", "3"]
    with pytest.raises(ValueError, match="its tokens have no places, as those of an earlier version"):
        new().load_state(old)


@pytest.mark.parametrize(
    ("make", "in_flight"),
    [
        (partial(Reinforce, archs_per_update=4), 1),
        (partial(Ppo, archs_per_update=4, policy="categorical", late="drop", max_age=1), 3),
        (partial(Reinforce, archs_per_update=3, policy="lstm", depth=1, deepen_by=1, deepen_every=4), 3),
    ],
)
def test_killed_anywhere_it_goes_on_as_if_it_had_not_been(
    make: Callable[..., Controller], in_flight: int, tmp_path: Path
) -> None:
    """After every event, most of them in the middle of an update, from the journal and from the state."""

    def evaluate(arch: str, report: Callable[[Row], None]) -> None:
        failed = arch.startswith("c")
        value = math.nan if failed else reads_of(arch)
        report({"x": value, "seconds": float(len(arch)), "error": "x is nan" if failed else None})

    def new() -> Controller:
        return make(Stack(3), fitness=FITNESS, seed=2)

    whole = new()
    simulate(whole, evaluate, num_samples=14, workers=in_flight)
    events, after = json.loads(json.dumps(whole.events)), packed(whole.state())
    for cut in range(len(events) + 1):
        resumed, stopped = new(), new()
        resumed.replay(events[:cut])
        stopped.replay(events[:cut])
        (tmp_path / "state").write_bytes(packed(stopped.kept()._asdict()))
        loaded = new()
        loaded.load_kept(Kept(**read_plain(tmp_path / "state")), events[:cut])
        assert packed(loaded.state()) == packed(stopped.state()), cut
        for one in (resumed, loaded):
            one.replay(events)
            assert json.loads(json.dumps(one.events)) == events
            assert packed(one.state()) == after, cut


def test_rewards_by_hand() -> None:
    assert shaped("raw", 93.5) == 93.5
    assert shaped("cubed", 50.0) == 0.125
    assert shaped("inverse_square", -40.0) == shaped("inverse_square", 40.0) == 0.05
    assert shaped("inverse_square", 40.0, 16.0) == 0.01
    assert math.isinf(shaped("inverse_square", 0.0))
    values = np.array([3.0, -np.inf, 3.0, 9.0])
    assert [rank_of(values, place) for place in range(4)] == [0.5, 0.125, 0.5, 0.875]
    assert rank_of(np.array([3.0, np.nan]), 0) == 0.75  # as a foreign fitness may say of what failed
    average = Baseline(0.9)
    assert average.add(4.0) == pytest.approx(4.0)
    assert average.add(8.0) == pytest.approx((0.9 * 0.1 * 4 + 0.1 * 8) / (0.9 * 0.1 + 0.1))


def test_a_reward_in_the_average_scales_what_is_learnt_and_no_more() -> None:
    before, first, second = 3.0, Baseline(0.9), Baseline(0.9)
    for one in (first, second):
        one.add(2.0)
        assert one.add(before) == pytest.approx(2.0 + 10 / 19)
    both = ((first, 7.0), (second, 50.0))
    scales = [(reward - one.add(reward)) / (reward - 48 / 19) for one, reward in both]
    assert scales[0] == pytest.approx(scales[1])


def advantages(searcher: Controller, told: list[tuple[str, Row]]) -> list[float]:
    """What the archs of an update are worth once their rows have come."""
    for number, (arch, row) in enumerate(told):
        tell(searcher, arch, row, number)
    return [sample.advantage for sample in searcher._told]


def test_a_failed_arch_has_the_worst_reward_so_far() -> None:
    searcher = Reinforce(Grid(), fitness=FITNESS, archs_per_update=9, reward="raw")
    failed: Row = {"x": math.nan, "error": "x is nan"}
    told = [("000", failed), ("001", {"x": 5.0}), ("002", {"x": 3.0}), ("003", failed)]
    found, average = advantages(searcher, told), Baseline(0.9)
    assert found == pytest.approx([reward - average.add(reward) for reward in (5.0, 3.0, 3.0)])


def test_only_an_accuracy_is_its_own_reward() -> None:
    """Any other score may be of any size, as synflow is."""
    for name, kind in (("valid_acc", "raw"), ("synflow", "rank")):
        rows: list[Row] = [{name: 60.0}, {name: 70.0}, {name: 65.0}]
        told = [(f"00{k}", row) for k, row in enumerate(rows)]
        auto, said = (
            Reinforce(Grid(), fitness=Single((name,)), archs_per_update=9, reward=reward)
            for reward in ("auto", kind)
        )
        assert advantages(auto, told) == advantages(said, told)


@pytest.mark.parametrize(
    ("make", "policy", "size"),
    [
        (Reinforce, "categorical", 1e160),
        (Ppo, "categorical", 1.7e308),
        (Reinforce, "lstm", 1.7e308),
        pytest.param(Ppo, "lstm", 1e25, marks=pytest.mark.slow(faster="test_huge_rewards_are_learnt_from")),
    ],
)
def test_huge_rewards_are_learnt_from(make: Callable[..., Controller], policy: str, size: float) -> None:
    searcher = make(Grid(), fitness=FITNESS, policy=policy, reward="raw", archs_per_update=3, lr=0.1)
    drive(searcher, 30, value=lambda arch: size if arch[0] == "2" else -size)
    chances = np.exp([searcher.log_chance(f"{k}00") for k in range(4)])
    assert searcher.updates > 5
    assert np.isfinite(chances).all()
    assert chances.argmax() == 2


def test_a_step_that_is_not_finite_is_not_made() -> None:
    adam, array = Adam(0.1), np.ones(2)
    adam.step([array], [np.array([1.0, -1.0])])
    before, held = array.copy(), packed(adam.state())
    with pytest.warns(RuntimeWarning, match="A step of Adam was left out, as its gradient is not finite"):
        adam.step([array], [np.array([1.0, np.nan])])
    assert array.tolist() == before.tolist()
    assert packed(adam.state()) == held
    adam.step([array.astype(np.float32)], [np.array([3e38, 1.0], np.float32)])
    assert np.isfinite(adam.state()["moments"][0]).all()


@pytest.mark.parametrize(
    ("reward", "fitness"), [("cubed", 1e200), ("inverse_square", 1e-200), ("inverse_square", 1e200)]
)
def test_a_reward_that_overflows_is_that_of_a_failed_arch(reward: str, fitness: float) -> None:
    searcher = Reinforce(Grid(), fitness=FITNESS, archs_per_update=9, reward=reward)
    found = advantages(searcher, [("000", {"x": 50.0}), ("001", {"x": 60.0}), ("002", {"x": fitness})])
    first, second = (shaped(reward, fitness) for fitness in (50.0, 60.0))
    average = Baseline(0.9)
    wanted = [reward - average.add(reward) for reward in (first, second, min(first, second))]
    assert found == pytest.approx(wanted)


def test_a_cancelled_arch_teaches_nothing_in_place_of_a_later_one() -> None:
    """The later evaluation of the same arch was decided elsewhere, by a newer policy."""
    searcher = Reinforce(Grid(), fitness=FITNESS, archs_per_update=9)
    path = path_of(searcher._sequences, searcher._sequences.decisions("000"))
    for number, logs in enumerate((-1.0, -2.0)):
        searcher._drawn[number] = Sample(path, np.full(4, logs), number)
        with mock.patch.object(Reinforce, "ask", return_value="000"):
            assert searcher.suggest(f"t{number}") == {"arch": "000"}
        searcher.on_trial_complete(f"t{number}", {"x": 1.0} if number else None)
    (sample,) = searcher._told
    assert sample.updates == 1
    assert sample.logs.tolist() == [-2.0] * 4
    assert list(searcher._drawn) == [0]  # which goes out again when the search is resumed


def test_thousands_of_deepenings_are_no_recursion() -> None:
    asked: list[int] = []

    class Deep(Stack):
        def of_depth(self, layers: int) -> Stack:
            asked.append(layers)
            return super().of_depth(layers)

    depth = Depth(Deep(4), 1, 1, 1)
    assert depth.space(50_000) is depth.space(3)
    assert asked == [1, 2, 3, 4, 5]


def test_a_relative_fitness_becomes_a_rank() -> None:
    """Rank sums grow with every row, and shares do not."""
    searcher = Reinforce(Grid(), fitness=RankSum(("x", "y")), archs_per_update=9)
    rows: list[Row] = [{"x": 1.0, "y": 1.0}, {"x": 2.0, "y": 2.0}, {"x": 0.0, "y": 0.0}]
    found = advantages(searcher, [(f"00{k}", row) for k, row in enumerate(rows)])
    average = Baseline(0.9)
    assert found == pytest.approx([reward - average.add(reward) for reward in (1 / 2, 3 / 4, 1 / 6)])
    absolute = Reinforce(Grid(), fitness=FITNESS, archs_per_update=9, reward="rank")
    assert advantages(absolute, [(f"00{k}", row) for k, row in enumerate(rows)]) == pytest.approx(found)


def test_a_known_arch_counts_as_a_sample() -> None:
    searcher = Reinforce(Line(1), fitness=FITNESS, archs_per_update=4)
    searcher.attach(stop=lambda: searcher.num_asked >= 12)
    assert len(drive(searcher, 12)) == 1
    assert searcher.updates == 3


def test_given_rows_teach_nothing() -> None:
    searcher = Reinforce(Grid(), fitness=FITNESS)
    searcher.add([{"arch": f"{n:03}"[-3:].replace("9", "0"), "x": 1.0} for n in range(3)])
    assert searcher.updates == 0
    assert not searcher._told
    drive(searcher, 5)
    assert searcher.updates >= 5


def late(way: str, in_flight: int) -> Controller:
    searcher = Reinforce(NatsTss(), fitness=FITNESS, late=way, max_age=3, reward="raw")
    drive(searcher, 60, in_flight=in_flight)
    return searcher


def test_late_rows_are_dropped_only_if_they_are_late() -> None:
    assert late("drop", 1).updates == late("use", 1).updates == late("use", 8).updates == 60
    assert late("drop", 4).updates == 60  # a row is three updates old then
    assert 20 < late("drop", 8).updates < 50


def test_archs_outside_of_a_filter_are_drawn_again() -> None:
    inside = FilteredSpace(Grid(), lambda arch: arch[0] != "3")
    assert all(arch[0] != "3" for arch in drive(Reinforce(inside, fitness=FITNESS), 60))


def layers_of(arch: str) -> int:
    return sum(option in "abc" for option in arch.split())


def test_archs_grow_as_the_schedule_says() -> None:
    searcher = Reinforce(Stack(5), fitness=FITNESS, depth=1, deepen_by=2, deepen_every=5)
    drive(searcher, 30, value=reads_of)
    asked = [layers_of(event["arch"]) for event in searcher.events if event["event"] == "ask"]
    assert asked[:10] == [1] * 5 + [3] * 5
    assert asked[10:] == [5] * (len(asked) - 10)  # there are none of seven
    assert len(asked) >= 30
    assert len(set(map(layers_of, drive(Reinforce(Stack(5), fitness=FITNESS), 20)))) > 1


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: Reinforce(Grid(), fitness=FITNESS, policy="lsmt"),
            "Unknown policy 'lsmt'. Did you mean",
        ),
        (lambda: Reinforce(Grid(), fitness=FITNESS, reward="cube"), "Unknown reward 'cube'"),
        (lambda: Ppo(Grid(), fitness=FITNESS, late="correct"), "Unknown way of late 'correct'"),
        (lambda: Reinforce(Grid(), fitness=FITNESS, lr=-1.0), "lr of reinforce must be from 0 to 10, got -1"),
        (
            lambda: Reinforce(Grid(), fitness=FITNESS, momentum=0.0),
            "momentum of reinforce must be above 0 and at most 0.9999, got 0",
        ),
        (lambda: Reinforce(Grid(), fitness=FITNESS, policy=5), "policy of reinforce must be a string, got 5"),  # type: ignore[arg-type]
        (lambda: Ppo(Grid(), fitness=FITNESS, policy=None), "policy of ppo must be a string, got None"),  # type: ignore[arg-type]
        (lambda: Ppo(Grid(), fitness=FITNESS, policy=["lstm"]), "policy of ppo must be a string, got"),  # type: ignore[arg-type]
        (lambda: Ppo(Grid(), fitness=FITNESS, reward=7), "reward of ppo must be a string, got 7"),
        (lambda: Ppo(Grid(), fitness=FITNESS, late=0), "way of late of ppo must be a string, got 0"),
        (
            lambda: Reinforce(open_space("nats-tss@lr=log:0.01..1"), fitness=FITNESS),
            "reinforce needs settings that are choices, such as lr=0.1/0.01, got the range lr=log:0.01..1; "
            "list its values",
        ),
        (
            lambda: Ppo(open_space("darts-cells"), fitness=FITNESS),
            "ppo needs a space whose archs are made of decisions, such as nats-tss, got DartsCells; search "
            "it with rea, local_search or random_search.",
        ),
        (
            lambda: Ppo(open_space("macro"), fitness=FITNESS),
            "ppo needs a space whose archs are made of decisions, such as nats-tss, got Macro; search it "
            "with rea, local_search or random_search.",
        ),
        (lambda: Ppo(Grid(), fitness=FITNESS, clip=0.0), "clip of ppo must be above 0 and at most 1, got 0"),
        (
            lambda: Reinforce(Grid(), fitness=FITNESS, depth=3),
            "depth needs a space with the method of_depth, got Grid; add it",
        ),
        (lambda: Reinforce(Stack(), fitness=FITNESS, depth=9), "There must be 1 to 3 layers, got 9."),
    ],
)
def test_what_cannot_work_is_told(make: Callable[[], Controller], said: str) -> None:
    with pytest.raises(UsageError) as told:
        make()
    assert str(told.value).startswith(said)


def test_products_of_matrices_have_one_thread_meanwhile_and_keep_theirs() -> None:
    def threads() -> set[int]:
        found = ThreadpoolController().select(user_api="blas").info()
        return {library["num_threads"] for library in found}

    searcher, inside = Ppo(Grid(), fitness=FITNESS, archs_per_update=3), list[set[int]]()
    own = searcher.weights  # all libraries are loaded now
    _libraries.cache_clear()
    with ThreadpoolController().limit(limits=2, user_api="blas"):

        def weigh(*given: Any) -> np.ndarray:
            inside.append(threads())
            return own(*given)

        with mock.patch.object(searcher, "weights", weigh):
            drive(searcher, 7)
        assert inside
        assert all(one == {1} for one in inside)
        assert threads() == {2}
