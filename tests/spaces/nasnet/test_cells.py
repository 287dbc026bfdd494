"""Cells of blocks: their canonical order against all orders, and changes with a way back."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from nas_ray.spaces.darts_cells import read_cell, read_genotype
from nas_ray.spaces.nasnet.cells import (
    Block,
    blocks_of,
    canonical,
    changed,
    decided,
    decisions_of,
    grown,
    plan_of,
    shrunk,
    unread,
)

OPS = ("a", "b")


def drawn(rng: np.random.Generator, count: int) -> tuple[Block, ...]:
    """A cell as it comes, whose blocks are often alike."""
    blocks = []
    for block in range(count):
        states, ops = rng.integers(2 + block, size=2).tolist(), rng.integers(2, size=2).tolist()
        one, other = ((state, OPS[op]) for state, op in zip(states, ops, strict=True))
        blocks.append((one, other, bool(rng.integers(4) == 0)))
    return tuple(blocks)


def all_orders(blocks: Sequence[Block]) -> Iterator[tuple[Block, ...]]:
    """Every way to write a cell in which no block stands before one that it reads."""
    for moved in block_orders(blocks):
        for halves in itertools.product((False, True), repeat=len(blocks)):
            yield tuple(
                (b[1], b[0], b[2]) if swapped else b for b, swapped in zip(moved, halves, strict=True)
            )


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_canonical_order_is_the_smallest_of_all(count: int) -> None:
    rng = np.random.default_rng(count)
    for _ in range(25):
        blocks = drawn(rng, count)
        orders = list(all_orders(blocks))
        smallest = min(orders)
        assert {canonical(order) for order in orders[:: max(1, len(orders) // 12)]} == {smallest}
        assert canonical(blocks[::-1] if count == 1 else blocks) == smallest


@pytest.mark.parametrize(("ops", "counts"), [(("a", "b"), [10, 165]), (("a",), [3, 15, 97])])
def test_cells_are_one_arch_where_an_order_of_both_is_equal_and_nowhere_else(
    ops: tuple[str, ...], counts: list[int]
) -> None:
    """Of all cells of up to two blocks with two operations, and of up to three with one, by brute force."""
    cells: list[tuple[Block, ...]] = [()]
    for block, count in enumerate(counts):
        halves = [(state, op) for state in range(2 + block) for op in ops]
        pairs = list(itertools.product(halves, repeat=2))
        cells = [(*cell, (*pair, False)) for cell in cells for pair in pairs]
        classes = {frozenset(all_orders(cell)) for cell in cells}
        assert len({canonical(cell) for cell in cells}) == len(classes) == count


@pytest.mark.parametrize("ops", ["a", "ab"])
def test_equal_blocks_are_tried_in_all_orders_that_differ(ops: str) -> None:
    """Of cells of five blocks, many of them alike, against each order tried."""
    rng = np.random.default_rng(5)
    for _ in range(150):
        blocks = [
            (*((int(rng.integers(2 + block)), ops[int(rng.integers(len(ops)))]) for _ in "12"), False)
            for block in range(5)
        ]
        blocks[: int(rng.integers(4))] = [((0, "a"), (1, "a"), False)] * 4
        cell = blocks[:5]
        orders = (tuple(with_sorted_halves(b) for b in order) for order in block_orders(cell))
        assert canonical(cell) == min(orders)


def block_orders(blocks: Sequence[Block]) -> Iterator[tuple[Block, ...]]:
    """As `all_orders`, with halves as they are."""
    for order in itertools.permutations(range(len(blocks))):
        number = {0: 0, 1: 1, **{2 + old: 2 + new for new, old in enumerate(order)}}
        moved = [
            ((number[one[0]], one[1]), (number[other[0]], other[1]), joined)
            for one, other, joined in (blocks[old] for old in order)
        ]
        if all(max(b[0][0], b[1][0]) < state for state, b in enumerate(moved, 2)):
            yield tuple(moved)


def with_sorted_halves(block: Block) -> Block:
    return (*sorted(block[:2]), block[2])


@pytest.mark.parametrize("equal", range(4, 11))
def test_ten_blocks_of_which_many_are_equal_take_no_time(equal: int) -> None:
    """Each order of them tried would take 3 million steps."""
    twin: Block = ((0, "a"), (1, "a"), False)
    readers: list[Block] = [((2 + place, "a"), (2 + place, "a"), False) for place in range(10 - equal)]
    cell = (*[twin] * equal, *readers)
    start = time.process_time()
    assert canonical(cell) == cell
    assert time.process_time() - start < 0.5


def test_equal_blocks_that_are_read_together_are_not_one_that_is_read_twice() -> None:
    twin: Block = ((0, "a"), (1, "a"), False)
    both = (twin, twin, ((2, "a"), (3, "a"), False))
    one = (twin, twin, ((2, "a"), (2, "a"), False))
    other = (twin, twin, ((3, "a"), (3, "a"), False))
    assert canonical(one) == canonical(other) == one
    assert canonical(both) == both


def test_blocks_may_stand_before_those_they_read() -> None:
    blocks: list[Block] = [((3, "b"), (0, "a"), True), ((1, "a"), (0, "b"), False)]
    assert canonical(blocks) == (((0, "b"), (1, "a"), False), ((0, "a"), (2, "b"), True))


def test_cells_are_written_and_read() -> None:
    text = "|a~0|b~1|concat|+|a~0|a~2|"
    plan = read_cell(text)
    assert plan is not None
    assert (plan.joined, plan.nodes) == ((2,), (((0, "a"), (1, "b")), ((0, "a"), (2, "a"))))
    assert plan_of(blocks_of(plan)).written() == plan.written() == text
    for wrong in (
        "",
        "a~0|b~1",
        "|a~0|b~1|cat|",
        "|a~0|b~1|concat|concat|",
        "|b~1|a~0|",
        "|a~0|b~2|",
        "|a~0|",
    ):
        assert read_cell(wrong) is None


def test_no_cell_of_darts_concatenates() -> None:
    cell = "+".join(["|skip_connect~0|skip_connect~1|"] * 4)
    assert read_genotype(f"normal:{cell};reduce:{cell}")
    with pytest.raises(ValueError, match="An arch of darts reads"):
        read_genotype(f"normal:{cell}concat|;reduce:{cell}")


def test_what_no_block_reads_is_the_output() -> None:
    assert unread([((0, "a"), (0, "b"), False)]) == (1, 2)
    assert unread([((0, "a"), (1, "b"), False), ((2, "a"), (2, "b"), False)]) == (3,)


def test_changes_have_a_way_back() -> None:
    rng = np.random.default_rng(0)
    for count in (1, 2, 3, 5):
        blocks = canonical(drawn(rng, count))
        near = set(changed(blocks, OPS, joinable=True)) - {blocks}
        assert near
        for other in near:
            assert canonical(other) == other
            assert blocks in set(changed(other, OPS, joinable=True))


def test_a_half_may_read_whatever_does_not_come_from_its_block() -> None:
    """Counted by hand: the first block may come to read the second, which reads the input alone."""
    blocks: tuple[Block, ...] = (((0, "a"), (0, "a"), False), ((0, "a"), (0, "b"), False))
    wanted = canonical((((0, "a"), (3, "a"), False), ((0, "a"), (0, "b"), False)))
    assert wanted in set(changed(blocks, ("a", "b"), joinable=False))
    reading = (((0, "a"), (1, "a"), False), ((2, "a"), (2, "b"), False))
    moved = {cell for cell in changed(reading, ("a", "b"), joinable=False) if len(unread(cell)) > 1}
    assert all(len(cell) == 2 for cell in moved)  # none became a circle, which no order of blocks can write


def test_a_block_more_and_a_block_less_undo_each_other() -> None:
    rng = np.random.default_rng(1)
    for count in (1, 2, 3):
        blocks = canonical([(one, other, False) for one, other, _ in drawn(rng, count)])
        for more in set(grown(blocks, OPS)):
            assert len(more) == count + 1
            assert blocks in set(shrunk(more))
        for less in set(shrunk(blocks)):
            assert blocks in set(grown(less, OPS))
    assert not list(shrunk([((0, "a"), (1, "a"), False)]))


@pytest.mark.parametrize("combiners", [False, True])
def test_decisions_are_states_operations_and_combiner(combiners: bool) -> None:
    blocks: tuple[Block, ...] = (((0, "b"), (1, "a"), combiners), ((0, "a"), (2, "b"), False))
    made = decisions_of(blocks, combiners=combiners)
    ends = ("concat", "add") if combiners else ("", "")
    assert made == tuple(filter(None, ("0", "1", "b", "a", ends[0], "0", "2", "a", "b", ends[1])))
    assert decided(made, combiners=combiners) == blocks
    if not combiners:
        assert decided(("1", "0", "a", "b", "2", "0", "b", "a"), combiners=False) == blocks
