"""What is wrong with proxies: planted faults, each found and no other, and proxies in which there is none."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from rich.console import Console
from scipy.stats import spearmanr

from nas_ray.correlate.check_proxy.args import CheckProxyArgs
from nas_ray.correlate.check_proxy.behaviour import batch_sizes, dead_branches
from nas_ray.correlate.check_proxy.conduct import repeated
from nas_ray.correlate.check_proxy.figures import direction, size
from nas_ray.correlate.check_proxy.judging import judged, subjects_of
from nas_ray.correlate.check_proxy.known import known_of
from nas_ray.correlate.check_proxy.luck import explained, order
from nas_ray.correlate.check_proxy.numbers import scale, wrapped
from nas_ray.correlate.check_proxy.pieces import Piece, all_pieces, first
from nas_ray.correlate.check_proxy.run import run
from nas_ray.correlate.check_proxy.subject import (
    DOUBT,
    FAULT,
    FINE,
    NOTE,
    UNKNOWN,
    WORST_FIRST,
    Finding,
    Subject,
)
from nas_ray.correlate.check_proxy.watching import watching
from nas_ray.correlate.check_proxy.work import ask_apart, ask_here
from nas_ray.correlate.check_proxy.world import batch_of, world_of
from nas_ray.errors import UsageError
from nas_ray.shared_weights.batched import BATCHED
from tests.commands.next_line import next_commands

Check = Callable[[Subject], Iterator[Finding]]
Wanted = Callable[[Piece], bool]

TINY: dict[str, Any] = {
    "space": "nats-tss:channels=2,cells=1",
    "images": "digits",
    "image_size": 8,
    "batch_size": 8,
    "resamples": 200,
    "benchmark": "nb201",
    "num_cpus": 1,
}


def args(proxy: str, **changes: Any) -> CheckProxyArgs:
    return CheckProxyArgs(proxy=proxy, **{**TINY, **changes})


def planted(name: str, **changes: Any) -> CheckProxyArgs:
    return args(f"tests.correlate.planted:{name}", **changes)


def every(piece: Piece) -> bool:
    return True


def asked(given: CheckProxyArgs, wanted: Wanted = every) -> Subject:
    """Returns the answers to those calls that are wanted, made in this process."""
    world, known = world_of(given), known_of(given)
    pieces = all_pieces(known.archs, given.batch_size, known.apart, world.name in BATCHED)
    answers = dict(ask_here(given, [piece for piece in pieces if wanted(piece)]))
    (subject,) = subjects_of(given, world, known, answers)
    return subject


def faults(found: Iterable[Finding]) -> dict[str, str]:
    """Returns all that is said of each check that has a fault."""
    said: dict[str, str] = {}
    for one in found:
        if one.verdict == FAULT:
            said[one.check] = f"{said.get(one.check, '')} {one.reason}"
    return said


PLANTED: dict[str, tuple[str, str, Check, Wanted]] = {
    "constant_at_two": (
        "constant",
        "1 with 2 images",
        batch_sizes,
        lambda piece: piece.facts or piece.images == first(2),
    ),
    "backwards": ("direction", "Reversed", direction, lambda piece: piece.facts),
    "disguised": ("size", "A parameter count in disguise", size, lambda piece: piece.facts),
    "ordered": ("order of images", "in another order", order, lambda piece: piece.double),
    "drawing": (
        "random state",
        "It draws from a global random state",
        repeated,
        lambda piece: piece.facts or piece.again == 1 or piece.draws == 1,
    ),
    "wrapping": (
        "overflow",
        "in int32, which holds up to 2,147,483,647",
        scale,
        lambda piece: piece.watched,
    ),
    "spoiled": (
        "dead branches",
        "with weights of no effect score nan",
        dead_branches,
        lambda piece: piece.facts or piece.branch,
    ),
}
"""By plug-in: the check that finds its fault, words of what is said, and the calls that show it."""


@pytest.fixture(scope="module")
def sound() -> Subject:
    """A proxy without a fault, and the calls that would show one of those."""
    wanted = [of_fault for *_, of_fault in PLANTED.values()]
    return asked(planted("sound", num_archs=10), lambda piece: any(one(piece) for one in wanted))


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found_by_its_check(name: str, sound: Subject) -> None:
    check, words, find, wanted = PLANTED[name]
    said = faults(find(asked(planted(name, num_archs=10), wanted)))
    assert words in said[check]
    assert not faults(find(sound))


@pytest.mark.slow(faster="test_a_planted_fault_is_found_by_its_check")
@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_the_only_one(name: str) -> None:
    check, words, *_ = PLANTED[name]
    said = faults(judged(asked(planted(name))))
    assert words in said[check]
    assert set(said) == {check}, said


@pytest.mark.slow(faster="test_a_planted_fault_is_found_by_its_check")
@pytest.mark.parametrize(
    "name", ["naswot", "synflow", "logsynflow", "jacob_cov", "zen", "params", "live_ops"]
)
def test_good_proxies_have_no_fault(name: str) -> None:
    assert not faults(judged(asked(args(name, batch_size=16))))


def test_the_direction_is_that_of_an_independent_computation(sound: Subject) -> None:
    (found,) = direction(sound)
    scores = [sound.answers[Piece(arch, facts=True)].values["sound"] for arch in sound.archs]
    assert found.figure == pytest.approx(spearmanr(scores, sound.accuracy).statistic)
    assert found.verdict == FINE


def test_without_a_benchmark_the_direction_is_unknown_and_the_rest_is_judged() -> None:
    subject = asked(planted("backwards", num_archs=10, benchmark="none"), lambda piece: piece.facts)
    (found,) = direction(subject)
    assert found.verdict == UNKNOWN
    assert "Its rank correlation with the number of parameters is -" in found.reason
    (found,) = size(asked(planted("disguised", num_archs=10, benchmark="none"), lambda piece: piece.facts))
    assert found.verdict == DOUBT  # whether it says more of accuracy is not known


def test_a_count_by_its_name_is_told_and_not_blamed() -> None:
    (found,) = size(asked(args("params", num_archs=10), lambda piece: piece.facts))
    assert found.verdict == NOTE
    assert found.figure == pytest.approx(1)


def test_a_proxy_that_says_that_it_cuts_the_minibatch_is_not_blamed_for_its_order() -> None:
    (found,) = order(asked(args("zico", num_archs=10), lambda piece: piece.double))
    assert found.verdict == NOTE
    assert "cuts the minibatch into parts" in found.reason


def test_a_check_leaves_a_page_and_tables_and_its_exit_code(tmp_path: Path) -> None:
    said = io.StringIO()
    given = planted("careless", num_archs=10, out=tmp_path / "made")
    assert run(given, Console(file=said, width=160), ask_here) == 1
    found = pd.read_csv(tmp_path / "made" / "checks.csv")
    same, weights = (found[found["score"] == f"careless.{key}"] for key in ("same", "weights"))
    for own in (same, weights):
        places = [WORST_FIRST.index(verdict) for verdict in own["verdict"]]
        assert places == sorted(places)
    assert dict(zip(same["check"], same["verdict"], strict=False))["constant"] == FAULT
    told = dict(zip(weights["why"], weights["verdict"], strict=True))
    changed = {text: verdict for text, verdict in told.items() if text.startswith("It changes")}
    assert sorted(changed.values()) == [DOUBT, FAULT]  # the net, of which it has a copy, and the images
    calls = pd.read_csv(tmp_path / "made" / "calls.csv")
    assert len(calls) > 100
    page = (tmp_path / "made" / "check.html").read_text(encoding="utf-8")
    assert all(reason.split(";")[0].replace("'", "&#39;") in page for reason in found["why"])
    assert next_commands(said.getvalue())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("endless", "a call takes more than 0.2 s"),
        ("of_words", "words must be whole numbers"),
    ],
)
def test_a_proxy_that_scores_nothing_is_refused(name: str, words: str, tmp_path: Path) -> None:
    given = planted(name, timeout_s=0.2, out=tmp_path / "made")
    with pytest.raises(UsageError, match="must score at least one of 3 archs") as refused:
        run(given, Console(file=io.StringIO()), ask_here)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (planted("untrue"), "must be a function"),
        (planted("absent"), "does not define"),
        (args("nas_wot"), "Did you mean 'naswot'"),
        (args("no_such_module:depth"), "needs an importable module"),
        (args("log_width"), "give --space nats-sss"),
        (args("naswot", space="darts-rnn"), "read texts"),
        (args("naswot", benchmark="no/such.csv"), "no such path"),
        (args("naswot", num_archs=9), "--num-archs must be from 10"),
    ],
)
def test_what_cannot_be_checked_is_refused_in_a_sentence(given: CheckProxyArgs, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        run(given, Console(file=io.StringIO()), ask_here)
    assert words in str(refused.value)


@pytest.mark.slow(faster="test_a_proxy_that_scores_nothing_is_refused")
def test_a_call_that_ends_its_process_is_told_and_the_others_are_made() -> None:
    given = planted("ending", num_archs=10)
    pieces = [Piece("|nor_conv_1x1~0|+|none~0|none~1|+|none~0|none~1|nor_conv_1x1~2|", zeroed=True)]
    pieces += [Piece(arch, facts=True) for arch in known_of(given).archs]
    answers = dict(ask_apart(1)(given, pieces))
    assert set(answers) == set(pieces)
    assert [piece for piece, answer in answers.items() if answer.ended] == pieces[:1]
    assert all(answers[piece].values for piece in pieces[1:])


def test_minibatches_hold_what_they_say() -> None:
    given = args("naswot", batch_size=20)
    inputs, targets = batch_of(given, Piece("any"))
    assert inputs.shape == (20, 3, 8, 8)
    assert np.bincount(targets).tolist() == [2] * 10  # all classes in turn
    turned, labels = batch_of(given, Piece("any", images="reversed"))
    assert torch.equal(turned.flip(0), inputs)
    assert torch.equal(labels.flip(0), targets)
    equal, _ = batch_of(given, Piece("any", images="equal"))
    assert (equal == inputs[:1]).all()
    assert not batch_of(given, Piece("any", images="zeros"))[0].any()
    assert len(batch_of(given, Piece("any", images="one class"))[1].unique()) == 1
    assert torch.equal(batch_of(given, Piece("any", images=first(2)))[0], inputs[:2])
    assert not torch.equal(batch_of(given, Piece("any", batch_seed=1))[0], inputs)


@pytest.mark.parametrize(
    ("work", "overflows"),
    [
        (lambda: torch.full((3,), 2**30, dtype=torch.int32).cumsum(0, dtype=torch.int32), True),
        (lambda: torch.full((3,), 200, dtype=torch.uint8) + 100, True),
        (lambda: torch.full((3,), 2**30, dtype=torch.int32).mul_(4), True),
        (lambda: torch.tensor([3e9]).to(torch.int32), True),
        (lambda: torch.ones(300, dtype=torch.bool).sum(dtype=torch.uint8), True),
        (lambda: np.int32(2**31 - 1) + np.int32(1), True),
        (lambda: torch.full((3,), 2**30, dtype=torch.int32).sum(), False),  # in 64 bits
        (lambda: torch.tensor([2.7, -2.7]).to(torch.int8), False),
        (lambda: torch.arange(100).pow(2) // 7, False),
        (lambda: torch.ones(300, dtype=torch.bool).sum(), False),
    ],
)
def test_whole_numbers_that_leave_their_range_are_seen(work: Callable[[], Any], overflows: bool) -> None:
    with watching() as watch:
        work()
    assert (watch.said is not None) == overflows, watch.said


def test_counts_that_went_round_are_known_by_their_range() -> None:
    rng = np.random.default_rng(0)
    went_round = rng.integers(-(2**31), 2**31, size=24).astype(float)
    assert wrapped(went_round) == 32
    assert wrapped(went_round + 0.5) is None
    assert wrapped(np.abs(went_round)) is None
    assert wrapped(np.arange(-5.0, 6.0)) is None


def test_the_share_between_archs_is_an_intraclass_correlation() -> None:
    """By hand, of ranks: 1 2 | 3 4 | 5 6 in two seeds; and of noise, where chance explains all."""
    share, chance = explained(np.array([[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]))
    between, within = 8.0, 0.5  # twice the variance of 1.5, 3.5, 5.5; the mean of three halves
    assert share == pytest.approx((between - within) / (between + within))
    assert chance < 0.05
    assert explained(np.random.default_rng(0).normal(size=(3, 12)))[1] > 0.05
