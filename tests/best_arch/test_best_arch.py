from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from nas_ray.best_arch.args import BestArgs
from nas_ray.best_arch.best_arch import best_arch, relu_units
from nas_ray.best_arch.run import earlier_rows
from nas_ray.drivers.resources import Request, make_plan
from nas_ray.errors import UsageError
from nas_ray.images.image_data import ImageDataModule
from nas_ray.proxies.hooks import forward_hooks
from nas_ray.runs.folder import write_table
from nas_ray.runs.record import Record
from nas_ray.searchers.fitness import NormalisedSum
from nas_ray.shared_weights.scorer import ChunkScorer
from nas_ray.spaces import NatsTss
from tests.proxies.nets import CONNECTED, DISCONNECTED

SPACE = NatsTss(channels=4, cells=1)


class Few(NatsTss):
    """Some archs of the space, as if they were all."""

    archs = tuple(SPACE.archs[::100])  # type: ignore[assignment]


@pytest.mark.parametrize("arch", [*CONNECTED, DISCONNECTED])
def test_units_are_those_of_the_relus(arch: str) -> None:
    net, units = SPACE.build(arch, 10), []
    relus = [module for module in net.modules() if isinstance(module, torch.nn.ReLU)]
    with forward_hooks(relus, lambda module, args, out: units.append(out[0].numel())):
        net(torch.zeros(1, 3, 16, 16))
    assert relu_units(arch, SPACE, 16) == sum(units)


def test_equal_to_scoring_everything(ray_started: None) -> None:
    space, images = Few(channels=4, cells=1), ImageDataModule("digits", batch_size=8)
    plan = make_plan(Request(num_cpus=1), 2, 0, "this machine")
    found = best_arch(space, images, plan, init_seed=3)
    names = ("naswot", "logsynflow", "skip")
    inputs, targets = (tensor.numpy() for tensor in images.minibatch())
    rows = ChunkScorer(space, 10, inputs, targets, names, init_seed=3)(space.archs)
    fitness = NormalisedSum(names)(rows.to_dict("records"))  # type: ignore[arg-type]
    assert found.proof.arch == space.archs[int(np.argmax(fitness))]
    assert found.proof.margin > 0
    assert len(found.proof.values) < len(space.archs)


def test_runs_that_the_folder_holds_are_not_made_again(tmp_path: Path) -> None:
    args = BestArgs(runs=3, images="digits", out=tmp_path)
    assert earlier_rows(tmp_path, args) == []
    Record(tmp_path, "best_arch", args).begin()
    rows = [{"seed": seed, "arch": f"arch {seed}"} for seed in range(2)]
    write_table(tmp_path, pd.DataFrame(rows), "best")
    assert earlier_rows(tmp_path, args) == rows
    assert earlier_rows(tmp_path, replace(args, runs=1, num_cpus=1)) == rows[:1]
    with pytest.raises(UsageError, match=r"holds runs with --batch-size 64, not 32; choose another --out\."):
        earlier_rows(tmp_path, replace(args, batch_size=32))
