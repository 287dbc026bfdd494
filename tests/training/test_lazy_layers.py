"""Nets whose layers learn their shapes from data are trained as others are."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.images.image_data import ImageDataModule
from nas_ray.rows import Row
from nas_ray.training.lazy_layers import materialised
from nas_ray.training.recipes import parse_recipe


class Widths:
    """Archs are widths of a hidden layer.

    Args:
        lazy: whether that layer learns its number of inputs from data.
    """

    def __init__(self, lazy: bool) -> None:
        self.lazy = lazy

    def sample(self, rng: np.random.Generator) -> str:
        return str(rng.integers(1, 9))

    def build(self, arch: str, num_classes: int) -> nn.Module:
        hidden = nn.LazyLinear(int(arch)) if self.lazy else nn.Linear(3 * 32 * 32, int(arch))
        return nn.Sequential(nn.Flatten(), hidden, nn.ReLU(), nn.Linear(int(arch), num_classes))


def trained(lazy: bool) -> Row:
    images = ImageDataModule("digits").train_images
    evaluator = ShortTraining(Widths(lazy), 10, images, parse_recipe("epochs:2:data_fraction=0.2"))
    return list(evaluator.epochs("4"))[-1]


def test_lazy_layers_are_trained() -> None:
    row: dict[str, Any] = dict(trained(lazy=True))
    assert row["error"] is None
    assert row["valid_acc"] > 10
    assert set(row) == set(trained(lazy=False))


def test_a_net_without_lazy_layers_is_left_alone() -> None:
    def refused() -> None:
        raise AssertionError("no example is needed")

    net, before = nn.Linear(2, 2), torch.random.get_rng_state()
    assert materialised(net, refused) is net
    assert torch.equal(torch.random.get_rng_state(), before)


def test_layers_keep_their_mode_and_statistics() -> None:
    net = nn.Sequential(nn.LazyLinear(3), nn.BatchNorm1d(3)).train()
    assert materialised(net, lambda: torch.ones(2, 5)).training
    assert net[0].weight.shape == (3, 5)
    assert torch.equal(net[1].running_mean, torch.zeros(3))
