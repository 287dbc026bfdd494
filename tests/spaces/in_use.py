"""Commands on the digits, and the training of what a search found, for tests of spaces in use."""

from __future__ import annotations

from pathlib import Path

import torch

from nas_ray.training.trained import TrainedNet, load
from tests.guards.commands import call

HERE = ("--driver", "process", "--num-cpus", 1)
TRAIN = ("--seeds", 1, "--proxies", "params", "--num-threads", 1)
RECIPE = "fast:epochs=1,data_fraction=0.1"


def run(*words: object) -> str:
    """Runs a command on the digits, which must succeed, and returns what it says."""
    ended = call(*words, "--images", "digits")
    assert ended.code == 0, ended.err
    return ended.out


def trained(out: Path, arch: object, space: str, *more: object, recipe: str = RECIPE) -> TrainedNet:
    """Trains the best arch of a search, and returns its net, which runs and is of this arch.

    Args:
        out: the folder of the search; that of the training is `train` beside it.
        arch: the best.
        space: its name.
        more: words of the command.
        recipe: of the training.
    """
    left = out.parent / "train"
    run("train", out, "--recipe", recipe, *TRAIN, *more, "--out", left)
    net = load(left / "model.pt")
    assert (net.facts.arch, net.facts.space) == (arch, space)
    assert net(torch.rand(2, 3, 32, 32)).shape == (2, 10)
    return net
