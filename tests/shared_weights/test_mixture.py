"""Several operations on an edge: the batched engine equals a plain computation, net by net."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nas_ray.proxies import PROXIES
from nas_ray.shared_weights import BATCHED
from nas_ray.shared_weights.mixture import Mixture, mixture_of
from nas_ray.shared_weights.supernet import BATCH, INITIAL, SuperCell, Supernet
from nas_ray.spaces import NatsTss
from nas_ray.spaces.nats_tss import EDGES, OPS, to_ops
from tests.night import by_day
from tests.proxies.nets import batch, built

SPACE = NatsTss(channels=4, cells=2)
INPUTS = batch()
LOOSE = {"near": 1e-7}


def tables() -> list[np.ndarray]:
    """Returns weights `[edges, ops]`: all operations, one removed, one chosen, drawn ones, a dead node."""
    every = np.full((len(EDGES), len(OPS)), 0.2)
    removed, chosen, dead = every.copy(), every.copy(), every.copy()
    removed[2, 3] = 0
    chosen[4] = np.eye(len(OPS))[3]
    dead[[0]] = np.eye(len(OPS))[0]  # node 1 is zero, and ReLUs see it
    rng = np.random.default_rng(0)
    drawn = [rng.random(every.shape) * (rng.random(every.shape) < 0.6) for _ in range(3)]
    return [every, removed, chosen, dead, *drawn, np.zeros_like(every)]


MIXTURES = [Mixture.of(table) for table in tables()]


def supernet(statistics: str = BATCH) -> Supernet:
    net = built(lambda: Supernet(SPACE, 5, statistics))
    assert isinstance(net, Supernet)
    return net


def extracted(net: Supernet, mixture: Mixture) -> nn.Module:
    return net.extract(mixture).train(net.statistics == BATCH)


def by_hand(net: Supernet, table: np.ndarray, x: Tensor) -> Tensor:
    """Returns the outputs, operation after operation, without any of the engine."""

    def bn(maps: Tensor) -> Tensor:
        zeros, ones = maps.new_zeros(maps.shape[1]), maps.new_ones(maps.shape[1])
        return F.batch_norm(maps, zeros, ones, training=net.statistics == BATCH)

    def operation(cell: nn.Module, edge: int, op: str, maps: Tensor) -> Tensor:
        if op == "none":
            return torch.zeros_like(maps)
        if op == "skip_connect":
            return maps
        if op == "avg_pool_3x3":
            return F.avg_pool2d(maps, 3, 1, 1, count_include_pad=False)
        return bn(cell.get_submodule(f"edges.{edge}.{op}.1")(maps.relu()))

    x = bn(net.stem[0](x))
    for block in net.body:
        if isinstance(block, SuperCell):
            nodes = [x] + [torch.zeros_like(x)] * 3
            for (edge, (source, target)), (column, op) in itertools.product(enumerate(EDGES), enumerate(OPS)):
                out = operation(block, edge, op, nodes[source])
                nodes[target] = nodes[target] + table[edge, column] * out
            x = nodes[3]
        else:
            middle = bn(block.get_submodule("conv_a.1")(x.relu()))
            deep = bn(block.get_submodule("conv_b.1")(middle.relu()))
            x = deep + block.get_submodule("shortcut")(x)
    return net.classifier(bn(x).relu().mean((2, 3)))


@pytest.mark.parametrize("statistics", [BATCH, INITIAL])
def test_outputs_are_those_of_a_computation_by_hand(statistics: str) -> None:
    net = supernet(statistics)
    together = net(INPUTS[0], MIXTURES)
    for table, mixture, outputs in zip(tables(), MIXTURES, together, strict=True):
        expected = by_hand(net, table, INPUTS[0])
        for found in (outputs, net.view(mixture)(INPUTS[0]), extracted(net, mixture)(INPUTS[0])):
            torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)


DAILY = (
    "fisher",
    "grad_norm",
    "jacob_cov",
    "linear_regions",
    "naswot",
    "ntk",
    "snip",
    "synflow",
    "zen",
    "zico",
)


@pytest.mark.parametrize("name", by_day(sorted(BATCHED), DAILY, faster="test_equal_to_the_plain_proxy"))
def test_every_proxy_equals_the_plain_one_on_the_net_with_all_operations(name: str) -> None:
    net = supernet()
    mixtures = MIXTURES[:3] if name in {"grasp", "gradsign", "az_trainability", "near"} else MIXTURES
    inputs, targets = batch(6, size=16) if name == "gradsign" else INPUTS
    scores = BATCHED[name](net, mixtures, inputs, targets).tolist()
    plain = [float(PROXIES[name](net.extract(mixture), inputs, targets)) for mixture in mixtures]  # type: ignore[arg-type]
    rel, absolute = (1e-6, 1e-12) if name == "plain" else (LOOSE.get(name, 1e-9), 0)
    assert scores == pytest.approx(plain, rel=rel, abs=absolute, nan_ok=True)
    assert len(set(scores)) > 1


def test_archs_and_mixtures_go_together() -> None:
    net = supernet()
    arch = SPACE.sample(np.random.default_rng(3))
    for name in ("synflow", "logsynflow", "naswot", "params"):
        one, alone, _ = BATCHED[name](net, [arch, mixture_of(arch), MIXTURES[0]], *INPUTS)
        assert one.item() == pytest.approx(alone.item(), rel=1e-12)
        assert one.item() == pytest.approx(BATCHED[name](net, [arch], *INPUTS).item(), rel=1e-12)


def test_a_mixture_of_one_operation_is_the_arch() -> None:
    arch = SPACE.sample(np.random.default_rng(4))
    table = [[float(op == own) for op in OPS] for own in to_ops(arch)]
    assert Mixture.of(table) == mixture_of(arch)
    view, net = built(lambda: Supernet(SPACE, 5)).view(arch), SPACE.build(arch, 5)  # type: ignore[operator]
    assert (view.skip_spans, view.live_ops) == (net.skip_spans, net.live_ops)


def test_what_sees_the_same_is_scored_once() -> None:
    every = np.full((len(EDGES), len(OPS)), 0.2)
    without = every.copy()
    without[:, 0] = 0  # `none` adds nothing
    assert Mixture.of(every).seen(observed=True) == Mixture.of(without).seen(observed=True)
    halved = every.copy()
    halved[5, 1] = 0.1
    assert Mixture.of(every).seen() != Mixture.of(halved).seen()
