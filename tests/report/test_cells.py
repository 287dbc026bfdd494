from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from matplotlib.image import imread

from nas_ray.report.cells import EDGES, OP_COLORS, cell_graph, cell_text, draw_cell
from nas_ray.search import finish
from nas_ray.spaces import nats_tss

ARCH = "|nor_conv_1x1~0|+|none~0|skip_connect~1|+|nor_conv_3x3~0|none~1|avg_pool_3x3~2|"
DRAWING = """\
  ╭─────────────────────────── nor_conv_3x3 ────────────────────────────╮
  │  ╭┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄ none ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄╮                      │
  │  ┊                                           ┊                      ▼
┌─┴────┐                 ┌───┐                 ┌───┐                 ┌─────┐
│  in  ├─ nor_conv_1x1 ─▶│ 1 ├─ skip_connect ─▶│ 2 ├─ avg_pool_3x3 ─▶│ out │
└──────┘                 └───┘                 └───┘                 └─────┘
                           ┊                                            ┊
                           ╰┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄ none ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄╯"""


def test_words_equal_those_of_the_space() -> None:
    assert nats_tss.EDGES == EDGES
    assert set(nats_tss.OPS) == set(OP_COLORS)


def test_drawing_for_the_terminal() -> None:
    assert cell_text(ARCH) == DRAWING


def test_graph_has_the_operation_of_every_edge() -> None:
    space = nats_tss.NatsTss()
    for arch in space.archs[::500]:
        graph = cell_graph(arch)
        assert graph is not None
        assert tuple(graph[source][target]["op"] for source, target in EDGES) == nats_tss.to_ops(arch)
        assert all(op in cell_text(arch) for op in nats_tss.to_ops(arch))


@pytest.mark.parametrize("arch", ["8:16:24:32:40", "", "|none~0|", ARCH + "+"])
def test_other_spaces_are_shown_as_text(arch: str, tmp_path: Path) -> None:
    assert cell_graph(arch) is None
    assert cell_text(arch) == arch
    draw_cell(arch, tmp_path / "cell.png")
    assert imread(tmp_path / "cell.png").size


def test_picture_is_drawn(tmp_path: Path) -> None:
    draw_cell(ARCH, tmp_path / "cell.png", index=12)
    picture = imread(tmp_path / "cell.png")
    assert picture.shape[:2] == (495, 1080)
    assert 0.02 < (picture[..., :3].min(axis=2) < 0.9).mean() < 0.3


def test_a_run_has_no_picture_of_a_cell_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finish, "draw_search", lambda *rows, **options: None)
    experiment: Any = SimpleNamespace(index=lambda arch: None, fitness=None, benchmark=None)
    for arch, drawn in (("wide-narrow", []), ("64:64:64:64:64", []), (ARCH, ["cell.png"])):
        finish._draw(experiment, pd.DataFrame(), arch, tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == drawn
