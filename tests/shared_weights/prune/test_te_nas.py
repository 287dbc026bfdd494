from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from nas_ray.errors import UsageError
from nas_ray.proxies.ntk import tangent_kernel
from nas_ray.shared_weights.mixture import Mixture
from nas_ray.shared_weights.prune.named import PRUNINGS, parse_pruning
from nas_ray.shared_weights.prune.ranks import ranks
from nas_ray.shared_weights.prune.regions import Crops, count_regions, thin_net
from nas_ray.shared_weights.prune.te_nas import (
    Measure,
    TeNas,
    condition,
    equal_weights,
    least_missed,
    lowered,
    redraw,
    without,
)
from nas_ray.shared_weights.prune.trail import Minibatches, new_supernet
from nas_ray.shared_weights.prune.zero_cost_pt import ZeroCostPt
from nas_ray.shared_weights.supernet import BATCH, Supernet
from nas_ray.spaces import NatsTss
from nas_ray.spaces.nats_sss import NatsSss
from nas_ray.spaces.nats_tss import EDGES, OPS, to_ops
from tests.proxies.nets import batch

SPACE = NatsTss(channels=4, cells=1)
IMAGES, LABELS = batch(12)  # float64
SMALL = TeNas(batch_size=4, repeats=2, crops=60, together=5)


def by_hand(net: Supernet, mixture: Mixture, crops: torch.Tensor) -> int:
    """Returns the number of different ReLU patterns of a thin net, operation after operation."""
    signs = []

    def bn(x: torch.Tensor) -> torch.Tensor:
        return F.batch_norm(x, None, None, training=True)

    cell = net.body[0]
    nodes = [crops] + [torch.zeros_like(crops)] * 3
    for (source, target), ops, weights in zip(EDGES, mixture.ops, mixture.weights, strict=True):
        edge = EDGES.index((source, target))
        for op, weight in zip(ops, weights, strict=True):
            x = nodes[source]
            if op.startswith("nor_conv"):
                signs.append((x > 0).flatten(1))
                x = bn(cell.get_submodule(f"edges.{edge}.{op}.1")(x.relu()))
            elif op == "avg_pool_3x3":
                x = F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
            nodes[target] = nodes[target] + weight * x
    signs.append((bn(nodes[3]) > 0).flatten(1))
    return len({tuple(row) for row in torch.cat(signs, 1).tolist()})


def test_regions_are_counted_as_by_hand() -> None:
    net = thin_net(5, IMAGES)
    there = np.ones((len(EDGES), len(OPS)), dtype=bool)
    there[:, 0] = False
    mixtures = [equal_weights(there), equal_weights(without(there, (3, 2)))]
    fewer = there.copy()
    fewer[:, [2, 3]] = False
    fewer[5, 3] = True
    mixtures.append(equal_weights(fewer))
    crops = Crops(IMAGES, 80, np.random.default_rng(0)).draw()
    counts = count_regions(net, mixtures, crops)
    assert counts == [by_hand(net, mixture, crops) for mixture in mixtures]
    assert 1 < counts[2] <= 80


def test_crops_are_parts_of_the_images() -> None:
    images = torch.arange(2 * 3 * 5 * 6.0).view(2, 3, 5, 6)
    crops = Crops(images, 1_500, np.random.default_rng(1)).draw()
    assert crops.shape == (1_500, 1, 3, 3)
    windows = images.unfold(2, 3, 1).unfold(3, 3, 1).reshape(-1, 9)
    assert {tuple(crop.flatten().tolist()) for crop in crops} == set(map(tuple, windows.tolist()))


def test_changes_are_those_of_plain_nets_one_by_one() -> None:
    there = np.ones((len(EDGES), len(OPS)), dtype=bool)
    there[:, 0] = False
    there[4, 1:] = [False, False, True, False]
    places = [(0, 1), (0, 3), (2, 2), (5, 4)]
    own = Measure(
        SMALL,
        new_supernet(SPACE, 5, 0, IMAGES, channels=3, cells=1, statistics=BATCH, name="here"),
        thin_net(5, IMAGES),
        IMAGES,
        LABELS,
        np.random.default_rng(7),
        torch.Generator().manual_seed(7),
    )
    found = own.changes(there, places)
    draws, rng = torch.Generator().manual_seed(7), np.random.default_rng(7)
    mixtures = [equal_weights(there), *(equal_weights(without(there, place)) for place in places)]
    ntk, regions = [], []
    for _ in range(SMALL.repeats):
        redraw(own.supernet, "fan_out", draws)
        images, _ = Minibatches(IMAGES, LABELS, 4, rng).draw()
        values = [
            np.linalg.eigvalsh(tangent_kernel(own.supernet.extract(mixture), images)) for mixture in mixtures
        ]
        kappa = [value[-1] / value[0] for value in values]
        ntk.append([round((kappa[0] - now) / kappa[0], 3) for now in kappa[1:]])
        redraw(own.thin, "fan_in", draws)
        crops = Crops(IMAGES, 60, rng).draw()
        counts = [by_hand(own.thin, mixture, crops) for mixture in mixtures]
        regions.append([round((counts[0] - now) / counts[0], 3) for now in counts[1:]])
    assert found["ntk"] == pytest.approx(np.mean(ntk, axis=0).tolist(), abs=1e-9)
    assert found["regions"] == pytest.approx(np.mean(regions, axis=0).tolist(), abs=1e-12)


def test_ranks_with_ties_as_released() -> None:
    # sorted downwards by three digits: .5, .1002 = .1003 (in their order, but not equal), .1, .1
    assert ranks([0.1, 0.1002, 0.5, 0.1003, 0.1], largest_first=True) == [1, 2, 0, 3, 4]
    assert ranks([0.2, 0.2, -0.1, 0.3], largest_first=False) == [1, 1, 0, 2]
    assert ranks([-math.inf, 0.0, 0.1], largest_first=True) == [2, 1, 0]
    assert ranks([], largest_first=True) == []


def test_of_each_edge_the_least_missed_goes_and_of_equal_ones_the_first() -> None:
    places = [(0, 1), (0, 2), (1, 3), (1, 4), (1, 1)]
    assert least_missed(places, [5, 4, 3, 3, 9]) == [(0, 2), (1, 3)]


def test_a_singular_kernel_is_the_worst() -> None:
    assert condition(np.ones((3, 3))) == math.inf
    assert condition(np.diag([1.0, 4.0])) == 4
    assert lowered(4.0, math.inf) == -math.inf
    assert lowered(math.inf, 4.0) == 1
    assert lowered(math.inf, math.inf) == 0
    assert lowered(4.0, 3.0) == 0.25


def test_weights_are_drawn_with_the_published_deviation() -> None:
    net = new_supernet(NatsTss(), 1_000, 0, torch.zeros(1), channels=24, cells=1, statistics=BATCH, name="x")
    for mode, fan in (("fan_out", 9 * 96), ("fan_in", 9 * 48)):
        redraw(net, mode, torch.Generator().manual_seed(0))
        weight = net.body[3].get_submodule("conv_a.1").weight  # 48 to 96 channels
        assert float(weight.std()) == pytest.approx(math.sqrt(2 / fan), rel=0.02)
    assert net.classifier.bias.abs().sum() == 0


def test_every_round_prunes_one_operation_of_each_edge() -> None:
    found = SMALL(SPACE, 5, IMAGES, LABELS, seed=1)
    assert len(found.trail) == len(EDGES) * (4 + 3 + 2)
    for step in range(3):
        own = [one for one in found.trail if one.step == step]
        gone = [one for one in own if not one.stays]
        assert [one.edge for one in gone] == [*range(len(EDGES))]
        for one in gone:
            sums = [other.values["ranks"] for other in own if other.edge == one.edge]
            assert one.values["ranks"] == min(sums)
    left = [
        [one.op for one in found.trail if one.step == 2 and one.edge == e and one.stays] for e in range(6)
    ]
    assert to_ops(found.arch) == tuple(op for (op,) in left)
    assert "none" not in to_ops(found.arch)
    assert SMALL(SPACE, 5, IMAGES, LABELS, seed=1) == found


def test_they_are_known_by_name() -> None:
    assert parse_pruning("zero-cost-pt") == ZeroCostPt()
    assert parse_pruning("zero-cost-pt, proxy=synflow,proposals=2") == ZeroCostPt("synflow", proposals=2)
    assert parse_pruning("te-nas,repeats=1") == TeNas(repeats=1)
    assert set(PRUNINGS) == {"zero-cost-pt", "te-nas"}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: parse_pruning("tenas"), "Unknown search by pruning 'tenas'. Did you mean 'te-nas'?"),
        (lambda: parse_pruning("te-nas,repeat=1"), "Unknown option of te-nas 'repeat'."),
        (lambda: parse_pruning("te-nas,repeats"), "A change of te-nas must read NAME=VALUE, got 'repeats'."),
        (
            lambda: parse_pruning("te-nas,repeats=1,repeats=2"),
            "Each option of te-nas must be given once, got repeats twice.",
        ),
        (
            lambda: parse_pruning("te-nas,repeats=1.5"),
            "repeats of te-nas must be a whole number, got '1.5'.",
        ),
        (lambda: TeNas(batch_size=1), "batch_size of te-nas must be at least 2, but 1 was given."),
        (
            lambda: TeNas()(NatsSss(), 5, IMAGES, LABELS),
            "The method te-nas needs the space nats-tss, got nats-sss; choose another method.",
        ),
    ],
)
def test_bad_input_is_one_sentence(call, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UsageError) as caught:
        call()
    assert str(caught.value).startswith(message)
