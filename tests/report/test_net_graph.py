"""The picture of a graph, by the texts and arrows in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nas_ray.report.canvas import FancyArrowPatch
from nas_ray.report.net_graph import draw_graph, most_frequent
from nas_ray.spaces.graphs.graph import Layer, graph_of_calls
from tests.report.drawn import clipped, drawn_by


def test_every_edge_is_an_arrow_with_its_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = drawn_by(monkeypatch)
    layers = [Layer("A", {"k": "3x3"}), Layer("A", {"k": "1x1"}), Layer("B"), Layer("A", {"k": "1x1"})]
    draw_graph(graph_of_calls("net", layers), tmp_path / "net.png")
    (figure,) = figures
    (axes,) = figure.axes
    texts = [text for text in axes.texts if text.get_text()]
    assert sorted(text.get_text() for text in texts) == [
        *("1", "1", "1", "1", "1", "A  3", "B  1", "END", "START", "k: 1x1 (2), 3x3 (1)")
    ]
    assert [text.get_text() for text in figure.texts] == ["net: 4 calls of 2 kinds of layers"]
    arrows = [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]
    assert len(arrows) == 5
    assert not clipped(figure)
    column = {text.get_text(): text.get_position() for text in texts if text.get_position()[0] == 0}
    assert sorted(column, key=lambda name: -column[name][1]) == ["START", "A  3", "B  1", "END"]
    sides = [text.get_position()[0] > 0 for text in texts if text.get_text() == "1"]
    assert sides.count(True) == 3  # to what comes later; back, and to itself, on the left
    for arrow, text in zip(arrows, [text for text in texts if text.get_text() == "1"], strict=True):
        box = arrow.get_path().get_extents()  # an arc bends to the side on which its count stands
        middle = (box.x0 + box.x1) / 2
        assert (middle > 0) == (text.get_position()[0] > 0)


def test_values_are_ordered_and_counted() -> None:
    assert most_frequent({"a": 1, "b": 3, "c": 2}) == "b (3), c (2), a (1)"
    assert most_frequent({"a": 1, "b": 3, "c": 2}, 1) == "b (3), 2 more"
    assert most_frequent({}) == ""
