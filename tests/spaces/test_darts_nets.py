"""The nets of DARTS: parameters by formula, skeletons, dropped paths and the second classifier."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from nas_ray.proxies import PROXIES
from nas_ray.proxies.flops import flops
from nas_ray.spaces import Darts, DartsCells
from nas_ray.spaces.darts_cells import CellPlan, Genotype
from nas_ray.spaces.darts_nets import AuxiliaryHead, Cell, DartsNet, path_factors, reductions
from nas_ray.spaces.darts_ops import OPERATIONS, FactorizedReduction, make_op
from nas_ray.spaces.darts_published import PUBLISHED


def op_params(op: str, c: int, stride: int) -> int:
    """Counted by hand: kernels without bias, and two weights a channel of each BN."""
    kind, _, size = op.rpartition("_")
    k = int(size.split("x")[0]) if kind.endswith(("conv", "sep", "dil")) else 0
    if op == "skip_connect":
        return 0 if stride == 1 else c * c + 2 * c
    if op == "conv_7x1_1x7":
        return 2 * 7 * c * c + 2 * c
    return {
        "sep_conv": 2 * (k * k * c + c * c + 2 * c),
        "dil_conv": k * k * c + c * c + 2 * c,
        "conv": k * k * c * c + 2 * c,
    }.get(kind, 0)


def params(genotype: Genotype, classes: int, c: int, cells: int, *, large: bool = False) -> int:
    stem = 27 * (c // 2) + 9 * (c // 2) * c + 9 * c * c + c + 4 * c if large else 27 * 3 * c + 6 * c
    total, two, one = stem, c if large else 3 * c, c if large else 3 * c
    for place in range(cells):
        reduction = place in (cells // 3, 2 * cells // 3)
        c *= 2 if reduction else 1
        plan = genotype.reduce if reduction else genotype.normal
        total += two * c + 2 * c + one * c + 2 * c  # a halving has as many as a 1x1 convolution
        for edges in plan.nodes:
            total += sum(op_params(op, c, 2 if reduction and source < 2 else 1) for source, op in edges)
        two, one = one, c * len(plan.output)
    return total + one * classes + classes


def counted(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def on_meta(genotype: Genotype, classes: int, channels: int, cells: int, stem: str = "small") -> DartsNet:
    with torch.device("meta"):
        return DartsNet(genotype, classes, channels, cells, stem)


MILLIONS = {"darts-v1": 3.2, "darts-v2": 3.3, "gdas": 3.4, "pc-darts": 3.6, "p-darts": 3.4, "drnas": 4.1,
            "amoebanet-a": 3.1, "pnas": 3.2}  # fmt: skip
"""Published for CIFAR-10: 36 channels and 20 cells, of PNAS 48 and 9. AmoebaNet-A was run by the authors of
DARTS in their skeleton. For `darts-v1` papers print 3.3, and its released cell has 3.17."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_are_those_of_the_formula(name: str) -> None:
    genotype = PUBLISHED[name]
    for channels, cells, stem in ((36, 20, "small"), (48, 14, "strided"), (6, 3, "small"), (4, 1, "small")):
        large = stem == "strided"
        classes = 1_000 if large else 10
        found = counted(on_meta(genotype, classes, channels, cells, stem))
        assert found == params(genotype, classes, channels, cells, large=large)


def test_parameters_are_the_published_ones() -> None:
    found = {name: counted(on_meta(PUBLISHED[name], 10, 36, 20)) for name in MILLIONS}
    assert found["darts-v2"] == 3_349_342
    found["pnas"] = counted(on_meta(PUBLISHED["pnas"], 10, 48, 9))
    for name, count in found.items():
        assert count == pytest.approx(MILLIONS[name] * 1e6, abs=0.05e6), name
    imagenet = {"darts-v2": 4.7, "p-darts": 4.9, "pc-darts-imagenet": 5.3}
    for name, millions in imagenet.items():
        count = counted(on_meta(PUBLISHED[name], 1_000, 48, 14, "strided"))
        assert count == pytest.approx(millions * 1e6, abs=0.05e6), name


def test_random_archs_have_the_parameters_of_the_formula() -> None:
    space, rng = Darts(channels=5, cells=4, ops="+".join(OPERATIONS)), np.random.default_rng(3)
    for _ in range(20):
        arch = space.sample(rng)
        assert counted(space.build(arch, 7)) == params(space.genotype(arch), 7, 5, 4)


@pytest.mark.parametrize(
    ("image", "channels", "cells"), [((3, 32, 32), 5, 4), ((3, 28, 28), 4, 2), ((3, 80, 80), 6, 3)]
)
def test_the_cost_of_an_arch_is_what_is_counted(
    image: tuple[int, int, int], channels: int, cells: int
) -> None:
    space = Darts(channels, cells, "+".join(OPERATIONS)).for_image_size(image[1])
    papers = DartsCells(channels, cells).for_image_size(image[1])
    rng = np.random.default_rng(5)
    for one, arch in [
        *((space, space.sample(rng)) for _ in range(4)),
        (papers, "nasnet-a"),
        (papers, "amoebanet-a"),
    ]:
        with torch.device("meta"):
            net, x = one.build(arch, 7), torch.empty(1, *image)
            counts = flops(net, x, torch.empty(1)), PROXIES["params"](net, x, torch.empty(1))
        assert one.cost(arch, 7, image) == (counts[1], counts[0])


def test_the_released_cell_has_the_published_multiply_adds() -> None:
    """528 million, and 519 for the one of GDAS."""
    space, image = DartsCells(36, 20), (3, 32, 32)
    assert round(space.cost("darts-v2", 10, image)[1] / 1e6) == 528
    assert round(space.cost("gdas", 10, image)[1] / 1e6) == 519


def test_reductions_are_at_a_third_and_two_thirds() -> None:
    assert [reductions(cells) for cells in (1, 2, 3, 8, 20)] == [(0,), (0, 1), (1, 2), (2, 5), (6, 13)]


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("op", OPERATIONS)
def test_operations_keep_the_width_and_divide_the_size(op: str, stride: int) -> None:
    made = make_op(op, 6, stride)
    assert counted(made) == op_params(op, 6, stride)
    for size in (8, 7):
        assert made(torch.randn(2, 6, size, size)).shape == (2, 6, -(-size // stride), -(-size // stride))


def test_what_normalises_can_be_chosen() -> None:
    norm = partial(nn.BatchNorm2d, affine=False, track_running_stats=False)
    for op in OPERATIONS:
        made = make_op(op, 4, 2, norm, norm_pools=True)
        norms = [module for module in made.modules() if isinstance(module, nn.BatchNorm2d)]
        assert all(not module.affine and not module.track_running_stats for module in norms)
        assert bool(norms) == (op not in ("none", "noise"))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in make_op("max_pool_3x3", 4).modules())


def test_a_halving_sees_every_pixel() -> None:
    halved = FactorizedReduction(1, 2)
    with torch.no_grad():
        halved.conv_a.weight.fill_(1.0)
        halved.conv_b.weight.fill_(1.0)
    halved.norm = nn.Identity()
    x = torch.arange(16.0).view(1, 1, 4, 4)
    assert halved(x)[0].tolist() == [[[0, 2], [8, 10]], [[5, 7], [13, 15]]]
    odd = halved(torch.arange(9.0).view(1, 1, 3, 3))[0]
    assert odd.tolist() == [[[0, 2], [6, 8]], [[4, 0], [0, 0]]]


def test_noise_has_nothing_of_its_input() -> None:
    noise = make_op("noise", 2, 2)
    x = torch.full((1, 2, 4, 4), 100.0, requires_grad=True)
    torch.manual_seed(0)
    first = noise(x)
    assert not first.requires_grad
    assert first.abs().max() < 10
    assert not torch.equal(noise(x), first)


def test_nodes_add_two_edges_and_the_output_is_chosen_ones() -> None:
    plan = CellPlan.of(
        [("skip_connect", 0), ("skip_connect", 1), ("skip_connect", 0), ("skip_connect", 2)], (3, 1)
    )
    cell = Cell(plan, 3, 3, 3, reduction=False, after_reduction=False)
    cell.inputs = nn.ModuleList([nn.Identity(), nn.Identity()])
    two, one = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    assert torch.allclose(cell(two, one), torch.cat([2 * two + one, one], 1))


@pytest.mark.parametrize(
    ("size", "stem"), [(8, "small"), (28, "small"), (32, "small"), (64, "small"), (80, "strided")]
)
def test_nets_and_second_classifiers_take_images_of_any_size(size: int, stem: str) -> None:
    net = DartsNet(PUBLISHED["amoebanet-a"], 5, 2, 3, stem)
    head = net.auxiliary_head()
    outputs, others = net.with_auxiliary(torch.randn(2, 3, size, size), head)
    assert outputs.shape == others.shape == (2, 5)


def test_the_large_net_halves_five_times() -> None:
    net = DartsNet(PUBLISHED["darts-v2"], 10, 4, 14, "strided").eval()
    sizes: list[int] = []
    for cell in net.cells:
        cell.register_forward_hook(lambda _, __, out: sizes.append(out.shape[-1]))
    with torch.no_grad():
        net(torch.randn(1, 3, 224, 224))
    assert sizes == [28] * 4 + [14] * 5 + [7] * 5


@pytest.mark.parametrize("size", [8, 7])
def test_the_second_classifier_pools_as_released(size: int) -> None:
    head, x = AuxiliaryHead(4, 3).eval(), torch.randn(2, 4, size, size)
    pool = nn.AvgPool2d(5, stride=3 if size == 8 else 2, count_include_pad=False)
    assert torch.allclose(head(x), head.classifier(head.features(pool(x.relu()))))
    assert counted(AuxiliaryHead(4, 3)) == 4 * 128 + 2 * 128 + 128 * 768 * 4 + 2 * 768 + 768 * 3 + 3


def test_factors_keep_the_mean() -> None:
    torch.manual_seed(0)
    factors = path_factors(100, 200, 0.2, torch.device("cpu"))
    assert set(factors.unique().tolist()) == {0.0, 1.25}
    assert factors.mean() == pytest.approx(1.0, abs=0.02)


def test_paths_but_shortcuts_are_dropped_by_example_in_training_alone() -> None:
    plan = CellPlan.of([("skip_connect", 0), ("max_pool_3x3", 1)])
    cell = Cell(plan, 2, 2, 2, reduction=False, after_reduction=False)
    two, one = torch.randn(3, 2, 4, 4), torch.randn(3, 2, 4, 4)
    whole = cell(two, one)
    factors = torch.tensor([[0.0, 0.0, 0.0], [0.0, 1.25, 1.0]])
    shortcut, pooled = cell.inputs[0](two), cell.edges[1](cell.inputs[1](one))
    found = cell(two, one, factors)
    assert torch.allclose(found, shortcut + pooled * factors[1].view(3, 1, 1, 1))
    assert torch.allclose(found[2], whole[2])
    net = DartsCells(4, 3).build("darts-v2", 3)
    x = torch.randn(2, 3, 16, 16)
    plain = net(x)
    net.drop_path = 0.5
    dropped = [net(x) for _ in range(2)]
    assert not torch.allclose(dropped[0], plain)
    assert not torch.allclose(*dropped)
    net.eval()
    assert torch.equal(net(x), net(x))
