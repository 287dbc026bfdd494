"""A net as a weighted directed graph: its nodes are kinds of layers, and weights count what follows what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from nas_ray.errors import UsageError

START: Final = "START"
"""The node before the first layer of a net."""
END: Final = "END"
"""The node behind the last layer of a net."""


@dataclass(frozen=True)
class Layer:
    """One call of a layer.

    Attributes:
        kind: its class, such as `Conv2d`.
        properties: by name what it was made with, as texts such as `3x3` (`properties.py`).
    """

    kind: str
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LayerGraph:
    """What follows what in a net, or in several, and how often.

    Attributes:
        name: of the net.
        transitions: by kind of layer, how often each kind was called next; the first is `START`, and what
            comes last goes to `END`.
        properties: by kind of layer and name of a property, how many calls had each value.
    """

    name: str
    transitions: Mapping[str, Mapping[str, int]]
    properties: Mapping[str, Mapping[str, Mapping[str, int]]]

    @property
    def nodes(self) -> tuple[str, ...]:
        """The kinds of layers in the order in which they were first called, without `START` and `END`."""
        return tuple(self.properties)

    @property
    def nets(self) -> int:
        """How many nets were joined in it."""
        return sum(self.transitions[START].values())

    @property
    def layers(self) -> int:
        """How many calls of layers were counted."""
        return sum(map(self.calls, self.nodes))

    def calls(self, node: str) -> int:
        """Returns how often layers of a kind were called."""
        return sum(self.transitions[node].values())

    def edges(self) -> Iterator[tuple[str, str, int, float]]:
        """Yields every edge: from where, to where, how often, and its share of what leaves there."""
        for node, targets in self.transitions.items():
            calls = sum(targets.values())
            for target, count in targets.items():
                yield node, target, count, count / calls


def graph_of_calls(name: str, calls: Sequence[Layer]) -> LayerGraph:
    """Returns the graph of a net whose layers were called in this order.

    Source: Lopes and Alexandre, "Towards Less Constrained Macro-Neural Architecture Search", 2022, and its
        released code.
    Differs: counts how often a property had each value, where the released code counts each value once
        (`released` gives those).

    Raises:
        UsageError: none was called, or one is named as an end of the graph.
    """
    if not calls:
        raise UsageError(
            f"The net {name!r} must call layers that are modules, but calls none, so it has no graph."
        )
    if reserved := {START, END} & {layer.kind for layer in calls}:
        raise UsageError(
            f"The net {name!r} has a layer of the class {reserved.pop()}, which is the name of an end of the "
            "graph; rename the class."
        )
    transitions: dict[str, Counter[str]] = {}
    properties: dict[str, dict[str, Counter[str]]] = {}
    kinds = [START, *(layer.kind for layer in calls), END]
    for kind, following in pairwise(kinds):
        transitions.setdefault(kind, Counter())[following] += 1
    for layer in calls:
        of_kind = properties.setdefault(layer.kind, {})
        for key, value in layer.properties.items():
            of_kind.setdefault(key, Counter())[value] += 1
    return plain(name, transitions, properties)


def together(name: str, graphs: Iterable[LayerGraph]) -> LayerGraph:
    """Returns the graph of several nets: all their counts are summed.

    Raises:
        UsageError: there are none.
    """
    transitions: dict[str, Counter[str]] = {}
    properties: dict[str, dict[str, Counter[str]]] = {}
    for graph in graphs:
        for node, targets in graph.transitions.items():
            transitions.setdefault(node, Counter()).update(targets)
        for node, of_kind in graph.properties.items():
            mine = properties.setdefault(node, {})
            for key, values in of_kind.items():
                mine.setdefault(key, Counter()).update(values)
    if not transitions:
        raise UsageError("A graph of several nets needs at least one, got none.")
    return plain(name, transitions, properties)


def plain(
    name: str,
    transitions: Mapping[str, Mapping[str, int]],
    properties: Mapping[str, Mapping[str, Mapping[str, int]]],
) -> LayerGraph:
    """Returns a graph of plain dicts."""
    return LayerGraph(
        name,
        {node: dict(targets) for node, targets in transitions.items()},
        {
            node: {key: dict(values) for key, values in of_kind.items()}
            for node, of_kind in properties.items()
        },
    )
