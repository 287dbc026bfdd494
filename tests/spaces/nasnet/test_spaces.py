"""The spaces of NASNet and PNAS: archs, decisions, neighbours, growth, and what is refused."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.spaces import (
    END,
    BlockSpace,
    Darts,
    DartsCells,
    DecisionSpace,
    Layerwise,
    LayerwiseNets,
    Macro,
    Nasnet,
    NasnetCells,
    Pnas,
    SequenceSpace,
)
from nas_ray.spaces.named import known_space, open_space
from nas_ray.spaces.nasnet.published import PUBLISHED, searchable
from nas_ray.spaces.nasnet.sets import NASNET_OPS, PNAS_OPS, SHORT

ONE = "|sep_conv_3x3~0|skip_connect~1|"
TWO = f"{ONE}+|max_pool_3x3~0|sep_conv_5x5~2|"
PAIR = f"normal:{TWO};reduce:|conv_1x1~0|conv_1x1~1|concat|+{ONE}"


class Small(Pnas):
    """Two operations."""

    OPS = ("max_pool_3x3", "skip_connect")


class Single(Pnas):
    """One operation."""

    OPS = ("skip_connect",)


def drawn(space: Nasnet | Pnas, count: int = 20) -> list[str]:
    rng = np.random.default_rng(0)
    return [space.sample(rng) for _ in range(count)]


def test_the_operations_are_those_of_the_papers() -> None:
    assert len(NASNET_OPS) == len(set(NASNET_OPS)) == 13
    assert len(PNAS_OPS) == 8
    assert set(PNAS_OPS) < set(NASNET_OPS) <= set(SHORT)


def test_an_arch_of_nasnet_is_fifty_decisions() -> None:
    space = Nasnet()
    choices = space.choices()
    assert isinstance(space, DecisionSpace)
    assert len(choices) == 50
    assert choices[:5] == (("0", "1"), ("0", "1"), NASNET_OPS, NASNET_OPS, ("add", "concat"))
    assert choices[45] == ("0", "1", "2", "3", "4", "5")
    for arch in drawn(space):
        decisions = space.decisions(arch)
        assert space.assemble(decisions) == arch
        assert arch in space


def test_orders_without_meaning_make_one_arch() -> None:
    space = Nasnet(blocks=3)
    names = [f"{n}x{n}" for n in (3, 5, 7)]
    blocks = [("0", "1", f"sep_conv_{name}", f"max_pool_{name}", "add") for name in names]
    other = ("0", "0", "conv_1x1", "conv_3x3", "concat") * 3
    archs = {
        space.assemble((*itertools.chain(*order), *other)) for order in itertools.permutations(blocks)
    } | {
        space.assemble((*itertools.chain(*((b, a, q, p, c) for a, b, p, q, c in order)), *other))
        for order in itertools.permutations(blocks)
    }
    assert len(archs) == 1


def test_names_have_options() -> None:
    space = open_space("nasnet:channels=4,cells=1,blocks=2,stem_channels=5")
    assert isinstance(space, Nasnet)
    assert (space.channels, space.cells, space.blocks, space.stem_channels) == (4, 1, 2, 5)
    assert PAIR in space
    assert isinstance(open_space("pnas:blocks=2"), Pnas)
    assert isinstance(known_space("nasnet-cells:cells=3"), NasnetCells)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("grammar-nets:x=1", "The space grammar-nets has no options, got 'x=1'; name it alone."),
        ("hand-designed:", "The space hand-designed has no options, got ''; name it alone."),
        ("pnas:blocks=0", "The blocks of pnas must be a whole number of at least 1, got 0."),
        ("nasnet:blocks=11", "The blocks of nasnet must be at most 10, got 11."),
        ("nasnet:stem_channels=5000", "The stem_channels of nasnet must be at most 4,096, got 5000."),
        ("nasnet-cells:blocks=2", "Unknown option of the space nasnet-cells 'blocks'."),
        ("pnas:cells=67", "The cells of pnas must be at most 66, got 67."),
        ("pnas:cells=201", "A net of pnas has at most 4,096 channels and 200 cells, got channels=16 and"),
    ],
)
def test_options_that_cannot_be_are_refused(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        open_space(name)


@pytest.mark.parametrize(
    ("arch", "said"),
    [
        (TWO, "An arch of nasnet reads normal:CELL;reduce:CELL with a CELL such as |op~0|op~1|+|op~0|op~2|"
              "concat|, a group for each block and in it two operations with the states they read, "
              "ascending, and concat where it does not add; got '|sep"),
        (PAIR.replace("~2|", "~4|"), "An arch of nasnet reads"),
        (f"normal:{ONE};reduce:{ONE}", "The normal cell of nasnet has 2 blocks, got 1."),
        (PAIR.replace("conv_1x1~0", "conv_2x2~0"), "The reduce cell of nasnet must have operations of "
         "skip_connect, conv_3x1_1x3, conv_7x1_1x7, dil_conv_3x3, avg_pool_3x3, max_pool_3x3, max_pool_5x5, "
         "max_pool_7x7, conv_1x1, conv_3x3, sep_conv_3x3, sep_conv_5x5, sep_conv_7x7, got conv_2x2."),
        (f"normal:{TWO};reduce:{ONE}+|conv_1x1~0|conv_1x1~1|concat|",
         "The reduce cell of nasnet must be in its canonical order, which is |conv_1x1~0|conv_1x1~1|concat|+"
         "|sep_conv_3x3~0|skip_connect~1|, got |sep_conv_3x3~0|skip_connect~1|+|conv_1x1~0|"),
    ],
)  # fmt: skip
def test_what_is_no_arch_of_nasnet_is_refused(arch: str, said: str) -> None:
    space = Nasnet(blocks=2)
    with pytest.raises(UsageError, match=re.escape(said)):
        space.build(arch, 10)
    assert arch not in space


@pytest.mark.parametrize(
    ("arch", "said"),
    [
        (PAIR, "An arch of pnas reads |op~0|op~1|+|op~0|op~2|, a group for each block and in it two "
               "operations with the states they read, ascending; got 'normal:"),
        ("+".join([ONE] * 3), "A cell of pnas has at most 2 blocks, got 3."),
        ("|conv_1x1~0|conv_1x1~1|", "A cell of pnas must have operations of sep_conv_3x3, "),
        (f"{ONE}concat|", "The blocks of pnas add their two maps, got concat in '|sep_conv_3x3~0|skip_"),
    ],
)  # fmt: skip
def test_what_is_no_arch_of_pnas_is_refused(arch: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        Pnas(blocks=2).build(arch, 10)
    assert arch not in Pnas(blocks=2)


@pytest.mark.parametrize("space", [Pnas(), Nasnet(), Darts()])
def test_a_state_of_too_many_digits_is_none(space: Pnas | Nasnet | Darts) -> None:
    cell = f"|sep_conv_3x3~0|skip_connect~{'9' * 5_000}|"
    for arch in (cell, f"normal:{cell};reduce:{cell}"):
        assert arch not in space
        for asked in (space.label, lambda given: space.build(given, 10)):
            with pytest.raises(UsageError, match=f"An arch of {space.name} reads") as error:
                asked(arch)
            assert len(str(error.value)) < 700


@pytest.mark.parametrize(
    "space", [Pnas(), Nasnet(), NasnetCells(), Darts(), DartsCells(), Layerwise(), LayerwiseNets(), Macro()]
)
@pytest.mark.parametrize("arch", [None, [], 3])
def test_what_is_no_text_is_no_arch(space: Any, arch: object) -> None:
    assert arch not in space
    for asked in (getattr(space, "label", None), lambda given: space.build(given, 10)):
        if asked is None:
            continue
        with pytest.raises(UsageError, match="An arch must be a string, got "):
            asked(arch)


def test_decisions_that_make_no_arch_are_refused() -> None:
    with pytest.raises(UsageError, match="An arch of nasnet is made of 50 decisions .* got 0, 1."):
        Nasnet().assemble(("0", "1"))
    for given in ((), ("0", "1"), ("0", "2", *PNAS_OPS[:2]), ("0", "1", *PNAS_OPS[:2]) * 6):
        with pytest.raises(UsageError, match="two states and two operations for each of 1 to 5 blocks"):
            Pnas().assemble(given)


def test_archs_of_one_block_are_136_of_256() -> None:
    space = Pnas()
    assert isinstance(space, BlockSpace)
    halves = [("0", "1"), ("0", "1"), PNAS_OPS, PNAS_OPS]
    every = [space.assemble(decisions) for decisions in itertools.product(*halves)]
    assert len(every) == 256
    one = space.one_block()
    assert sorted(set(every)) == sorted(one)
    assert len(one) == len(set(one)) == 136
    assert all(space.blocks(arch) == 1 for arch in one)


@pytest.mark.parametrize(("space", "counts"), [(Small(blocks=2), [10, 165]), (Single(blocks=3), [3, 15, 97])])
def test_growing_is_enumeration(space: Pnas, counts: list[int]) -> None:
    """By all sequences that `options` gives.

    By hand, with two operations: two blocks that do not read each other are 55 pairs of 10; a second one that
    reads the first has 21 - 10 pairs of halves, for each of 10 first ones.
    """
    grown: set[str] = set()
    level: set[tuple[str, ...]] = {()}
    for blocks, count in enumerate(counts):
        grown = {child for arch in grown for child in space.grown(arch)} if blocks else set(space.one_block())
        for _ in range(4):
            level = {
                (*prefix, option) for prefix in level for option in space.options(prefix) if option != END
            }
        assert grown == {space.assemble(prefix) for prefix in level}
        assert len(grown) == count
        level = {space.decisions(arch) for arch in grown}  # one sequence of each arch is enough
    assert not space.grown(max(grown))


@pytest.mark.slow(faster="test_growing_is_enumeration")
def test_growing_all_archs_of_one_block_gives_all_of_two() -> None:
    space = Pnas()
    grown = {child for arch in space.one_block() for child in space.grown(arch)}
    states, ops = ("0", "1"), PNAS_OPS
    firsts = [space.decisions(arch) for arch in space.one_block()]
    later = list(itertools.product((*states, "2"), (*states, "2"), ops, ops))
    assert grown == {space.assemble((*first, *more)) for first in firsts for more in later}


def test_sequences_end_behind_blocks() -> None:
    space = Pnas(blocks=2)
    assert isinstance(space, SequenceSpace)
    assert space.options(()) == ("0", "1")
    assert space.options(("0", "1")) == PNAS_OPS
    one = space.decisions(ONE)
    assert one == ("0", "1", "sep_conv_3x3", "skip_connect")
    assert space.options(one) == ("0", "1", "2", END)
    assert space.options((*one, "0")) == ("0", "1", "2")
    assert space.options(space.decisions(TWO)) == (END,)


def test_draws_are_uniform_over_sequences() -> None:
    """Sixteen of one block, 16 * 36 of two."""
    space, rng = Small(blocks=2), np.random.default_rng(0)
    counts = [space.blocks(space.sample(rng)) for _ in range(1_000)]
    assert 970 - 20 < counts.count(2) < 970 + 20
    one = Small(blocks=1)
    archs = [one.sample(rng) for _ in range(1_600)]
    assert archs.count("|skip_connect~0|skip_connect~0|") < 160  # 100; with two ways each, 200:
    assert 160 < archs.count("|max_pool_3x3~0|skip_connect~0|") < 240


def test_neighbours_of_pnas_are_one_step_away() -> None:
    space = Pnas(blocks=2)
    near = space.neighbors(ONE)
    # two halves with seven other operations and one other input, and all cells with a block more
    assert len([arch for arch in near if space.blocks(arch) == 1]) == 16
    assert set(space.grown(ONE)) == {arch for arch in near if space.blocks(arch) == 2}
    less = [arch for arch in space.neighbors(TWO) if space.blocks(arch) == 1]
    assert less == [ONE]


def test_neighbours_of_nasnet_are_symmetric() -> None:
    space = Nasnet()
    for arch in drawn(space, 2):
        near = space.neighbors(arch)
        assert 250 < len(near) == len(set(near))
        assert all(arch in space.neighbors(other) for other in near[::25])


def test_labels_count_blocks_and_operations() -> None:
    assert Pnas().label(TWO) == "2 blocks, 1 max 1 sep3 1 sep5 1 skip"
    assert Pnas().label(ONE) == "1 block, 1 sep3 1 skip"
    assert Nasnet(blocks=2).label(PAIR) == ("normal 1 max 1 sep3 1 sep5 1 skip, reduce 2 conv1 1 sep3 1 skip")


def test_cells_of_papers_are_listed_and_searchable() -> None:
    space = NasnetCells()
    assert list(space) == ["nasnet-a", "pnasnet-5", "amoebanet-a", "amoebanet-c"]
    assert searchable("pnasnet-5") in Pnas()
    assert all(searchable(name) in Nasnet() for name in ("nasnet-a", "amoebanet-a", "amoebanet-c"))
    assert Nasnet().genotype(searchable("nasnet-a")).normal.output == (2, 3, 4, 5, 6)
    assert PUBLISHED["nasnet-a"].genotype.normal.output == (0, 2, 3, 4, 5, 6)
    with pytest.raises(UsageError, match="Unknown cell of a paper 'nasnet-b'. Did you mean 'nasnet-a'"):
        space.build("nasnet-b", 10)
