from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from rich.console import Console
from torch import nn

from nas_ray.errors import UsageError
from nas_ray.search.one_shot_truth.args import METHODS, TruthArgs
from nas_ray.search.one_shot_truth.one_edge import OPS, RIGHT, SHORTCUT, OneEdge, one_edge_net
from nas_ray.search.one_shot_truth.run import grouped, run, tasks_of
from nas_ray.search.one_shot_truth.searching import DIVERGED, Task, search, standardised
from nas_ray.search.one_shot_truth.table import completed, how_often, show
from nas_ray.shared_weights.mixed import Mix, one_hot

SMALL = {"steps": 40, "num_images": 200}


def test_the_mixed_net_of_one_operation_is_the_plain_net() -> None:
    torch.manual_seed(0)
    space = OneEdge(4)
    net = one_edge_net(space, 2).double()
    images = torch.randn(6, 3, 12, 12, dtype=torch.float64)
    outputs = []
    for arch in OPS:
        plain = net.extract(arch)
        outputs.append(net(images, one_hot(space, arch, torch.float64)))
        torch.testing.assert_close(outputs[-1], plain(images), rtol=1e-10, atol=1e-10)
    different = [outputs[a] - outputs[b] for a in range(len(OPS)) for b in range(a)]
    assert all(one.abs().max() > 1e-3 for one in different)


def test_a_mix_is_the_weighted_sum_before_the_head() -> None:
    torch.manual_seed(1)
    net = one_edge_net(OneEdge(4), 2).double()
    images = torch.randn(6, 3, 12, 12, dtype=torch.float64)
    weights = torch.tensor([[0.1, 0.2, 0.3, 0.15, 0.25]], dtype=torch.float64)
    stem = net.stem(images)
    cell = net.body[0].get_submodule("edges.0")
    assert isinstance(cell, nn.ModuleDict)
    total = sum(weights[0, OPS.index(op)] * module(stem) for op, module in cell.items())
    expected = net.classifier(net.head(total))
    torch.testing.assert_close(net(images, Mix((weights,))), expected, rtol=1e-10, atol=1e-10)


def test_the_space_is_what_one_shot_methods_ask_for() -> None:
    space = OneEdge()
    assert {space.sample(np.random.default_rng(seed)) for seed in range(50)} == set(OPS)
    assert all(space.from_edges(space.to_edges(arch)) == arch and arch in space for arch in OPS)
    assert space.neighbors("none") == [*OPS[1:]]
    kernels = [m.kernel_size[0] for m in space.build(RIGHT, 2).modules() if isinstance(m, nn.Conv2d)]
    assert kernels == [1, 5]
    for call in (lambda: space.build("nor_conv_7x7", 2), lambda: space.from_edges(({0: "nor_conv_7x7"},))):
        with pytest.raises(UsageError) as caught:
            call()
        assert str(caught.value).startswith("Unknown arch of one-edge 'nor_conv_7x7'.")
    with pytest.raises(UsageError, match="partial channels 4, got 6"):
        one_edge_net(space, 2, channels=6, partial=4)


def test_darts_finds_the_right_operation_where_there_is_no_shortcut() -> None:
    row = search(Task("darts1,lr=0.1,arch_lr=0.02", 0.5, 0, 100, 32, 8, 600))
    assert row["arch"] == RIGHT
    assert row["supernet_acc"] > 85


def test_a_search_that_diverges_has_found_nothing_and_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    method = "darts1,lr=1e+30,arch_lr=0.02"
    row = search(Task(method, 0.5, 0, 20, 8, 4, 40))
    assert row["arch"] == DIVERGED
    found = how_often(pd.DataFrame([row, row, *2 * [{**row, "arch": RIGHT}]]))
    assert found["diverged"].tolist() == [50.0]
    show(found, TruthArgs(methods=("darts1,lr=1e+30",), shortcuts=("0.5",)), Console())
    assert "2 searches diverged and count as wrong; lower --lr." in capsys.readouterr().out


def test_images_halves_are_balanced() -> None:
    inputs, targets = standardised(0.8, 3, 200)
    assert inputs.shape == (200, 3, 12, 12)
    assert (float(inputs.mean()), float(inputs.std())) == pytest.approx((0, 1), abs=1e-3)
    assert targets[:100].sum() == targets[100:].sum() == 50


def said(args: TruthArgs) -> str:
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    assert run(args, console) == 0
    return console.export_text()


def found(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "searches.parquet").drop(columns="seconds")


@pytest.mark.slow(faster="test_what_is_there_is_not_made_again")
def test_results_do_not_depend_on_the_number_of_processes(tmp_path: Path) -> None:
    settings = {"methods": ("gdas", "rs-ws"), "seeds": 2, "shortcuts": ("0.9",), **SMALL}
    alone = said(TruthArgs(out=tmp_path / "one", num_cpus=1, **settings))  # type: ignore[arg-type]
    together = said(TruthArgs(out=tmp_path / "two", num_cpus=2, **settings))  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(found(tmp_path / "one"), found(tmp_path / "two"))
    assert alone.replace("/one", "") == together.replace("/two", "")
    assert "gdas" in alone
    assert "shortcut 0.9" in alone


def test_what_is_there_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"methods": ("rs-ws",), "shortcuts": ("0.5",), "num_cpus": 1, "out": tmp_path / "run", **SMALL}
    said(TruthArgs(seeds=1, **settings))  # type: ignore[arg-type]
    first = found(tmp_path / "run")
    made: list[Task] = []

    def counted(task: Task) -> dict[str, object]:
        made.append(task)
        return search(task)

    monkeypatch.setattr("nas_ray.search.one_shot_truth.run.search", counted)
    said(TruthArgs(seeds=2, **settings))  # type: ignore[arg-type]
    assert [task.seed for task in made] == [1]
    pd.testing.assert_frame_equal(found(tmp_path / "run")[:1], first)
    (tmp_path / "run" / "searches.parquet").write_bytes(b"no table")
    with pytest.raises(UsageError, match="searches.parquet must be the table that this command wrote"):
        run(TruthArgs(seeds=1, **settings), Console(quiet=True))  # type: ignore[arg-type]


def test_how_often_counts_and_has_wilsons_interval() -> None:
    archs = [RIGHT] * 15 + [SHORTCUT] * 4 + ["none"]
    rows = [{"method": "m", "shortcut": 0.9, "arch": a, "supernet_acc": 90.0, "seconds": 1.0} for a in archs]
    (row,) = how_often(pd.DataFrame(rows)).to_dict("records")
    assert (row["searches"], row["right"], row["took_shortcut"]) == (20, 75.0, 20.0)
    z, n, p = 1.959964, 20, 0.75
    middle, half = p + z * z / (2 * n), z * ((p * (1 - p) + z * z / (4 * n)) / n) ** 0.5
    assert (row["right_low"], row["right_high"]) == pytest.approx(
        (100 * (middle - half) / (1 + z * z / n), 100 * (middle + half) / (1 + z * z / n)), rel=1e-5
    )


def test_the_published_size_of_the_comparison() -> None:
    tasks = tasks_of(TruthArgs())
    assert len(METHODS) == 10
    assert len(tasks) == len(set(tasks)) == 10 * 20 * 5
    assert [len(group) for group in grouped(tasks)] == [10] * 100
    assert completed("darts1,lr=0.2", TruthArgs()) == "darts1,lr=0.2,arch_lr=0.02"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"methods": ("dart1",)}, "Unknown one-shot method 'dart1'. Did you mean 'darts1'?"),
        ({"methods": ()}, "Methods and shortcuts must be named, one of each at least."),
        ({"methods": ("gdas", "gdas")}, "The methods must all be different, got gdas gdas."),
        ({"shortcuts": ("0.3",)}, "--shortcuts must be from 0.5 to 1, got '0.3'."),
        (
            {"methods": ("darts1,seed=3",)},
            "The method darts1,seed=3 must leave seeds and sizes to --seeds, --steps, --batch-size and "
            "--channels.",
        ),
        (
            {"methods": ("p-darts",)},
            "The method p-darts must work on a net of one edge: without stages, and with channels that its "
            "partial channels divide, got 8 and 1.",
        ),
        ({"channels": 6}, "The method pc-darts must work on a net of one edge"),
    ],
)
def test_bad_input_is_one_sentence(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        tasks_of(TruthArgs(**given))  # type: ignore[arg-type]
    assert str(caught.value).startswith(message)
