"""The size space against the published files: order, parameters, multiply-adds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from nats_bench import ArchResults

from nas_ray.errors import UsageError
from nas_ray.evaluation.limits import Costs
from nas_ray.safe_files.pickles import safe_load
from nas_ray.spaces import NatsSss
from nas_ray.spaces.nats_sss import WIDTHS, count_cost, to_widths

SPACE = NatsSss()
SIZES = {"cifar10": (10, 32), "cifar100": (100, 32), "ImageNet16-120": (120, 16)}


def official(data_dir: Path, name: str) -> object:
    folder = data_dir / "nats_official_sample" / "NATS-sss-v1_0-50262-simple"
    return safe_load(folder / f"{name}.pickle.pbz2", what="file", compressed=True)


@pytest.mark.data
def test_the_order_is_the_published_one(data_dir: Path) -> None:
    meta = official(data_dir, "meta")
    assert isinstance(meta, dict)
    assert tuple(meta["meta_archs"]) == SPACE.archs
    assert [SPACE.index(arch) for arch in SPACE.archs[::997]] == list(range(32_768))[::997]


@pytest.mark.data
@pytest.mark.parametrize("index", [0, 11, 284])
def test_costs_are_the_published_ones(data_dir: Path, index: int) -> None:
    content = official(data_dir, f"{index:06d}")
    assert isinstance(content, dict)
    results = ArchResults.create_from_state_dict(dict(content["90"]))
    for dataset, (classes, size) in SIZES.items():
        published = results.get_compute_costs(dataset)
        params, multiply_adds = count_cost(to_widths(SPACE[index]), classes, (3, size, size))
        assert params == pytest.approx(1e6 * published["params"], abs=0.5)
        assert multiply_adds == pytest.approx(1e6 * published["flops"], abs=0.5)


def test_the_formula_is_what_built_nets_have() -> None:
    rng = np.random.default_rng(0)
    for arch in [SPACE[0], SPACE[-1], *(SPACE.sample(rng) for _ in range(8))]:
        for classes, size in SIZES.values():
            space = NatsSss()
            built = Costs(space, classes, (3, size, size))._count(arch)
            assert count_cost(to_widths(arch), classes, (3, size, size)) == built


def test_all_parameter_counts() -> None:
    counts = np.array([count_cost(to_widths(arch), 10, (3, 32, 32))[0] for arch in SPACE])
    assert len(counts) == 32_768
    assert (counts.min(), counts.max()) == (counts[0], counts[-1])
    assert counts[0] == 11_714


def test_a_net_runs_and_widths_are_where_they_belong() -> None:
    net = SPACE.build("8:16:24:32:40", 7)
    assert net(torch.randn(2, 3, 16, 16)).shape == (2, 7)
    blocks = [
        block(torch.randn(1, width, 8, 8)).shape[1]
        for block, width in zip(net.body, (8, 8, 16, 24, 32), strict=True)
    ]  # type: ignore[arg-type, union-attr, operator]
    assert blocks == [8, 16, 24, 32, 40]
    assert NatsSss("strided").build(SPACE[5], 3)(torch.randn(1, 3, 96, 96)).shape == (1, 3)
    assert SPACE.for_image_size(96).stem == "strided"


def test_moves() -> None:
    arch = "8:16:24:32:40"
    neighbors = SPACE.neighbors(arch)
    assert len(set(neighbors)) == 35
    assert all(
        sum(a != b for a, b in zip(other.split(":"), arch.split(":"), strict=True)) == 1
        for other in neighbors
    )
    assert SPACE.assemble(SPACE.decisions(arch)) == arch
    assert SPACE.choices() == (tuple(map(str, WIDTHS)),) * 5
    assert arch in SPACE
    assert "8:16:24:32" not in SPACE


@pytest.mark.parametrize(
    "arch", ["", "8:8:8:8", "8:8:8:8:9", "08:8:8:8:8", "8:8:8:8:8:8", "|none~0|", " 8:8:8:8:8"]
)
def test_what_is_no_arch(arch: str) -> None:
    assert arch not in SPACE
    for use in (SPACE.index, SPACE.neighbors, lambda given: SPACE.build(given, 10)):
        with pytest.raises(UsageError, match="five widths"):
            use(arch)
