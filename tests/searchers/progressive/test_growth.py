"""Archs grow by every block, each once, compared with lists that are made by brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.searchers.progressive.growth import Growth, growth_of
from nas_ray.spaces import END, NatsTss, sample_sequence
from nas_ray.spaces.filtered import FilteredSpace
from nas_ray.spaces.nats_tss import OPS
from nas_ray.spaces.needs import members
from nas_ray.testing import space_contract
from tests.searchers.toy import Cells, Grid

CELLS = Cells()
TestCells = space_contract(Cells)


class Words:
    """Words of one to three letters, which end behind a "z"."""

    sample = sample_sequence

    def options(self, prefix: tuple[str, ...]) -> tuple[str, ...]:
        if len(prefix) == 3 or "z" in prefix:
            return (END,)
        return (*"xyz", *((END,) if prefix else ()))

    def decisions(self, arch: str) -> tuple[str, ...]:
        return tuple(arch)

    def assemble(self, decisions: tuple[str, ...]) -> str:
        return "".join(decisions)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def archs_of(growth: Growth, blocks: int, archs: list[str], most: int = 10**6) -> list[str | None]:
    beginnings = growth.beginnings(blocks - 1, archs, most)
    return [growth.arch(blocks, one, (), rng()) for one in growth.candidates(blocks, beginnings, rng())]


def every_cell(blocks: int) -> set[str]:
    """All cells of so many blocks by all ordered choices of their parts, equal ones once."""
    parts = [["01234"[: 2 + block], "ab"] * 2 for block in range(blocks)]
    return {CELLS.assemble(choice) for choice in itertools.product(*itertools.chain(*parts))}


def test_cells_grow_by_every_block_once() -> None:
    growth, known = growth_of(CELLS, "pnas"), list[str]()
    for blocks, count in ((1, 10), (2, 10 * 21), (3, 10 * 21 * 36)):
        found = archs_of(growth, blocks, known)
        assert len(found) == len(set(found)) == count
        assert set(found) == every_cell(blocks)
        known = [str(arch) for arch in found]
    assert archs_of(growth, 4, known) == []
    assert growth.slots == 4


def test_the_beam_is_the_first_archs_of_one_block_fewer() -> None:
    growth = growth_of(CELLS, "pnas")
    best_first = ["0a0a|1b1b", "0b1b", "0a0a|1a1a", "0a0a", "1a1b"]
    assert growth.beginnings(1, best_first, 2) == [tuple("0b1b"), tuple("0a0a")]
    assert growth.beginnings(2, best_first, 2) == [tuple("0a0a1b1b"), tuple("0a0a1a1a")]
    assert growth.beginnings(3, best_first, 2) == []
    assert growth.beginnings(0, [], 2) == [()]
    children = archs_of(growth, 2, best_first, 2)
    assert {str(arch)[:4] for arch in children} == {"0b1b", "0a0a"}
    assert len(children) == 2 * 21


def test_a_node_of_a_cell_is_a_block_and_what_is_behind_it_is_drawn() -> None:
    growth = growth_of(NatsTss(), "pnas")
    first = growth.candidates(1, growth.beginnings(0, [], 9), rng())
    assert [one[0] for one in first] == list(OPS)
    known = [str(growth.arch(1, one, (), rng())) for one in first]
    second = growth.candidates(2, growth.beginnings(1, known, 3), rng())
    assert [one[:3] for one in second] == [
        (start, *way) for start in OPS[:3] for way in itertools.product(OPS, repeat=2)
    ]
    for place in (3, 4, 5):  # drawn for each anew
        assert {one[place] for one in second} == set(OPS)
    known = [str(growth.arch(2, one, (), rng())) for one in second]
    third = growth.candidates(3, growth.beginnings(2, known, 4), rng())
    assert [one[:3] for one in third[::125]] == [one[:3] for one in second[:4]]
    assert {one[3:] for one in third[125:250]} == set(itertools.product(OPS, repeat=3))
    assert growth.beginnings(3, known, 4) == []


def test_decisions_stay_in_their_places_whatever_the_order_of_the_nodes() -> None:
    class Turned(Grid):
        def groups(self) -> tuple[tuple[int, ...], ...]:
            return (2,), (1, 0)

    growth = growth_of(Turned(), "pnas")
    assert growth.beginnings(1, ["012", "312", "003"], 9) == [("2",), ("3",)]
    found = growth.candidates(2, [("2",)], rng())
    assert {"".join(one) for one in found} == {arch for arch in Grid() if arch[2] == "2"}


def test_a_large_group_is_taken_decision_by_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas_ray.searchers.progressive.growth.LARGEST_GROUP", 15)
    growth = growth_of(Grid(), "pnas")
    assert len(growth.candidates(2, [("0",), ("1",)], rng())) == 2 * 4
    assert len(growth.candidates(3, [("0", "0")], rng())) == 4


def test_sequences_grow_by_a_decision_or_end() -> None:
    growth = growth_of(Words(), "pnas")
    assert [one[0] for one in growth.candidates(1, [()], rng())] == list("xyz")
    longer = growth.candidates(2, growth.beginnings(1, ["xy", "zz", "xx", "y"], 9), rng())
    assert [one[:2] for one in longer] == [
        *(("x", letter) for letter in "xyz"), ("x",), ("z",), *(("y", letter) for letter in "xyz"), ("y",)
    ]  # fmt: skip
    assert all(len(one) == 3 or one[-1] == "z" or len(one) < 3 for one in longer)
    assert growth.beginnings(2, ["x", "xyz", "xyx", "yy"], 9) == [("x", "y"), ("y", "y")]
    assert growth.beginnings(3, ["x", "yy"], 9) == []


def test_what_is_drawn_stays_within_a_filter() -> None:
    space = FilteredSpace(NatsTss(), lambda arch: arch.count("skip_connect") == 1)
    growth, generator = growth_of(space, "pnas"), rng()
    known = list[str]()
    for blocks in (1, 2, 3):
        beginnings = growth.beginnings(blocks - 1, known, 5)
        made = [
            growth.arch(blocks, one, (), generator)
            for one in growth.candidates(blocks, beginnings, generator)
        ]
        known = [arch for arch in made if arch is not None]
        assert known
        assert all(arch in space for arch in known)
        assert len(known) >= {1: 5, 2: 5 * 9, 3: 5 * 3}[blocks]
    cells = growth_of(FilteredSpace(CELLS, lambda arch: "b" not in arch), "pnas")
    assert [cells.arch(1, one, (), rng()) for one in cells.candidates(1, [()], rng())] == [
        "0a0a",
        "0a1a",
        "1a1a",
    ]
    assert len(cells.candidates(2, [tuple("0a1a")], rng())) == 6


def test_archs_without_decisions_do_not_grow() -> None:
    class Plain:
        def sample(self, rng: np.random.Generator) -> str:
            return "1"

        def build(self, arch: str, num_classes: int) -> None: ...

    with pytest.raises(UsageError, match="pnas needs a space with the methods options, decisions, assemble"):
        growth_of(Plain(), "pnas")
    assert members(Plain()) == []


def test_what_is_open_is_drawn_again_where_an_arch_is_known() -> None:
    growth = growth_of(Grid(), "pnas")
    taken = {arch for arch in Grid() if arch not in ("031", "132")}
    assert growth.arch(1, ("0", "0", "0"), taken, rng()) == "031"
    assert growth.arch(2, ("0", "0", "0"), taken, rng()) is None
