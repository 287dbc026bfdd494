"""Sizes of the nets of NASNet and PNAS: parameters and multiply-adds as published, and by formula."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from nas_ray.proxies import PROXIES
from nas_ray.proxies.flops import flops
from nas_ray.spaces import Nasnet, NasnetCells, Pnas
from nas_ray.spaces.nasnet.nets import BlockNet
from nas_ray.spaces.nasnet.published import PUBLISHED, searchable


def counted(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def on_meta(space: Nasnet | Pnas | NasnetCells, arch: str, classes: int = 10) -> BlockNet:
    with torch.device("meta"):
        net = space.build(arch, classes)
    assert isinstance(net, BlockNet)
    return net


def large(channels: int, cells: int, stem_channels: int | None = None) -> NasnetCells:
    return NasnetCells(channels, cells, "strided", stem_channels)


PAPERS = [
    # space, name, classes, millions as published
    (NasnetCells(32, 6), "nasnet-a", 10, "3.3"),
    (large(44, 4), "nasnet-a", 1_000, "5.3"),
    (NasnetCells(48, 3), "pnasnet-5", 10, "3.2"),
    (large(54, 3), "pnasnet-5", 1_000, "5.1"),
    (large(216, 4, 96), "pnasnet-5", 1_000, "86.1"),
    (NasnetCells(32, 6), "amoebanet-a", 10, "2.6"),
    (NasnetCells(36, 6), "amoebanet-a", 10, "3.2"),
    (large(50, 4), "amoebanet-a", 1_000, "5.1"),
    (large(190, 6), "amoebanet-a", 1_000, "86.7"),
    (large(228, 6), "amoebanet-c", 1_000, "155.3"),
]


@pytest.mark.parametrize(("space", "name", "classes", "millions"), PAPERS, ids=lambda value: str(value)[:12])
def test_parameters_are_the_published_ones(
    space: NasnetCells, name: str, classes: int, millions: str
) -> None:
    assert f"{counted(on_meta(space, name, classes)) / 1e6:.1f}" == millions


def test_the_released_nets_have_their_weights_to_the_last() -> None:
    """Trainable weights, and all numbers with the statistics of BN, as printed of the released nets.

    The published 88.9 million of 6 @ 4032 count these statistics too; its weights are 88.75 million.
    """
    for space, weights, numbers in (
        (large(44, 4), 5_289_978, 5_326_716),
        (large(168, 6, 96), 88_753_150, 88_949_818),
    ):
        net = on_meta(space, "nasnet-a", 1_000)
        assert counted(net) == weights
        statistics = sum(buffer.numel() for buffer in net.buffers() if buffer.dim())
        assert weights + statistics == numbers


def test_multiply_adds_are_the_published_ones() -> None:
    found = {
        (name, size): space.cost(name, 1_000, (3, size, size))[1]
        for space, name, size in [
            (large(44, 4), "nasnet-a", 224),
            (large(168, 6, 96), "nasnet-a", 331),
            (large(50, 4), "amoebanet-a", 224),
            (large(190, 6), "amoebanet-a", 331),
        ]
    }
    assert [round(count / 1e6) for (_, size), count in found.items() if size == 224] == [564, 555]
    assert [round(count / 1e8) for (_, size), count in found.items() if size == 331] == [238, 231]


def test_pnasnet_has_nearly_the_published_multiply_adds() -> None:
    """588 million and 25.0 billion: .2 % are missing."""
    assert large(54, 3).cost("pnasnet-5", 1_000, (3, 224, 224))[1] == pytest.approx(588e6, rel=0.003)
    assert large(216, 4, 96).cost("pnasnet-5", 1_000, (3, 331, 331))[1] == pytest.approx(25.0e9, rel=0.003)


def test_the_arch_of_pnas_is_the_published_net() -> None:
    space = Pnas(channels=12, cells=3)
    assert space.cost(searchable("pnasnet-5"), 10, (3, 32, 32)) == NasnetCells(12, 3).cost(
        "pnasnet-5", 10, (3, 32, 32)
    )


@pytest.mark.parametrize(
    ("image", "channels", "cells"),
    [
        pytest.param(
            (3, 9, 9),
            2,
            2,
            marks=pytest.mark.slow(faster="test_the_released_nets_have_their_weights_to_the_last"),
        ),
        ((3, 96, 96), 8, 1),
    ],
)
def test_the_cost_of_an_arch_is_what_is_counted(
    image: tuple[int, int, int], channels: int, cells: int
) -> None:
    rng = np.random.default_rng(channels)
    spaces = [Nasnet(channels, cells, blocks=2), Pnas(channels, cells, blocks=2), NasnetCells(channels, 1)]
    for space in (one.for_image_size(image[1]) for one in spaces):
        arch = space.sample(rng)
        net = on_meta(space, arch, 7)
        with torch.device("meta"):
            x = torch.empty(1, *image)
            counts = flops(net, x, torch.empty(1)), PROXIES["params"](net, x, torch.empty(1))
        assert space.cost(arch, 7, image) == (counts[1], counts[0])


def test_published_cells_are_as_released() -> None:
    assert {name: one.one_cell for name, one in PUBLISHED.items()} == {
        "nasnet-a": False, "pnasnet-5": True, "amoebanet-a": False, "amoebanet-c": False
    }  # fmt: skip
