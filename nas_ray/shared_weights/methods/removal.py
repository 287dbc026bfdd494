"""The arch of the operations, and edges, whose removal hurts the supernet most."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch
from torch import Tensor

from nas_ray.shared_weights.methods.arch_weights import usable
from nas_ray.shared_weights.methods.batches import Batches, accuracy
from nas_ray.shared_weights.methods.chance import Chance
from nas_ray.shared_weights.methods.core import SearchCore
from nas_ray.shared_weights.methods.mixes import Pass
from nas_ray.shared_weights.mixed import Mix
from nas_ray.spaces.edges import EdgeGraph

Masks = tuple[Tensor, ...]
"""Bool `[E, O]` by graph: what an arch may still have."""


def by_removal(search: SearchCore, valid: Batches, train: Batches | None = None) -> str:
    """Returns the arch that is left after a decision for each edge, in random order.

    Of an edge the operation stays without which the validation accuracy is lowest; the others are gone from
    then on. Where an arch has some of the edges, the edges of each node are chosen in the same way
    afterwards. Between two decisions the net trains on, at a tenth of the learning rate. The search is
    then as it was.

    Source: Wang et al., "Rethinking Architecture Selection in Differentiable NAS", ICLR 2021, algorithm 1.
    Differs: without `train` nothing is trained in between; the learning rate stays the same there. Of equal
    accuracies the first operation counts. Where an arch has some of the edges, `none` is no choice.
    """
    before = search.state()
    keep = search.mixes.keep
    try:
        return _decided(search, valid, train)
    finally:
        search.load_state(before)
        search.mixes.set_keep(keep)


def _decided(search: SearchCore, valid: Batches, train: Batches | None) -> str:
    chance = Chance(search.seed, torch.device("cpu"))
    chosen: list[dict[int, str]] = [{} for _ in search.graphs]
    sizes = [len(graph.edges) for graph in search.graphs]
    pending = [(number, edge) for number, size in enumerate(sizes) for edge in range(size)]
    search.slow_down(0.1)
    while pending:
        number, edge = pending.pop(chance.whole(len(pending)))
        graph = search.graphs[number]
        candidates = usable(graph, search.mixes.keep[number])[edge].nonzero().flatten().tolist()
        best = candidates[0]
        if len(candidates) > 1:
            shares = [_without(search, valid, number, [(edge, op)]) for op in candidates]
            best = candidates[shares.index(min(shares))]
        chosen[number][edge] = graph.ops[best]
        search.mixes.set_keep(_only(search.mixes.keep, number, edge, best))
        if pending and train is not None:
            _tune(search, train, valid)
    for number, graph in enumerate(search.graphs):
        for edge in _surplus(search, valid, number, graph, chance):
            del chosen[number][edge]
    return search.space.from_edges(chosen)


def _surplus(search: SearchCore, valid: Batches, number: int, graph: EdgeGraph, chance: Chance) -> list[int]:
    """Returns the edges of a graph that an arch cannot have, those whose removal hurts least."""
    gone: list[int] = []
    nodes = list(graph.nodes) if graph.kept is not None else []
    while nodes:
        incoming = graph.incoming(nodes.pop(chance.whole(len(nodes))))
        every = range(len(graph.ops))
        shares = {
            edge: _without(search, valid, number, [(other, op) for other in [*gone, edge] for op in every])
            for edge in incoming
        }
        gone += sorted(incoming, key=lambda edge: shares[edge])[graph.kept :]
    return gone


def _without(search: SearchCore, valid: Batches, number: int, places: Sequence[tuple[int, int]]) -> float:
    """Returns the validation accuracy without some `(edge, operation)` of a graph; NaN counts as the best."""
    chance = Chance(search.seed, search.device)

    def mix() -> Mix:
        return _removed(search.mixes.judged(chance), number, places).mix()

    share = accuracy(search.net, valid, mix, search.device)
    return share if share == share else float("inf")


def _removed(drawn: Pass, number: int, places: Sequence[tuple[int, int]]) -> Pass:
    """Returns a pass in which these operations of a graph count zero and are not computed."""
    active = list(drawn.active or [torch.ones(own.shape, dtype=torch.bool) for own in drawn.weights])
    weights = [own.detach() for own in drawn.weights]
    active[number], weights[number] = active[number].clone(), weights[number].clone()
    for place in places:
        active[number][place] = False
        weights[number][place] = 0.0
    return dataclasses.replace(drawn, weights=tuple(weights), active=tuple(active))


def _only(keep: Masks, number: int, edge: int, op: int) -> Masks:
    """Returns `keep` with one operation on an edge of a graph."""
    changed = keep[number].clone()
    changed[edge] = False
    changed[edge, op] = True
    return (*keep[:number], changed, *keep[number + 1 :])


def _tune(search: SearchCore, train: Batches, valid: Batches) -> None:
    """Trains on for some epochs, as in the search."""
    for _ in range(search.method.tune_epochs):
        for of_train, of_valid in zip(train, valid, strict=False):
            search.step(of_train, of_valid)
