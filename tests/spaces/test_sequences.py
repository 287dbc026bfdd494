"""Archs as sequences: round trips, mutations of one decision, all lengths, and the fixed length."""

from __future__ import annotations

import time
from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.spaces import (
    END,
    NatsSss,
    NatsTss,
    SequenceSpace,
    sample_sequence,
    sequence_neighbors,
    sequences,
)
from nas_ray.spaces.filtered import FilteredSpace
from nas_ray.spaces.sequences import as_sequence, sequence_children
from tests.searchers.toy import Grid
from tests.spaces.toy import Layers, Widths

SPACE = Layers(6)


def drawn(count: int = 300, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [SPACE.sample(rng) for _ in range(count)]


def test_every_sampled_arch_round_trips_and_all_lengths_are_reached() -> None:
    assert isinstance(SPACE, SequenceSpace)
    assert all(SPACE.assemble(SPACE.decisions(arch)) == arch for arch in drawn())
    assert {len(SPACE.decisions(arch)) for arch in drawn()} == set(range(1, 7))


def test_options_are_drawn_alike_and_archs_are_not() -> None:
    counts = Counter(drawn(6000))
    assert counts["narrow"] == pytest.approx(6000 / 2 / 2, rel=0.1)  # narrow of 2, then END of 2
    assert counts["wide"] == pytest.approx(6000 / 2 / 3, rel=0.1)  # wide of 2, then END of 3


def check_child(parent: tuple[str, ...], child: tuple[str, ...]) -> None:
    """Checks that one decision differs, and what is behind it only where that of the parent cannot be."""
    path, other = (*parent, END), (*child, END)
    place = next(place for place, (a, b) in enumerate(zip(path, other, strict=False)) if a != b)
    for behind in range(place + 1, min(len(path), len(other))):
        assert other[behind] == path[behind] or path[behind] not in SPACE.options(other[:behind])


def test_a_child_changes_one_decision_and_keeps_what_it_can() -> None:
    rng = np.random.default_rng(1)
    for parent in drawn(100):
        path = (*SPACE.decisions(parent), END)
        children = sequence_children(SPACE, parent, rng)
        changes = sum(len(SPACE.options(path[:place])) - 1 for place in range(len(path)))
        assert len(set(children)) == len(children) <= changes
        assert parent not in children
        for child in children:
            assert SPACE.assemble(SPACE.decisions(child)) == child
            check_child(SPACE.decisions(parent), SPACE.decisions(child))


def test_children_of_one_parent_by_hand() -> None:
    children = sequence_children(Layers(2), "wide-wide", np.random.default_rng(0))
    # narrow first leaves no wide second, so narrow or the end is drawn; the second becomes narrow or the end
    assert children in ([first, "wide-narrow", "wide"] for first in ("narrow", "narrow-narrow"))
    assert {sequence_children(Layers(2), "wide-wide", np.random.default_rng(n))[0] for n in range(20)} == {
        "narrow",
        "narrow-narrow",
    }


def test_all_archs_are_reached_by_mutation() -> None:
    rng, known, new = np.random.default_rng(2), {"narrow"}, ["narrow"]
    space = Layers(3)
    while new:
        found = {child for arch in new for _ in range(20) for child in sequence_children(space, arch, rng)}
        new = sorted(found - known)
        known |= found
    assert len(known) == 2 + 3 + 4  # one wide or none first ... all wide, of each length


def test_neighbors_depend_on_the_arch_alone() -> None:
    for arch in drawn(20):
        near = sequence_neighbors(SPACE, arch)
        assert near == sequence_neighbors(Layers(6), arch)
        assert near
        assert arch not in near


@pytest.mark.parametrize("space", [NatsTss(), NatsSss(), Grid()], ids=lambda space: type(space).__name__)
def test_decisions_of_a_fixed_length_are_sequences(space: NatsTss | NatsSss | Grid) -> None:
    rng = np.random.default_rng(0)
    sequence = as_sequence(space)
    assert isinstance(sequence, SequenceSpace)
    for _ in range(10):
        arch = sample_sequence(sequence, rng)
        assert arch in space
        assert sequence.assemble(sequence.decisions(arch)) == arch
        assert sequence_neighbors(space, arch) == sequence_children(sequence, arch, rng)  # nothing is drawn
        assert sorted(sequence_neighbors(space, arch)) == sorted(space.neighbors(arch))
    assert [len(sequence.options(sequence.decisions(arch)[:place])) for place in range(3)] == [
        len(options) for options in space.choices()[:3]
    ]


def test_a_filter_keeps_children_inside_and_draws_again() -> None:
    inside = FilteredSpace(SPACE, lambda arch: arch.count("narrow") != 1)
    assert isinstance(inside, SequenceSpace)
    rng = np.random.default_rng(3)
    archs = [inside.sample(rng) for _ in range(50)]
    found = [child for arch in archs for child in sequence_children(inside, arch, rng)]
    assert found
    assert all(child.count("narrow") != 1 for child in found)
    assert "narrow-narrow" in sequence_children(inside, "wide-wide", rng)  # not at the first draw


def test_what_makes_no_arch_is_drawn_again_but_not_for_ever() -> None:
    inside = FilteredSpace(SPACE, lambda arch: arch.startswith("wide"))
    assert isinstance(inside, SequenceSpace)
    rng = np.random.default_rng(0)
    assert all(sample_sequence(inside, rng).startswith("wide") for _ in range(30))
    inside.accept = lambda arch: False  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match=r"^The arch must pass .*, got .*; decide otherwise\.$"):
        sample_sequence(inside, rng)


class NoEnd(Layers):
    def options(self, prefix: tuple[str, ...]) -> tuple[str, ...]:
        return ("wide",)


class Nothing(Layers):
    def options(self, prefix: tuple[str, ...]) -> tuple[str, ...]:
        return ("wide",) if not prefix else ()


@pytest.mark.parametrize(
    ("space", "said"),
    [
        (NoEnd(), "A sequence of NoEnd must end, got more than 10,000 decisions; let options(prefix) return "
                  "END where it may."),
        (Nothing(), "options(prefix) of Nothing must return what may follow, or END alone, got nothing after "
                    "('wide',)."),
    ],
    ids=["no end", "nothing"],
)  # fmt: skip
def test_a_space_that_gives_no_sequence_says_so(space: SequenceSpace, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        sample_sequence(space, np.random.default_rng(0))
    assert str(caught.value) == said


class Sets(Layers):
    def options(self, prefix: tuple[str, ...]) -> Any:
        return set(super().options(prefix))


class Texts(Layers):
    def decisions(self, arch: str) -> Any:
        return arch


class Others(Layers):
    def decisions(self, arch: str) -> tuple[str, ...]:
        return ("huge",)


class Nones(Layers):
    def decisions(self, arch: str) -> Any:
        return None


@pytest.mark.parametrize(
    ("space", "said"),
    [
        (Sets(), r"options\(prefix\) of Sets must return a tuple or list of texts, in a fixed order, got \{"),
        (Texts(), r"decisions\(arch\) of Texts must return a tuple or list of texts, got 'wide-wide'"),
        (Nones(), r"decisions\(arch\) of Nones must return a tuple or list of texts, got None"),
        (
            Others(),
            r"decisions\(arch\) of Others must be what options gives, got 'huge' after \(\), where",
        ),
    ],
)
def test_mistakes_of_an_author_are_told(space: SequenceSpace, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        sequence_children(space, "wide-wide", np.random.default_rng(0))


def test_a_space_without_decisions_has_no_neighbours_by_decision() -> None:
    assert as_sequence(Widths()) is None
    with pytest.raises(UsageError, match="options or choices, decisions and assemble, got Widths; add them"):
        sequence_neighbors(Widths(), "3")


def test_lengths_grow_and_shrink_by_mutation() -> None:
    rng = np.random.default_rng(4)
    walk = ["wide-wide"]
    for _ in range(100):
        children = sequence_children(SPACE, walk[-1], rng)
        walk.append(children[int(rng.integers(len(children)))])
    steps = {len(SPACE.decisions(b)) - len(SPACE.decisions(a)) for a, b in pairwise(walk)}
    assert min(steps) < 0 < max(steps)


def test_slow_options_are_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(Layers):
        def options(self, prefix: tuple[str, ...]) -> tuple[str, ...]:
            time.sleep(0.02)
            return ("wide", "narrow")

    monkeypatch.setattr(sequences, "PATIENCE_S", 0.05)
    with pytest.raises(
        UsageError, match=r"must end, got \d in 0.05 s; let options\(prefix\) return END .* sooner\."
    ):
        sample_sequence(Slow(), np.random.default_rng(0))
