"""Graphs of nets joined, and as files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nas_ray.errors import UsageError
from nas_ray.spaces.graphs import (
    END,
    START,
    Layer,
    graph_of,
    graph_text,
    read_graph,
    seed_graph,
    together,
    value_of,
)
from nas_ray.spaces.graphs.graph import graph_of_calls
from nas_ray.spaces.graphs.properties import text_of


def test_several_nets_make_one_graph() -> None:
    one, two = (graph_of_calls(name, [Layer("A", {"p": name}), Layer(name)]) for name in ("B", "A"))
    joined = together("both", [one, two])
    assert joined.transitions == {START: {"A": 2}, "A": {"B": 1, "A": 1, END: 1}, "B": {END: 1}}
    assert joined.properties == {"A": {"p": {"B": 1, "A": 1}}, "B": {}}
    assert (joined.nets, joined.layers) == (2, 4)
    assert [share for *_, share in joined.edges()] == [1, 1 / 3, 1 / 3, 1 / 3, 1]
    with pytest.raises(UsageError, match="needs at least one, got none"):
        together("none", [])


@pytest.mark.parametrize("value", [64, 0.5, (3, 3), (7, None), "same", None, True, (3,), 0.2 / 3])
def test_values_are_texts(value: Any) -> None:
    read = value_of(text_of(value))
    assert read == (
        pytest.approx(value, rel=1e-5) if isinstance(value, float) else value[0] if value == (3,) else value
    )
    assert text_of(3, 2) == "3x3"


def test_a_graph_is_a_readable_file(tmp_path: Path) -> None:
    graph = seed_graph("squeezenet1_1")
    text = graph_text(graph)
    (tmp_path / "a.json").write_text(text)
    assert read_graph(tmp_path / "a.json") == graph
    assert list(read_graph(tmp_path / "a.json").edges()) == list(graph.edges())  # in their order
    assert graph_of(json.loads(text)) == graph
    assert '"kernel_size": {' in text


GOOD = json.loads(graph_text(graph_of_calls("net", [Layer("A", {"p": "1"}), Layer("B")])))


def with_(**changes: Any) -> str:
    return json.dumps({**GOOD, **changes})


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\x80\x04}q\x00.", "is no JSON (UnicodeDecodeError"),
        (b"{", "is no JSON (JSONDecodeError"),
        (b"[" * 100_000, "is no JSON (RecursionError"),
        (b"[]", 'has no "format": "nas_ray.graph"'),
        (b'{"format": "other"}', 'has no "format": "nas_ray.graph"'),
        (with_(version=2), "has version 2, and this version of nas_ray reads 1"),
        (with_(name=3), 'has no "name"'),
        (with_(transitions=[]), "has no transitions"),
        (with_(properties=None), "has no properties"),
        (with_(transitions={}), "has no transitions from START"),
        (with_(transitions={"START": ["A"]}), "has no transitions of START"),
        (
            with_(transitions={"START": {"A": "1"}}),
            "has 1 for A among the transitions of START, which is no count",
        ),
        (
            with_(transitions={"START": {"A": 0}}),
            "has 0 for A among the transitions of START, which is no count",
        ),
        (with_(transitions={"START": {"A": 1}}), "counts 1 transitions to A and 0 from it"),
        (with_(transitions={"START": {"A": 1}, "A": {"START": 1}}), "does not lead from START to END"),
        (with_(properties={"A": {}}), "has properties of other layers than its transitions"),
        (with_(properties={"A": {"p": {"1": 2}}, "B": {}}), "has more values of p than calls of A"),
        (with_(properties={"A": {"p": 1}, "B": {}}), "has no values of p of A"),
        (with_(version=True), "has version True, and this version of nas_ray reads 1"),
        (
            with_(transitions={"START": {"A": 10**30}, "A": {"END": 10**30}}),
            "has 1000000000000000000000000000000 for A among the transitions of START, which is no count",
        ),
        (with_(name="a\ud800"), r"has the name a\ud800, which is no text"),
        (with_(transitions={"START": {"\ud800": 1}}), r"has the name \ud800, which is no text"),
        (with_(properties={"A": {"p": {"\ud800": 1}}, "B": {}}), r"has the name \ud800, which is no text"),
        (
            with_(
                transitions={**GOOD["transitions"], "C": {"D": 2}, "D": {"C": 2}},
                properties={**GOOD["properties"], "C": {}, "D": {}},
            ),
            "has transitions from C, to which nothing leads from START",
        ),
        (with_(transitions={"START": {"END": 1}}, properties={}), "leads from START to END without a layer"),
    ],
)
def test_a_file_that_is_no_graph(content: bytes | str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UsageError) as caught:
        read_graph(path)
    said = str(caught.value)
    assert said.startswith(
        f"A graph must be what nas-ray trace or graph_text wrote, but the file {path} {why}"
    )
    assert said.endswith("; trace the net again.")
    assert "\n" not in said


def test_no_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.json", "a\0b"):
        with pytest.raises(UsageError, match="A graph must be in a file, but .* cannot be read: "):
            read_graph(path)


def test_a_graph_that_was_stored_needs_no_torch(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(graph_text(seed_graph("alexnet")))
    code = (
        "import sys; from nas_ray.spaces.graphs import read_graph, together, seed_names; "
        "assert read_graph(sys.argv[1]).layers == 21, read_graph(sys.argv[1]).layers; assert seed_names(); "
        "assert not {'torch', 'torchvision', 'ray'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "a.json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
