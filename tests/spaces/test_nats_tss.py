from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from nas_ray.errors import UsageError
from nas_ray.proxies import flops, params
from nas_ray.spaces import CellSpace, FiniteSpace, NatsTss
from nas_ray.spaces.nats_tss import EDGES, OPS, to_arch, to_ops

SPACE = NatsTss()
BASE_PARAMS = {10: 73306, 100: 79156, 120: 80456}
BASE_FLOPS = {(10, 32): 7783050, (100, 32): 7788900, (120, 16): 1953400}


def test_size_and_order_as_published() -> None:
    assert len(SPACE) == 15_625 == len(set(SPACE))
    assert isinstance(SPACE, FiniteSpace)
    # Named in the release of NAS-Bench-201.
    assert (
        SPACE[0]
        == "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
    )
    assert SPACE[9] == "|avg_pool_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
    assert SPACE.index(SPACE[6111]) == 6111


@pytest.mark.data
def test_order_equals_the_real_table(data_dir: Path) -> None:
    with gzip.open(data_dir / "nats_tss.csv.gz") as file:
        table = pd.read_csv(file, usecols=["arch"])
    assert list(table["arch"]) == list(SPACE)


def test_strings_and_operations_are_inverse() -> None:
    for arch in SPACE.archs[::97]:
        assert to_arch(to_ops(arch)) == arch
    ops = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3", "none")
    assert to_arch(ops) == "|none~0|+|skip_connect~0|nor_conv_1x1~1|+|nor_conv_3x3~0|avg_pool_3x3~1|none~2|"
    assert EDGES == ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))


@pytest.mark.parametrize(
    "arch",
    ["", "nonsense", "|none~0|+|none~0|none~1|+|none~0|none~1|conv~2|",
    "|none~0|none~0|none~1|none~0|none~1|none~2|",
     "|none~0|+|none~0|none~0|+|none~0|none~1|none~2|"],
)  # fmt: skip
def test_wrong_strings(arch: str) -> None:
    with pytest.raises(UsageError) as caught:
        to_ops(arch)
    assert str(caught.value) == (
        "An arch of nats-tss reads |op~0|+|op~0|op~1|+|op~0|op~1|op~2| with op in none, skip_connect, "
        f"nor_conv_1x1, nor_conv_3x3, avg_pool_3x3; got {arch!r}."
    )
    assert arch not in SPACE


def test_wrong_skeleton() -> None:
    with pytest.raises(UsageError, match="channels and cells must be at least 1, got channels=0 and cells=5"):
        NatsTss(channels=0)


def build_meta(arch: str, num_classes: int) -> nn.Module:
    with torch.device("meta"):
        return SPACE.build(arch, num_classes)


@pytest.mark.parametrize("num_classes", [10, 100, 120])
def test_parameters_of_every_operation_on_every_edge(num_classes: int) -> None:
    """Parameters are a sum over edges, so these 30 determine all 15,625; 40 random archs confirm the sum."""
    archs = [to_arch(("none",) * edge + (op,) + ("none",) * (5 - edge)) for edge in range(6) for op in OPS]
    rng = np.random.default_rng(0)
    for arch in archs + [SPACE.sample(rng) for _ in range(40)]:
        expected = (
            BASE_PARAMS[num_classes]
            + 28_000 * arch.count("nor_conv_1x1")
            + 243_040 * arch.count("nor_conv_3x3")
        )
        assert params(build_meta(arch, num_classes), torch.empty(0), torch.empty(0)) == expected, arch


@pytest.mark.parametrize(("num_classes", "size"), [(10, 32), (100, 32), (120, 16)])
def test_multiply_adds_of_every_operation(num_classes: int, size: int) -> None:
    rng = np.random.default_rng(1)
    archs = [to_arch((op,) * 6) for op in OPS] + [SPACE.sample(rng) for _ in range(5)]
    shrink = (32 // size) ** 2
    for arch in archs:
        expected = (
            BASE_FLOPS[num_classes, size]
            + 3_932_160 // shrink * arch.count("nor_conv_1x1")
            + 35_389_440 // shrink * arch.count("nor_conv_3x3")
        )
        inputs = torch.empty(1, 3, size, size, device="meta")
        assert flops(build_meta(arch, num_classes), inputs, torch.empty(0)) == expected, arch


@pytest.mark.parametrize("size", [16, 32])
def test_forward_shape(size: int) -> None:
    rng = np.random.default_rng(2)
    for _ in range(3):
        net = NatsTss(channels=4, cells=1).build(SPACE.sample(rng), 7)
        assert net(torch.randn(2, 3, size, size)).shape == (2, 7)


def test_cell_computes_the_sum_over_edges() -> None:
    """Skips and pools by hand: node 3 = pool(x) + node 1 + node 2, node 1 = x, node 2 = pool(node 1)."""
    arch = "|skip_connect~0|+|none~0|avg_pool_3x3~1|+|avg_pool_3x3~0|skip_connect~1|skip_connect~2|"
    net = NatsTss(channels=3, cells=1).build(arch, 5)
    x = torch.randn(2, 3, 8, 8)
    ones = torch.nn.functional.avg_pool2d(torch.ones_like(x), 3, 1, 1)
    pooled = torch.nn.functional.avg_pool2d(x, 3, 1, 1) / ones  # padding is not counted
    torch.testing.assert_close(net.body[0](x), pooled + x + pooled)  # type: ignore[index]


def test_equal_seeds_build_equal_nets() -> None:
    nets = []
    for _ in range(2):
        torch.manual_seed(5)
        nets.append(NatsTss(channels=4, cells=1).build(SPACE[6111], 10))
    for one, two in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        assert torch.equal(one, two)


def test_no_block_is_mistaken_for_a_relu() -> None:
    """The reference code of NASWOT selects modules by the text ReLU in their class name."""
    net = SPACE.build(SPACE[6111], 10)
    assert {type(m) for m in net.modules() if "ReLU" in str(type(m))} == {nn.ReLU}


def test_decisions_are_operations_by_edge_and_groups_are_nodes() -> None:
    space = NatsTss()
    assert isinstance(space, CellSpace)
    assert space.choices() == (OPS,) * 6
    assert space.groups() == ((0,), (1, 2), (3, 4, 5))  # edges 0-1; 0-2 1-2; 0-3 1-3 2-3
    assert space.decisions(SPACE[0]) == (
        "avg_pool_3x3", "nor_conv_1x1", "skip_connect", "nor_conv_1x1", "skip_connect", "skip_connect"
    )  # fmt: skip


@pytest.mark.parametrize("decisions", [["none"] * 5, ["none"] * 5 + ["conv"]])
def test_decisions_that_make_no_arch(decisions: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        NatsTss().assemble(decisions)
    assert str(caught.value) == (
        "An arch of nats-tss is made of 6 operations of none, skip_connect, nor_conv_1x1, nor_conv_3x3, "
        f"avg_pool_3x3; got {', '.join(decisions)}."
    )
