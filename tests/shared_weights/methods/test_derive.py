from __future__ import annotations

import pytest
import torch

from nas_ray.shared_weights.methods.derive import skip_connections, strongest
from nas_ray.spaces.edges import EdgeGraph

TSS_OPS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
TSS = EdgeGraph("cell", TSS_OPS, ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)))
OPS = ("none", "skip_connect", "sep_conv_3x3", "max_pool_3x3")
DARTS = EdgeGraph("normal", OPS, ((0, 2), (1, 2), (0, 3), (1, 3), (2, 3)), inputs=2, kept=2)


def test_a_space_with_all_edges_takes_the_largest_and_none_is_one_as_the_others() -> None:
    strengths = torch.full((6, 5), 0.1)
    for edge, op in enumerate((0, 1, 2, 3, 4, 0)):
        strengths[edge, op] = 0.6
    chosen = strongest(TSS, strengths)
    assert list(chosen) == list(range(6))
    assert [TSS_OPS.index(op) for op in chosen.values()] == [0, 1, 2, 3, 4, 0]


def test_of_equal_operations_the_first_counts() -> None:
    assert set(strongest(TSS, torch.full((6, 5), 0.2)).values()) == {"none"}
    assert strongest(DARTS, torch.full((5, 4), 0.25)) == {
        0: "skip_connect",
        1: "skip_connect",
        2: "skip_connect",
        3: "skip_connect",
    }


def test_none_is_never_chosen_in_darts_but_weakens_its_edge() -> None:
    """Raw parameters would keep edge 2, where the largest is; after the softmax `none` has its part."""
    logits = torch.zeros(5, 4)
    logits[2] = torch.tensor([9.0, 0.0, 5.0, 0.0])
    logits[3] = torch.tensor([0.0, 0.0, 2.0, 0.0])
    logits[4] = torch.tensor([0.0, 0.0, 0.0, 1.0])
    assert logits[2].max() > logits[3].max() > logits[4].max()
    chosen = strongest(DARTS, logits.softmax(-1))
    assert chosen == {0: "skip_connect", 1: "skip_connect", 3: "sep_conv_3x3", 4: "max_pool_3x3"}
    assert 2 in strongest(DARTS, logits)


def test_weights_of_edges_decide_which_stay() -> None:
    strengths = torch.tensor([0.1, 0.3, 0.4, 0.2]).expand(5, 4)
    edges = torch.tensor([0.5, 0.5, 0.2, 0.5, 0.3])
    assert list(strongest(DARTS, strengths, edges)) == [0, 1, 3, 4]
    assert list(strongest(DARTS, strengths)) == [0, 1, 2, 3]


def test_too_many_skips_are_taken_out_from_the_weakest() -> None:
    strengths = torch.full((5, 4), 0.1)
    strengths[:, 1] = torch.tensor([0.9, 0.8, 0.5, 0.7, 0.6])  # skips on 0, 1, 3 and 4
    strengths[2, 2] = 0.3
    strengths[4, 3] = 0.2
    assert skip_connections(strongest(DARTS, strengths)) == 4
    # the skip of edge 4 goes, then edge 2 comes in by its skip of 0.5, which goes as well
    three = strongest(DARTS, strengths, most_skips=3)
    assert three == {0: "skip_connect", 1: "skip_connect", 2: "sep_conv_3x3", 3: "skip_connect"}
    none = strongest(DARTS, strengths, most_skips=0)
    assert none == {0: "sep_conv_3x3", 1: "sep_conv_3x3", 2: "sep_conv_3x3", 4: "max_pool_3x3"}


def test_a_limit_of_skips_where_nothing_else_is_there_ends() -> None:
    graph = EdgeGraph("cell", ("skip_connect",), ((0, 1), (0, 2), (1, 2)))
    assert skip_connections(strongest(graph, torch.ones(3, 1), most_skips=1)) == 3


def test_an_edge_has_what_it_may_take_alone() -> None:
    graph = EdgeGraph("cell", OPS, ((0, 1), (0, 2)), allowed=(("sep_conv_3x3", "max_pool_3x3"), OPS))
    strengths = torch.tensor([[0.9, 0.8, 0.1, 0.2], [0.1, 0.9, 0.2, 0.3]])
    assert strongest(graph, strengths) == {0: "max_pool_3x3", 1: "skip_connect"}
    assert strongest(graph, strengths * float("nan")) == {0: "sep_conv_3x3", 1: "none"}


@pytest.mark.parametrize("graph", [TSS, DARTS])
def test_nan_is_weaker_than_every_number_and_breaks_nothing(graph: EdgeGraph) -> None:
    strengths = torch.full(graph.shape, float("nan"))
    assert len(strongest(graph, strengths)) == len(graph.edges) - (graph.kept is not None)
    assert "none" not in strongest(DARTS, torch.full((5, 4), float("nan"))).values()
    strengths[0, 2] = 0.1
    assert strongest(graph, strengths)[0] == graph.ops[2]
