"""What archs have in common at their beginning is computed once, and changes nothing, to the last bit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from nas_ray.shared_weights import BATCHED, ONE_BY_ONE
from nas_ray.shared_weights.beginning import Beginning
from nas_ray.shared_weights.one_by_one import EVERY_RELU, alike_together, nets_of
from nas_ray.shared_weights.scorer import ChunkScorer
from nas_ray.shared_weights.supernet import Supernet
from nas_ray.spaces import NatsTss
from nas_ray.spaces.choice import choose_archs

SPACE = NatsTss(channels=4, cells=2)
ARCHS = alike_together(choose_archs(SPACE, 40, seed=0))
OBSERVING = [name for name, (way, _) in ONE_BY_ONE.items() if way is EVERY_RELU]


@pytest.fixture
def supernet() -> Supernet:
    torch.manual_seed(0)
    return Supernet(SPACE, 10)


def images() -> Tensor:
    drawn = torch.randn(6, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    return drawn.to(memory_format=torch.channels_last)


def outputs(nets: list[nn.Module], x: Tensor) -> list[Tensor]:
    """Returns every node that is observed, and the outputs, of each net."""
    seen: list[Tensor] = []
    with torch.no_grad():
        for net in nets:
            seen.append(net(x, lambda node, count: seen.append(node.clone())))
    return seen


@pytest.mark.parametrize("most", [1, 3, 20])
def test_every_node_is_the_same(most: int, supernet: Supernet) -> None:
    x, common = images(), Beginning(most)
    alone = [supernet.view(arch) for arch in ARCHS]
    together = [supernet.view(arch) for arch in ARCHS]
    for view in together:
        view.beginning = common
    for own, shared in zip(outputs(alone, x), outputs(together, x), strict=True):
        assert torch.equal(own, shared)


@pytest.mark.parametrize("name", OBSERVING)
def test_every_score_is_the_same(name: str, supernet: Supernet) -> None:
    x, targets = images(), torch.arange(6) % 10
    together = BATCHED[name](supernet, ARCHS, x, targets)
    alone = torch.cat([BATCHED[name](supernet, [arch], x, targets) for arch in ARCHS])
    assert torch.equal(together.nan_to_num(-1.0), alone.nan_to_num(-1.0))
    scorer = ChunkScorer(SPACE, 10, x.numpy(), targets.numpy(), [name], init_seed=3)
    chunk = scorer(ARCHS)[name]
    assert chunk.tolist() == pytest.approx([scorer([arch])[name][0] for arch in ARCHS], rel=0, nan_ok=True)


def counted(module: nn.Module) -> Callable[[], int]:
    calls: list[int] = []
    module.register_forward_hook(lambda *_: calls.append(1))
    return lambda: len(calls)


def test_the_first_cell_is_computed_once_and_no_other(supernet: Supernet) -> None:
    archs = [
        f"|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|{last}~0|skip_connect~1|skip_connect~2|"
        for last in ("nor_conv_3x3", "nor_conv_1x1", "skip_connect")
    ]
    first, second = (counted(supernet.body[cell].edges[0]["nor_conv_3x3"][1]) for cell in (0, 1))
    stem = counted(supernet.stem[0])
    outputs([*nets_of(EVERY_RELU, supernet, archs)], images())
    assert (stem(), first(), second()) == (1, 1, 3)


def test_what_is_kept_is_looked_at_once(supernet: Supernet) -> None:
    common, asked = Beginning(1), []

    def look(value: Tensor) -> int:
        asked.append(value)
        return len(asked)

    with torch.no_grad():
        kept = common.map("a", lambda: torch.ones(1))
        assert [common.once(kept, look), common.once(kept, look), common.once(torch.ones(1), look)] == [
            1,
            1,
            2,
        ]
        common.map("b", lambda: torch.ones(1))
        assert common.once(kept, look) == 3
    assert common.map("b", lambda: torch.zeros(1)).item() == 0  # nothing is kept for a backward pass
