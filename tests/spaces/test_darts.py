"""The space of DARTS: archs, their edges and decisions, and the sets of operations."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from torch import nn

from nas_ray.errors import UsageError
from nas_ray.spaces import SPACES as SPACES_BY_NAME
from nas_ray.spaces import Darts, DartsCells
from nas_ray.spaces.darts_cells import read_genotype
from nas_ray.spaces.darts_ops import OPERATIONS
from nas_ray.spaces.darts_published import PUBLISHED
from nas_ray.spaces.darts_reduced import DartsS1, DartsS2, DartsS3, DartsS4
from nas_ray.spaces.darts_sets import KNOWN, OP_SETS, OPS, S1, SHORT, third_search_ops
from nas_ray.spaces.edges import EdgeGraph, EdgeSpace
from nas_ray.spaces.named import known_space, open_space
from nas_ray.spaces.options import OPTIONS

V2 = (
    "normal:|sep_conv_3x3~0|sep_conv_3x3~1|+|sep_conv_3x3~0|sep_conv_3x3~1|+|skip_connect~0|sep_conv_3x3~1|+"
    "|skip_connect~0|dil_conv_3x3~2|;reduce:|max_pool_3x3~0|max_pool_3x3~1|+|max_pool_3x3~1|skip_connect~2|+"
    "|max_pool_3x3~0|skip_connect~2|+|max_pool_3x3~1|skip_connect~2|"
)
SPACES = [Darts(), Darts(ops="nine"), DartsS1(), DartsS2(), DartsS3(), DartsS4()]


def drawn(space: Darts, count: int = 20) -> list[str]:
    rng = np.random.default_rng(0)
    return [space.sample(rng) for _ in range(count)]


def test_the_released_cell_reads_as_documented() -> None:
    assert PUBLISHED["darts-v2"].written() == V2
    assert V2 in Darts()
    assert Darts().label(V2) == "normal 5 sep3 2 skip 1 dil3, reduce 5 max 3 skip"


@pytest.mark.parametrize("space", SPACES, ids=lambda space: f"{space.name} {len(space.ops)}")
def test_archs_are_made_of_their_edges_and_decisions(space: Darts) -> None:
    assert isinstance(space, EdgeSpace)
    for arch in drawn(space):
        edges = space.to_edges(arch)
        assert [len(cell) for cell in edges] == [8, 8]
        assert space.from_edges(edges) == arch
        assert space.assemble(space.decisions(arch)) == arch
        for graph, cell in zip(space.graphs(), edges, strict=True):
            assert all(graph.mask[place][graph.ops.index(op)] for place, op in cell.items())


def test_the_graphs_are_the_released_ones() -> None:
    normal, reduce = Darts().graphs()
    assert (normal.name, reduce.name) == ("normal", "reduce")
    assert normal.shape == (14, 8)
    assert normal.ops == OPS == ("none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3",
                                 "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5")  # fmt: skip
    assert normal.edges[:5] == ((0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
    assert (normal.inputs, normal.kept, normal.nodes) == (2, 2, (2, 3, 4, 5))
    assert all(all(row) for row in normal.mask)


def test_a_graph_may_allow_other_operations_on_each_edge() -> None:
    graph = EdgeGraph("cell", ("a", "b", "c"), ((0, 1), (0, 2)), allowed=(("a", "c"), ("b",)))
    assert graph.options(0) == ("a", "c")
    assert graph.mask == ((True, False, True), (False, True, False))


def test_samples_are_uniform_over_pairs_and_operations() -> None:
    rng, space = np.random.default_rng(1), DartsS2()
    last = [read_genotype(space.sample(rng)).reduce.nodes[3] for _ in range(1_000)]
    pairs = [(one[0], other[0]) for one, other in last]
    counts = [pairs.count(pair) for pair in itertools.combinations(range(5), 2)]
    assert sum(counts) == 1_000
    assert 60 < min(counts) <= max(counts) < 145  # 100 each, 4.5 deviations
    assert 430 < sum(one[1] == "skip_connect" for one, _ in last) < 570


@pytest.mark.parametrize("space", SPACES, ids=lambda space: f"{space.name} {len(space.ops)}")
def test_neighbours_have_a_way_back_and_differ_in_one_edge(space: Darts) -> None:
    for arch in drawn(space, 3):
        near = space.neighbors(arch)
        assert len(set(near)) == len(near)
        if not isinstance(space, DartsS1):
            assert len(near) == 16 * (len(space._options[0][0]) - 1) + 24
        edges = {(cell, *edge) for cell, chosen in enumerate(space.to_edges(arch)) for edge in chosen.items()}
        for other in near:
            assert arch in space.neighbors(other)
            there = {
                (cell, *edge) for cell, chosen in enumerate(space.to_edges(other)) for edge in chosen.items()
            }
            assert len(edges - there) == len(there - edges) == 1


def test_decisions_are_pairs_and_operations() -> None:
    choices = Darts().choices()
    assert len(choices) == 22
    assert choices[0] == OPS[1:]
    assert choices[2] == ("0+1", "0+2", "1+2")
    assert Darts().decisions(V2)[:5] == (
        "sep_conv_3x3",
        "sep_conv_3x3",
        "0+1",
        "sep_conv_3x3",
        "sep_conv_3x3",
    )
    assert DartsS1().choices()[0] == ("0", "1")
    with pytest.raises(UsageError, match="An arch of darts is made of 22 decisions .* got none, a"):
        Darts().assemble(["none", "a"])


def cell(change: str, to: str) -> str:
    assert change in V2
    return V2.replace(change, to, 1)


@pytest.mark.parametrize(
    ("arch", "said"),
    [
        ("", "An arch of darts reads normal:CELL;reduce:CELL with a CELL such as |op~0|op~1|+|op~0|op~2|, "
             "a group for each node and in it two operations with the nodes they come from, ascending; got "),
        (cell("|skip_connect~0|dil_conv_3x3~2|", "|dil_conv_3x3~2|skip_connect~0|"), "ascending; got"),
        (cell("|skip_connect~0|dil_conv_3x3~2|", "|skip_connect~0|dil_conv_3x3~5|"), "An arch of darts"),
        (cell("+|sep_conv_3x3~0|sep_conv_3x3~1|", ""), "A cell of darts has 4 nodes, got 3."),
        (cell("skip_connect~0|dil_conv_3x3~2", "skip_connect~2|sep_conv_3x3~2"), "An arch of"),
        (cell("skip_connect~0|dil_conv_3x3~2", "sep_conv_3x3~2|skip_connect~2"),
         "The edges of a node of darts must come from different nodes; node 5 of the normal cell has two "
         "from node 2."),
        (cell("dil_conv_3x3~2", "none~2"),
         "The edge from node 2 to 5 of the normal cell of darts must have an operation of max_pool_3x3, "
         "avg_pool_3x3, skip_connect, sep_conv_3x3, sep_conv_5x5, dil_conv_3x3, dil_conv_5x5, got none."),
    ],
)  # fmt: skip
def test_what_is_no_arch_is_refused(arch: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        Darts().build(arch, 10)
    assert arch not in Darts()


def test_edges_that_lack_or_are_too_many_are_refused() -> None:
    normal, reduce = Darts().to_edges(V2)
    with pytest.raises(UsageError, match=re.escape("in each 2 edges of each node; got [[2, 2, 2, 2]].")):
        Darts().from_edges([normal])
    with pytest.raises(UsageError, match=re.escape("got [[2, 3, 2, 2], [2, 2, 2, 2]].")):
        Darts().from_edges([{**normal, 4: "skip_connect"}, reduce])


def test_the_sets_of_zela_et_al() -> None:
    """As the released lists have them: edges by target, then by source."""
    assert S1["normal"][:6] == (
        ("skip_connect", "dil_conv_3x3"),
        ("skip_connect", "dil_conv_5x5"),
        ("skip_connect", "dil_conv_5x5"),
        ("skip_connect", "sep_conv_3x3"),
        ("skip_connect", "dil_conv_3x3"),
        ("max_pool_3x3", "skip_connect"),
    )
    assert S1["reduce"][-3:] == (("skip_connect", "dil_conv_5x5"),) * 3
    assert S1["reduce"][6] == ("max_pool_3x3", "sep_conv_3x3")
    for edges in S1.values():
        assert len(edges) == 14
        assert all(edge == tuple(op for op in OP_SETS["s1"] if op in edge) for edge in edges)
    assert [graph.allowed for graph in DartsS1().graphs()] == [S1["normal"], S1["reduce"]]
    assert DartsS2().ops == ("skip_connect", "sep_conv_3x3")
    assert DartsS3().ops == ("none", "skip_connect", "sep_conv_3x3")
    assert DartsS4().ops == ("noise", "sep_conv_3x3")


def test_an_operation_that_another_edge_has_is_refused_in_s1() -> None:
    with pytest.raises(
        UsageError, match="The edge from node 0 to 2 of the normal cell of darts-s1 must have an"
    ):
        DartsS1().genotype(V2)


def test_operations_are_named_and_joined() -> None:
    assert Darts(ops="skip_connect + sep_conv_7x7").ops == ("skip_connect", "sep_conv_7x7")
    assert set(OP_SETS["half-1"]) | set(OP_SETS["half-2"]) == set(OP_SETS["nine"])
    assert set(OP_SETS["half-1"]) & set(OP_SETS["half-2"]) == {"none"}
    assert tuple(OPERATIONS) == tuple(SHORT) == KNOWN
    assert len(set(SHORT.values())) == len(KNOWN)
    assert set(itertools.chain(*OP_SETS.values())) <= set(KNOWN)


@pytest.mark.parametrize(
    ("ops", "said"),
    [
        ("sep_conv_4x4+none", "Unknown operation of darts 'sep_conv_4x4'. Did you mean 'sep_conv_"),
        ("eight", "Unknown operation of darts, or set of them, 'eight'."),
        (
            "none+noise",
            "The operations of darts must be two or more beside none, each once, got none, noise.",
        ),
        ("noise+conv_1x1+noise", "each once, got noise, conv_1x1, noise."),
        ((), "each once, got none at all."),
    ],
)
def test_operations_that_cannot_be_are_refused(ops: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        Darts(ops=ops)


def test_a_third_search_takes_the_three_best_of_each_half() -> None:
    halves = Darts(ops="half-1"), Darts(ops="half-2")
    chosen = {0: "skip_connect", 1: "sep_conv_5x5", 2: "sep_conv_5x5", 3: "dil_conv_3x3", 5: "dil_conv_3x3",
              6: "sep_conv_5x5", 9: "max_pool_3x3", 10: "dil_conv_3x3"}  # fmt: skip
    first = halves[0].from_edges([chosen, dict.fromkeys(chosen, "max_pool_3x3")])
    second = halves[1].from_edges([dict.fromkeys(chosen, "sep_conv_7x7"), chosen_of_second(chosen)])
    ops = third_search_ops(first, second)
    # sep5 and dil3 three times each, then skip, which comes before max; of the other half there is one alone
    assert ops == ("none", "skip_connect", "sep_conv_5x5", "dil_conv_3x3", "sep_conv_7x7")
    assert third_search_ops(first, second, 2) == ("none", "sep_conv_5x5", "dil_conv_3x3", "sep_conv_7x7")
    assert Darts(ops=ops).ops == ops


def chosen_of_second(chosen: dict[int, str]) -> dict[int, str]:
    return dict.fromkeys(chosen, "avg_pool_3x3")


def test_a_name_may_have_options() -> None:
    space = open_space("darts:channels=4,cells=3,ops=half-1")
    assert isinstance(space, Darts)
    assert (space.channels, space.cells, space.ops) == (4, 3, OP_SETS["half-1"])
    assert isinstance(open_space("darts-cells:cells=3"), DartsCells)
    assert str(open_space("darts-s2:cells=3@lr=0.1/1")) == "darts-s2@lr=0.1/1"
    assert isinstance(known_space("darts-s1:channels=2"), DartsS1)
    assert known_space("mine:channels=2") is None
    assert (
        {"darts", "darts-cells", "darts-s1", "darts-s2", "darts-s3", "darts-s4"}
        <= set(OPTIONS)
        <= set(SPACES_BY_NAME)
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("darts:width=3", "Unknown option of the space darts 'width'."),
        ("darts:channels=", "The space 'darts:channels=' must give channels once, as channels=VALUE."),
        ("darts:cells=2,cells=3", "must give cells once"),
        ("darts:cells=many", "The cells of darts must be a whole number, got 'many'."),
        ("darts:channels=1", "The channels of darts must be a whole number of at least 2, got 1."),
        ("darts-s1:ops=nine", "Unknown option of the space darts-s1 'ops'."),
        (
            "darts:cells=201",
            "A net of darts has at most 4,096 channels and 200 cells, got channels=16 and cells=201.",
        ),
        ("darts:", "Unknown option of the space darts ''."),
        ("darts:Mine", "needs an importable module 'darts'"),
    ],
)
def test_options_that_cannot_be_are_refused(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        open_space(name)


def test_cells_of_papers_are_listed_and_built() -> None:
    space = DartsCells(channels=2, cells=3)
    assert list(space) == list(PUBLISHED)
    assert all(isinstance(space.build(name, 3), nn.Module) for name in space)
    assert [name for name, genotype in PUBLISHED.items() if genotype.written() not in Darts()] == [
        "nasnet-a",
        "amoebanet-a",
        "pnas",
    ]
    with pytest.raises(UsageError, match="Unknown cell of a paper 'dart-v2'. Did you mean 'darts-v2'"):
        space.build("dart-v2", 3)
