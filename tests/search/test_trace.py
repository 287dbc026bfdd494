"""`nas-ray trace` as a user calls it: on named, own and stored nets."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.image import imread

from nas_ray.search.trace import run
from nas_ray.spaces.graphs import read_graph, seed_graph
from tests.commands.next_line import next_commands
from tests.guards.commands import call, refused

OWN = """
from torch import nn

def small():
    return nn.Sequential(nn.Conv2d(1, 4, 5, stride=2), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3))

def broken():
    return nn.Sequential(nn.Conv2d(7, 4, 5))

def text():
    return "a net"

def ends():
    raise SystemExit(3)

made = nn.Sequential(nn.ReLU(), nn.ReLU())
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "traced_nets.py").write_text(OWN)
    return tmp_path


def test_two_nets_and_the_graph_of_both(mine: Path) -> None:
    options = ("--image-size", 28, "--image-channels", 1)
    ended = call(
        "trace", "squeezenet1_1", "traced_nets:small", "traced_nets:broken", *options, "--out", "made"
    )
    assert ended.code == 0, ended
    assert {path.name for path in Path("made").iterdir()} - {".lock"} == {
        *(
            f"{name}.{kind}"
            for name in ("squeezenet1_1", "traced_nets-small", "together")
            for kind in ("json", "png")
        ),
        *(f"{name}.{kind}" for name in ("transitions", "properties") for kind in ("csv", "parquet")),
        "run.json",
    }
    assert read_graph("made/squeezenet1_1.json") == seed_graph("squeezenet1_1")
    small = read_graph("made/traced_nets-small.json")
    assert small.name == "traced_nets:small"
    assert [*small.transitions] == ["START", "Conv2d", "ReLU", "Flatten", "Linear"]
    assert small.properties["Conv2d"]["stride"] == {"2x2": 1}
    both = read_graph("made/together.json")
    assert both.nets == 2
    assert both.layers == small.layers + seed_graph("squeezenet1_1").layers
    assert both.transitions["ReLU"]["Flatten"] == 1
    rows = pd.read_csv("made/transitions.csv")
    assert rows.query("net == 'squeezenet1_1'")["count"].sum() == seed_graph("squeezenet1_1").layers + 1
    assert rows.groupby(["net", "from"])["share_percent"].sum().round(9).eq(100).all()
    values = pd.read_csv("made/properties.csv").query(
        "net == 'traced_nets:small' and property == 'kernel_size'"
    )
    assert values.to_numpy().tolist() == [["traced_nets:small", "Conv2d", "kernel_size", "5x5", 1]]
    assert imread("made/together.png").size
    reason = "The net 'traced_nets:broken' must run on images of 1x28x28, but: RuntimeError: "
    assert f"not traced: traced_nets:broken: {reason}" in ended.out
    info = json.loads(Path("made/run.json").read_text())
    assert info["status"] == "finished"
    assert info["refused"]["traced_nets:broken"].startswith(reason)
    assert next_commands(ended.out)


def test_a_stored_graph_is_shown(mine: Path) -> None:
    assert call("trace", "resnet18", "--variant", "released", "--out", "first").code == 0
    ended = call("trace", "first/resnet18.json", "--out", "second")
    assert ended.code == 0, ended
    assert "Folder: second (1 graph, traced in " in " ".join(ended.err.split()) + " ".join(ended.out.split())
    assert Path("second/resnet18.json").read_bytes() == Path("first/resnet18.json").read_bytes()
    lines = [line.split() for line in ended.out.splitlines()]
    assert ["BatchNorm2d", "ReLU", "17", "85.0%"] in lines
    assert ["Conv2d", "3", "15.0%"] in lines
    assert ["Conv2d", "20", "out_channels", "64", "(1),", "128", "(1),", "256", "(1),", "512", "(1)"] in lines


def test_a_net_that_is_there_already(mine: Path) -> None:
    ended = call("trace", "traced_nets:made", "--out", "made")
    assert ended.code == 0, ended
    assert read_graph("made/traced_nets-made.json").transitions["ReLU"] == {"ReLU": 1, "END": 1}


def test_many_nets_have_a_line_each_and_one_picture(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("alexnet", "resnet18", "resnet34", "squeezenet1_0", "squeezenet1_1")
    monkeypatch.setattr(run, "seed_names", lambda: names)
    monkeypatch.setattr(run, "MOST_PICTURES", 3)
    ended = call("trace", "all", "--out", "made")
    assert ended.code == 0, ended
    assert [path.stem for path in Path("made").glob("*.png")] == ["together"]
    assert {path.stem for path in Path("made").glob("*.json")} == {*names, "together", "run"}
    lines = [line.split() for line in ended.out.splitlines()]
    assert lines[1][:4] == ["alexnet", "21", "6", "12"]
    assert [line[0] for line in lines[1:7]] == [*names, "together"]
    assert next_commands(ended.out)[0].endswith("made/together.json")


@pytest.mark.parametrize(
    ("net", "said"),
    [
        ("traced_nets:none", "The net 'traced_nets:none' names 'none', which "),
        (
            "traced_nets:text",
            "The net 'traced_nets:text' must be a function that returns an nn.Module, got str.",
        ),
        ("traced_nets:ends", "The net 'traced_nets:ends' cannot be made: SystemExit: 3."),
        (
            "traced_nets:broken",
            "The net 'traced_nets:broken' must run on images of 3x224x224, but: RuntimeError",
        ),
        ("traced_nets.json", "A graph must be what nas-ray trace or graph_text wrote, but the file "),
    ],
)
def test_what_is_no_net(net: str, said: str, mine: Path) -> None:
    (mine / "traced_nets.json").write_text("[]")
    assert refused("trace", net, "--out", "made").startswith(said)
    assert not list(Path("made").glob("*.png"))


def test_two_graphs_of_one_name(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "draw_graph", lambda *_: None)
    assert call("trace", "resnet18", "--out", "made").code == 0
    said = "Every graph must have a name of its own, got '{}', whose file is another's; "
    assert refused("trace", "resnet18", "made/resnet18.json", "--out", "other").startswith(
        said.format("resnet18")
    )
    stored = Path("made/resnet18.json").read_text()
    for name in ("run", "../run", "." * 300, "é/" * 300):
        Path("named.json").write_text(stored.replace('"resnet18"', json.dumps(name)))
        ended = call("trace", "named.json", "--out", "named")
        assert ended.code == (2 if name == "run" else 0), ended
        assert "Traceback" not in ended.err
        assert ended.code == 0 or said.format("run") in ended.err
    assert not (Path("named").parent / "run.json").exists()
