"""Graphs as JSON: readable, with a version, and checked when they are read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from nas_ray.errors import UsageError, describe, encodable, printable
from nas_ray.spaces.graphs.graph import END, START, LayerGraph

FORMAT: Final = "nas_ray.graph"
VERSION: Final = 1
MOST_BYTES = 16_000_000
"""Size of a file that is read; the graphs of torchvision have some thousand bytes."""
MOST_CALLS = 10**9
"""The largest count that is read, far above that of any net."""


def graph_text(graph: LayerGraph) -> str:
    """Returns a graph as the text of a JSON file, which `read_graph` reads."""
    form = {
        "format": FORMAT,
        "version": VERSION,
        "name": graph.name,
        "transitions": graph.transitions,
        "properties": graph.properties,
    }
    return json.dumps(form, indent=2) + "\n"


def read_graph(path: Path | str) -> LayerGraph:
    """Returns the graph that a file holds.

    Raises:
        UsageError: there is none, or what is there is no graph; says what is wrong.
    """
    what = f"the file {path}"
    try:
        with Path(path).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"A graph must be in a file, but {path} cannot be read: {describe(error)}."
        ) from error
    if len(content) > MOST_BYTES:
        raise _Wrong(what, f"has more than {MOST_BYTES:,} bytes")
    try:
        form = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _Wrong(what, f"is no JSON ({describe(error)})") from error
    return graph_of(form, what)


def graph_of(form: Any, what: str = "the content") -> LayerGraph:
    """Returns the graph of what was read from JSON.

    Args:
        form: anything.
        what: where it comes from, for messages.

    Raises:
        UsageError: it is no graph.
    """
    if not isinstance(form, dict) or form.get("format") != FORMAT:
        raise _Wrong(what, f'has no "format": "{FORMAT}"')
    if type(form.get("version")) is not int or form["version"] != VERSION:
        shown = printable([form.get("version")])[0]
        raise _Wrong(what, f"has version {shown}, and this version of nas_ray reads {VERSION}")
    name = form.get("name")
    if not isinstance(name, str):
        raise _Wrong(what, 'has no "name"')
    _check_text(name, what)
    transitions = {
        node: _counts(targets, what, f"transitions of {printable([node])[0]}")
        for node, targets in _dict(form.get("transitions"), what, "transitions").items()
    }
    properties = {
        node: {
            key: _counts(values, what, f"values of {printable([key])[0]} of {printable([node])[0]}")
            for key, values in _dict(of_kind, what, f"properties of {printable([node])[0]}").items()
        }
        for node, of_kind in _dict(form.get("properties"), what, "properties").items()
    }
    _check_flow(transitions, properties, what)
    return LayerGraph(name, transitions, properties)


class _Wrong(UsageError):
    """What was read is no graph."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(
            f"A graph must be what nas-ray trace or graph_text wrote, but {what} {why}; trace the net again."
        )


def _dict(value: Any, what: str, part: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Wrong(what, f"has no {part}")
    for key in value:
        _check_text(key, what)
    return value


def _check_text(name: Any, what: str) -> None:
    if not isinstance(name, str) or encodable(name) != name:
        raise _Wrong(what, f"has the name {printable([name])[0]}, which is no text")


def _counts(value: Any, what: str, part: str) -> dict[str, int]:
    counts = _dict(value, what, part)
    for key, count in counts.items():
        if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MOST_CALLS:
            shown = printable([count])[0]
            raise _Wrong(what, f"has {shown} for {printable([key])[0]} among the {part}, which is no count")
    return counts


def _reached(transitions: Mapping[str, Mapping[str, int]]) -> set[str]:
    """Returns the nodes to which transitions lead from the start, which is among them."""
    reached, new = {START}, [START]
    while new:
        found = [node for node in transitions.get(new.pop(), ()) if node not in reached]
        reached.update(found)
        new += found
    return reached


def _check_flow(
    transitions: Mapping[str, Mapping[str, int]],
    properties: Mapping[str, Mapping[str, Mapping[str, int]]],
    what: str,
) -> None:
    """Checks that a walk through the net could have counted this: what comes into a node leaves it."""
    if not transitions.get(START):
        raise _Wrong(what, f"has no transitions from {START}")
    coming: Counter[str] = Counter()
    for targets in transitions.values():
        coming.update(targets)
    leaving = Counter({node: sum(targets.values()) for node, targets in transitions.items()})
    for node in sorted({*coming, *leaving} - {START, END}):
        if coming[node] != leaving[node]:
            count = f"{coming[node]} transitions to {printable([node])[0]} and {leaving[node]} from it"
            raise _Wrong(what, f"counts {count}")
    if coming[START] or leaving[END] or leaving[START] != coming[END]:
        raise _Wrong(what, f"does not lead from {START} to {END}")
    if END in transitions[START]:
        raise _Wrong(what, f"leads from {START} to {END} without a layer")
    if lost := sorted({*leaving} - _reached(transitions)):
        raise _Wrong(what, f"has transitions from {printable(lost)[0]}, to which nothing leads from {START}")
    if set(properties) != {*leaving} - {START}:
        raise _Wrong(what, "has properties of other layers than its transitions")
    for node, of_kind in properties.items():
        for key, values in of_kind.items():
            if sum(values.values()) > leaving[node]:
                names = f"{printable([key])[0]} than calls of {printable([node])[0]}"
                raise _Wrong(what, f"has more values of {names}")
