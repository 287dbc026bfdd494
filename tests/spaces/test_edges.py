"""Archs as operations on the edges of graphs."""

from __future__ import annotations

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.spaces import NatsTss
from nas_ray.spaces.edges import EdgeGraph, EdgeSpace
from nas_ray.spaces.nats_tss import EDGES


def test_nats_tss_says_its_edges() -> None:
    space = NatsTss()
    assert isinstance(space, EdgeSpace)
    (graph,) = space.graphs()
    assert graph.shape == (6, 5)
    assert graph.edges == EDGES
    assert graph.nodes == (1, 2, 3)
    assert [graph.edges[place] for place in graph.incoming(3)] == [(0, 3), (1, 3), (2, 3)]


def test_archs_are_made_of_their_edges() -> None:
    space, rng = NatsTss(), np.random.default_rng(1)
    for _ in range(20):
        arch = space.sample(rng)
        assert space.from_edges(space.to_edges(arch)) == arch


def test_an_edge_that_lacks_is_refused() -> None:
    with pytest.raises(UsageError, match="6 operations"):
        NatsTss().from_edges([{0: "none"}])


def test_a_graph_may_keep_some_edges() -> None:
    graph = EdgeGraph("normal", ("none", "skip"), ((0, 2), (1, 2), (0, 3), (1, 3), (2, 3)), inputs=2, kept=2)
    assert graph.nodes == (2, 3)
    assert graph.incoming(3) == (2, 3, 4)
