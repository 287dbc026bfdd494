"""Progressive search in its own space: the numbers of the paper, and expansion by brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nas_ray.searchers.progressive.growth import growth_of
from nas_ray.spaces import Pnas
from tests.searchers.progressive.cells import run_lengths, searcher


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
    search = searcher(space, beam=2, epochs=1, ensemble=1)
    assert [space.blocks(arch) for arch in run_lengths(search, 136 + 4 * 2)] == [
        blocks for blocks, count in enumerate((136, 2, 2, 2, 2), 1) for _ in range(count)
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
