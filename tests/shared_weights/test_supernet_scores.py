"""A search scores on the weights of a supernet, and the number of archs per trial changes no score."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

import nas_ray
from nas_ray.drivers.simulation import simulate
from nas_ray.process.lightning import Trainer, pl
from nas_ray.proxies import PROXIES
from nas_ray.rows import Row
from nas_ray.searchers import RankSum, RegularizedEvolution
from nas_ray.shared_weights.chunk_scores import ChunkScores
from nas_ray.shared_weights.shared_scoring import SharedScoring
from nas_ray.shared_weights.size_scores import SizeScores
from nas_ray.shared_weights.supernet_scores import SupernetScores
from nas_ray.spaces import NatsSss, NatsTss
from tests.guards.commands import call, refused

SPACE = NatsTss(channels=4, cells=1)
RNG = np.random.default_rng(0)
BATCH = (RNG.normal(size=(8, 3, 16, 16)).astype(np.float32), RNG.integers(10, size=8))
SMALL = ["--batch-size", 8, "--population", 4, "--sample", 2, "--driver", "process", "--num-samples", 10,
         "--proxies", "naswot,synflow"]  # fmt: skip


def drawn(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """A proxy of a user, which draws at random and changes what it is given."""
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter))
    return net(inputs).abs().sum().item()


EVALUATORS: dict[str, tuple[SupernetScores, list[str]]] = {
    "cells": (
        ChunkScores(
            SPACE,
            10,
            *BATCH,
            {
                **{name: PROXIES[name] for name in ("naswot", "synflow", "snip", "zen", "params")},
                "drawn": drawn,
            },
        ),
        [SPACE[place] for place in (6111, 5, 12000, 800, 15000)],
    ),
    "sizes": (
        SizeScores(
            NatsSss(),
            10,
            *BATCH,
            {**{name: PROXIES[name] for name in ("naswot", "synflow", "snip")}, "drawn": drawn},
        ),
        ["8:8:8:8:8", "8:16:8:8:64", "64:8:8:16:8"],
    ),
}


@pytest.mark.parametrize("name", EVALUATORS)
def test_one_arch_has_the_scores_that_it_has_among_others(name: str) -> None:
    evaluator, archs = EVALUATORS[name]
    together = evaluator.rows(archs)
    for arch, row in zip(archs, together, strict=True):
        alone = evaluator.rows([arch])[0]
        assert (row["error"], alone["error"]) == (None, None)
        assert list(alone) == list(row)
        for column in evaluator.proxies:
            assert alone[column] == pytest.approx(row[column], rel=1e-4), column


@pytest.mark.parametrize("name", EVALUATORS)
def test_a_trial_is_a_lightning_module_in_a_trainer_on_the_minibatch(name: str) -> None:
    evaluator, archs = EVALUATORS[name]
    tested: list[Any] = []
    test = Trainer.test

    def noted(self: Trainer, module: pl.LightningModule, **options: Any) -> Any:
        tested.append((module, [batch[0].shape for batch in options["dataloaders"]]))
        return test(self, module, **options)

    state = torch.random.get_rng_state()
    with mock.patch.object(Trainer, "test", noted):
        for some in (archs[:1], archs[1:3]):
            evaluator.rows(some)
    assert [type(module) for module, _ in tested] == [SharedScoring] * 2
    assert [shapes for _, shapes in tested] == [[torch.Size((8, 3, 16, 16))]] * 2
    assert tested[0][0].net is tested[1][0].net
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_limit_makes_a_failed_row_and_keeps_what_it_costs() -> None:
    proxies = {name: PROXIES[name] for name in ("naswot", "params")}
    evaluator = ChunkScores(SPACE, 10, *BATCH, proxies, limits={"params": 5000.0})
    none = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    rows = evaluator.rows([none.replace("none~0|+|", "nor_conv_3x3~0|+|", 1), none])
    above = [row["params"] > 5000 for row in rows]
    assert above == [True, False]
    assert math.isnan(rows[0]["naswot"])
    assert rows[0]["error"] == f"params {rows[0]['params']:.4g} is above the limit 5000"
    assert rows[0]["error_kind"] == "over_limit"


def test_a_latency_is_that_of_the_plain_net() -> None:
    args = nas_ray.search.arguments.SearchArgs(
        images="digits", batch_size=8, proxies=("params",), max_latency_ms=1e-6
    )
    evaluator: Any = nas_ray.search.experiment.prepare("rea", args, "rea").evaluator
    row = evaluator.rows([SPACE[6111]])[0]
    assert row["latency_ms"] > 0.1
    assert "is above the limit 1e-06" in row["error"]


class Among:
    """Scores an arch among others, as a trial with several would."""

    def __init__(self, evaluator: ChunkScores, others: list[str]) -> None:
        self.evaluator, self.others = evaluator, others

    def __call__(self, arch: str, report: Any) -> None:
        report(self.rows([arch])[0])

    def rows(self, archs: list[str]) -> list[Row]:
        return self.evaluator.rows([*self.others, *archs])[len(self.others) :]


def test_evolution_takes_the_same_course_however_its_archs_were_scored() -> None:
    evaluator = ChunkScores(SPACE, 10, *BATCH, ("naswot", "synflow"))
    courses = []
    for scores in (evaluator, Among(evaluator, [SPACE[place] for place in (77, 9999, 4242)])):
        searcher = RegularizedEvolution(SPACE, fitness=RankSum(("naswot", "synflow")), population=8, sample=4)
        courses.append(simulate(searcher, scores, num_samples=40)["arch"].tolist())
    assert courses[0] == courses[1]


def test_a_command_scores_on_the_supernet_unless_it_is_told_otherwise(tmp_path: Path) -> None:
    rows = {}
    for name, options in {"one": [], "many": ["--archs-per-trial", 3], "own": ["--own-weights"]}.items():
        done = call(
            "random_search",
            "--batch-size",
            8,
            "--driver",
            "process",
            "--proxies",
            "naswot,synflow",
            "--num-samples",
            6,
            *options,
            "--out",
            tmp_path / name,
        )
        assert done.code == 0, done.err
        assert ("weights    of one supernet" in done.out) == (name != "own")
        info = json.loads((tmp_path / name / "run.json").read_text())
        assert info["weights"] == ("own" if name == "own" else "supernet")
        rows[name] = pd.read_parquet(tmp_path / name / "results.parquet").set_index("arch")
    for score in ("naswot", "synflow"):
        one = rows["one"][score]
        np.testing.assert_allclose(rows["many"].loc[one.index, score], one, rtol=1e-4)
        assert (abs(rows["own"].loc[one.index, score] / one - 1) > 1e-4).any()
    said = refused("rea", "--own-weights", "--archs-per-trial", 2, "--out", tmp_path / "both")
    assert said.startswith(
        "--archs-per-trial 2 scores archs on the weights of one net, and --own-weights asks"
    )


@pytest.mark.parametrize(
    "options",
    [
        ["--own-weights"],
        pytest.param(
            ["--archs-per-trial", 2],
            marks=pytest.mark.slow(
                faster="test_a_run_of_an_earlier_version_goes_on_with_the_weights_that_it_had"
            ),
        ),
    ],
)
def test_a_run_of_an_earlier_version_goes_on_with_the_weights_that_it_had(
    options: list[Any], tmp_path: Path
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert call("rea", *SMALL, *options, "--out", whole).code == 0
    assert call("rea", *SMALL, *options, "--num-samples", 6, "--out", cut).code == 0
    info = json.loads((cut / "run.json").read_text())
    del info["weights"], info["args"]["own_weights"]
    (cut / "run.json").write_text(json.dumps(info))
    done = call("rea", "--resume", cut, "--num-samples", 10)
    assert done.code == 0, done.err
    found = [pd.read_parquet(folder / "results.parquet") for folder in (whole, cut)]
    for column in ("arch", "naswot", "synflow"):
        assert found[0][column].tolist() == found[1][column].tolist()
