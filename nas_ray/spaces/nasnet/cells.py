"""Cells of blocks: how they are written, their canonical order, and which cells are one change away.

A block reads two states, does an operation on each and adds the two maps, or puts them behind each other. The
order of the two halves of a block, and that of blocks that do not read each other, mean nothing. So of all
orders of a cell the smallest is its canonical one: with halves sorted by state and operation, blocks by their
halves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nas_ray.spaces.darts_cells import INPUTS, JOINED, CellPlan, Edge

Block = tuple[Edge, Edge, bool]
"""Two edges, and whether their maps are put behind each other and not added."""

ADDED = "add"
COMBINERS = (ADDED, JOINED)
"""What a block does with its two maps."""


def blocks_of(plan: CellPlan) -> tuple[Block, ...]:
    """Returns the blocks of a cell."""
    return tuple((*edges, node in plan.joined) for node, edges in enumerate(plan.nodes, INPUTS))


def plan_of(blocks: Sequence[Block]) -> CellPlan:
    """Returns the cell of blocks, whose output is all of them."""
    joined = tuple(node for node, block in enumerate(blocks, INPUTS) if block[2])
    return CellPlan(tuple(block[:2] for block in blocks), joined=joined)


def unread(blocks: Sequence[Block]) -> tuple[int, ...]:
    """Returns the states that no block reads, the two inputs among them."""
    read = {source for one, other, _ in blocks for source in (one[0], other[0])}
    return tuple(state for state in range(INPUTS + len(blocks)) if state not in read)


def canonical(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Returns the blocks in their canonical order.

    Args:
        blocks: in any order, also one in which a block stands before one that it reads.
    """
    inner = set(range(INPUTS + len(blocks))) - set(unread(blocks))
    ways, placed = [{state: state for state in range(INPUTS)}], list[Block]()
    for new in range(INPUTS, INPUTS + len(blocks)):
        found = [(block, state, way) for way in ways for state, block in _ready(blocks, way)]
        least = min(block for block, _, _ in found)
        ways = [{**way, state: new} for block, state, way in found if block == least]
        if len(ways) > 1:
            ways = list({_rest(blocks, way, inner): way for way in ways}.values())
        placed.append(least)
    return tuple(placed)


Numbers = dict[int, int]
"""New numbers of the states that have one, by their old ones."""


def _ready(blocks: Sequence[Block], numbers: Numbers) -> Iterator[tuple[int, Block]]:
    """Yields the blocks that can be placed next: their states, and they with new numbers."""
    for state, (one, other, joined) in enumerate(blocks, INPUTS):
        if state not in numbers and one[0] in numbers and other[0] in numbers:
            yield state, _with_numbers((one, other, joined), numbers)


def _rest(blocks: Sequence[Block], numbers: Numbers, inner: set[int]) -> tuple[object, ...]:
    """Returns the blocks still to be placed; where it is equal, all that can follow is equal.

    Args:
        blocks: all.
        numbers: of the states so far.
        inner: states that blocks read; those of the others need not be told apart.
    """
    left = [
        (state, _with_numbers(block, numbers))
        for state, block in enumerate(blocks, INPUTS)
        if state not in numbers
    ]
    ends = sorted(block for state, block in left if state not in inner)
    return (*(one for one in left if one[0] in inner), *ends)


def _with_numbers(block: Block, numbers: Numbers) -> Block:
    """Returns a block with new numbers, and negative ones for states that have none yet."""
    (first, op), (second, other), joined = block
    one, two = (numbers.get(first, -first), op), (numbers.get(second, -second), other)
    return min(one, two), max(one, two), joined


def changed(blocks: Sequence[Block], ops: Sequence[str], *, joinable: bool) -> Iterator[tuple[Block, ...]]:
    """Yields the cells with another operation, another state read, or another combiner, in one block.

    A half may read any state that does not come from its block, in whatever order blocks are written. So each
    change has a way back. Cells may come twice, and `blocks` may be among them.
    """
    for place, (one, other, joined) in enumerate(blocks):
        later = _readers(blocks, place)
        free = [state for state in range(INPUTS + len(blocks)) if state not in later]
        for (source, op), kept in ((one, other), (other, one)):
            edges = [(source, new) for new in ops if new != op]
            edges += [(new, op) for new in free if new != source]
            for edge in edges:
                yield canonical((*blocks[:place], (edge, kept, joined), *blocks[place + 1 :]))
        if joinable:
            yield canonical((*blocks[:place], (one, other, not joined), *blocks[place + 1 :]))


def grown(blocks: Sequence[Block], ops: Sequence[str]) -> Iterator[tuple[Block, ...]]:
    """Yields the cells with one block more, which adds; cells may come twice."""
    edges = [(source, op) for source in range(INPUTS + len(blocks)) for op in ops]
    for place, one in enumerate(edges):
        for other in edges[place:]:
            yield canonical((*blocks, (one, other, False)))


def shrunk(blocks: Sequence[Block]) -> Iterator[tuple[Block, ...]]:
    """Yields the cells without one of the blocks that no other reads; cells may come twice."""
    for state in unread(blocks):
        if state >= INPUTS and len(blocks) > 1:
            rest = (*blocks[: state - INPUTS], *blocks[state - INPUTS + 1 :])
            yield canonical([_renumbered(block, state) for block in rest])


def _readers(blocks: Sequence[Block], place: int) -> set[int]:
    """Returns the state of a block of canonical order, and all states that come from it."""
    states = {INPUTS + place}
    for state, (one, other, _) in enumerate(blocks, INPUTS):
        if one[0] in states or other[0] in states:
            states.add(state)
    return states


def _renumbered(block: Block, gone: int) -> Block:
    """Returns a block with the numbers of states after one that is gone."""
    (first, op), (second, other), joined = block
    return (first - (first > gone), op), (second - (second > gone), other), joined


def decisions_of(blocks: Sequence[Block], *, combiners: bool) -> tuple[str, ...]:
    """Returns for each block the states of both halves, their operations and, if asked, the combiner."""
    made: list[str] = []
    for one, other, joined in blocks:
        made += [str(one[0]), str(other[0]), one[1], other[1]]
        made += [COMBINERS[joined]] if combiners else []
    return tuple(made)


def decided(decisions: Sequence[str], *, combiners: bool) -> tuple[Block, ...]:
    """Returns the canonical blocks of decisions, each of which is an option."""
    each = 5 if combiners else 4
    parts = [decisions[place : place + each] for place in range(0, len(decisions), each)]
    return canonical([((int(p[0]), p[2]), (int(p[1]), p[3]), combiners and p[4] == JOINED) for p in parts])
