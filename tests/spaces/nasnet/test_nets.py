"""The nets of NASNet and PNAS: cells by hand, skeletons, dropped paths, second classifiers, random archs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from nas_ray.spaces import Nasnet, NasnetCells, Pnas
from nas_ray.spaces.darts_cells import CellPlan, Genotype
from nas_ray.spaces.darts_ops import FactorizedReduction
from nas_ray.spaces.nasnet.layout import Place, Stack
from nas_ray.spaces.nasnet.nets import BlockCell, BlockNet
from nas_ray.spaces.nasnet.ops import make_op
from nas_ray.spaces.nasnet.sets import NASNET_OPS
from nas_ray.training.second_classifier import AuxiliaryNet, PathsNet
from tests.spaces.conftest import Fault


@pytest.mark.parametrize("name", NASNET_OPS)
def test_operations_divide_the_size_and_change_the_width(name: str) -> None:
    for stride, width, size in itertools.product((1, 2), (8, 3, 16), (8, 7)):
        made = make_op(name, width, 8, stride)
        assert made(torch.randn(2, width, size, size)).shape == (2, 8, -(-size // stride), -(-size // stride))
    with pytest.raises(KeyError):
        make_op("none", 4, 4)


def test_operations_have_the_convolutions_of_the_release() -> None:
    """Kernels, and channels of what stands between two 1x1 convolutions: a quarter, or three eighths."""

    def kernels(name: str, channels: int) -> list[tuple[int, int, tuple[int, ...]]]:
        convs = [m for m in make_op(name, channels, channels, 2).modules() if isinstance(m, nn.Conv2d)]
        return [(conv.in_channels // conv.groups, conv.out_channels, conv.kernel_size) for conv in convs]

    assert kernels("conv_7x1_1x7", 16) == [(16, 4, (1, 1)), (4, 4, (1, 7)), (4, 4, (7, 1)), (4, 16, (1, 1))]
    assert kernels("conv_3x1_1x3", 16) == [(16, 6, (1, 1)), (6, 6, (1, 3)), (6, 6, (3, 1)), (6, 16, (1, 1))]
    assert kernels("conv_3x3", 3) == [(3, 3, (3, 3))]  # no channel would be left between
    assert kernels("sep_conv_5x5", 4) == [(1, 4, (5, 5)), (4, 4, (1, 1))] * 2
    assert kernels("skip_connect", 4) == kernels("conv_1x1", 4) == [(4, 4, (1, 1))]
    dilated = [m for m in make_op("dil_conv_3x3", 8, 8).modules() if isinstance(m, nn.Conv2d)]
    assert [conv.dilation for conv in dilated] == [(1, 1), (2, 2), (1, 1)]


def test_no_norm_stands_between_depthwise_and_pointwise() -> None:
    made = [type(m).__name__ for m in make_op("sep_conv_3x3", 4, 4).modules() if not list(m.children())]
    assert made == ["ReLU", "Conv2d", "Conv2d", "BatchNorm2d"] * 2


def place(text: list[tuple[str, int]], output: tuple[int, ...], joined: tuple[int, ...] = ()) -> Place:
    plan = CellPlan(CellPlan.of(text).nodes, output, joined)
    return Place(plan, channels=3, reduction=False, widths=(3, 3), halved=False, first=False)


def test_blocks_add_or_concatenate_and_the_output_is_chosen_states() -> None:
    """By hand: state 2 is two + one, state 3 is one beside state 2, and the output 3, then 0."""
    cell = BlockCell(
        place(
            [("skip_connect", 0), ("skip_connect", 1), ("skip_connect", 1), ("skip_connect", 2)],
            output=(3, 0),
            joined=(3,),
        )
    )
    assert isinstance(cell.inputs[0], nn.Identity)
    cell.inputs[1] = nn.Identity()
    two, one = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    assert torch.allclose(cell(two, one), torch.cat([one, two + one, two], 1))


def test_a_concatenated_state_is_read_whole() -> None:
    where = place(
        [("skip_connect", 0), ("skip_connect", 1), ("skip_connect", 2), ("max_pool_3x3", 2)],
        output=(3,),
        joined=(2,),
    )
    assert where.states == (3, 3, 6, 3)
    assert where.width == 3
    cell = BlockCell(where)
    convolutions = [m for m in cell.edges[2:].modules() if isinstance(m, nn.Conv2d)]
    assert [(conv.in_channels, conv.out_channels) for conv in convolutions] == [(6, 3), (6, 3)]


def test_inputs_in_the_output_are_halved_without_relu_where_the_cell_halves() -> None:
    plan = CellPlan.of([("max_pool_3x3", 1), ("max_pool_3x3", 1)], (0, 2))
    where = Place(plan, channels=4, reduction=True, widths=(6, 8), halved=False, first=False)
    cell = BlockCell(where)
    halving = cell.matched["0"]
    assert isinstance(halving, FactorizedReduction)
    assert isinstance(halving.act, nn.Identity)
    assert cell(torch.randn(2, 6, 8, 8), torch.randn(2, 8, 8, 8)).shape == (2, 8, 4, 4)


def sizes_and_widths(net: BlockNet, size: int) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []
    for cell in net.cells:
        cell.register_forward_hook(lambda _, __, out: seen.append((out.shape[1], out.shape[-1])))
    with torch.no_grad():
        net.eval()(torch.randn(1, 3, size, size))
    return seen


def test_stages_repeat_n_cells_with_reductions_on_top_or_among_them() -> None:
    assert sizes_and_widths(NasnetCells(2, 2).build("nasnet-a", 3), 32) == [
        *[(12, 32)] * 2, (16, 16), *[(24, 16)] * 2, (32, 8), *[(48, 8)] * 2
    ]  # fmt: skip
    assert sizes_and_widths(NasnetCells(2, 2).build("pnasnet-5", 3), 32) == [
        *[(10, 32)] * 2, *[(20, 16)] * 2, *[(40, 8)] * 2
    ]  # fmt: skip


def test_the_large_net_halves_in_its_stem_and_two_cells_more() -> None:
    net = NasnetCells(8, 1, "strided").build("nasnet-a", 3)
    assert net.stem[0].stride == (2, 2)
    assert sizes_and_widths(net, 224) == [(8, 56), (16, 28), (48, 28), (64, 14), (96, 14), (128, 7), (192, 7)]


@pytest.mark.parametrize(("size", "stem"), [(8, "small"), (28, "small"), (80, "strided")])
def test_nets_and_second_classifiers_take_images_of_any_size(size: int, stem: str) -> None:
    net = Pnas(3, 1, stem=stem).build("|sep_conv_3x3~0|max_pool_3x3~1|", 5)
    assert isinstance(net, AuxiliaryNet)
    assert isinstance(net, PathsNet)
    outputs, others = net.with_auxiliary(torch.randn(2, 3, size, size), net.auxiliary_head())
    assert outputs.shape == others.shape == (2, 5)


def test_the_second_classifier_stands_before_the_second_reduction() -> None:
    one, two = (
        Pnas(2, 1).stack("|skip_connect~0|skip_connect~1|"),
        NasnetCells(2, 2, "strided").stack("nasnet-a"),
    )
    assert one.auxiliary_place == 1
    assert [p.reduction for p in one.places()] == [False, True, True]
    assert two.auxiliary_place == 2 + 2 + 3 - 1
    assert two.places()[two.auxiliary_place + 1].reduction


def test_later_cells_lose_more_paths_but_no_identities(monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[float] = []

    def factors(paths: int, examples: int, rate: float, device: torch.device) -> torch.Tensor:
        rates.append(rate)
        return torch.zeros(paths, examples)

    monkeypatch.setattr("nas_ray.spaces.nasnet.nets.path_factors", factors)
    plan = CellPlan.of([("skip_connect", 0), ("max_pool_3x3", 1)])
    net = BlockNet(Stack(Genotype(plan, plan), 2, 1, True, "small", 6), 3, drop_path=0.6)
    x = torch.randn(2, 3, 8, 8)
    net(x)
    assert rates == pytest.approx([0.2, 0.4, 0.6])
    cell = net.cells[1]
    two, one = torch.randn(2, 6, 8, 8), torch.randn(2, 2, 8, 8)
    dropped = cell(two, one, torch.zeros(2, 2))
    assert torch.allclose(dropped, cell.edges[0](cell.inputs[0](two)), atol=1e-6)
    rates.clear()
    net.eval()(x)
    net.train().drop_path = 0.0
    net(x)
    assert not rates


def test_weights_of_an_input_that_no_block_reads_need_no_gradient(fault: Fault) -> None:
    space, arch = Pnas(channels=4, cells=1), "|sep_conv_3x3~0|skip_connect~0|"
    assert any(weight.grad is None for weight in backward(space.build(arch, 10)).parameters())
    assert fault(space, arch, 32) is None
    both = "|sep_conv_3x3~0|skip_connect~1|"
    assert fault(WithLost(channels=4, cells=1), both, 32) == "no finite gradient of lost"


def backward(net: nn.Module) -> nn.Module:
    net(torch.randn(2, 3, 32, 32)).sum().backward()
    return net


class WithLost(Pnas):
    """Its nets have a weight that is not used."""

    def build(self, arch: str, num_classes: int) -> nn.Module:
        net = super().build(arch, num_classes)
        net.lost = nn.Parameter(torch.zeros(1))
        return net


def archs(space: Nasnet | Pnas, count: int) -> list[str]:
    rng = np.random.default_rng(7)
    return [space.sample(rng) for _ in range(count)]


KINDS = [Nasnet, Pnas]


@pytest.mark.parametrize("kind", KINDS)
def test_random_archs_run_forward_and_backward(kind: type[Nasnet | Pnas], fault: Fault) -> None:
    for blocks, count in ((5, 3), (2, 3)):
        space = kind(channels=4, cells=1, blocks=blocks)
        for arch in archs(space, count):
            assert fault(space, arch, 32) is None


@pytest.mark.slow(faster="test_random_archs_run_forward_and_backward")
@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_random_archs_run_forward_and_backward(kind: type[Nasnet | Pnas], fault: Fault) -> None:
    for blocks in range(1, 6):
        space = kind(channels=4, cells=1, blocks=blocks)
        for arch in archs(space, 6_000 if blocks == 5 else 1_000):
            assert fault(space, arch, 32) is None
