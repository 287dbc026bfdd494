from __future__ import annotations

import itertools

import pytest
from torch import nn

from nas_ray.proxies import live_ops
from nas_ray.spaces.nats_tss import EDGES, OPS, to_arch, to_ops
from tests.proxies.nets import DEAD_END, DEAD_INPUT, DISCONNECTED, HEALTHY, SPACE, batch, tss


@pytest.mark.parametrize(
    ("arch", "score"),
    [
        (HEALTHY, 4 - 1),
        (DEAD_INPUT, 2),  # 1 -> 2 and 1 -> 3 read a node of zeros
        (DEAD_END, 0),  # both convolutions lead to or come from a dead node
        (DISCONNECTED, 0),
        ("|avg_pool_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_1x1~2|", 1 - 2),
        (to_arch(("avg_pool_3x3",) * 6), -6),
        (to_arch(("skip_connect",) * 6), 0),
    ],
)
def test_by_hand(arch: str, score: int) -> None:
    found = live_ops(tss(arch), *batch())
    assert type(found) is float
    assert found == score


def on_paths(ops: tuple[str, ...]) -> list[str]:
    """Returns the operations of all edges on a path from the first node to the last, by all paths."""
    edges = {edge: op for edge, op in zip(EDGES, ops, strict=True) if op != "none"}
    live: set[tuple[int, int]] = set()
    for count in range(3):
        for between in itertools.combinations((1, 2), count):
            path = list(itertools.pairwise((0, *between, 3)))
            if all(step in edges for step in path):
                live.update(path)
    return [op for edge, op in edges.items() if edge in live]


def test_against_all_paths() -> None:
    """The operations that the net tells, and so every count, of archs from all over the space."""
    for arch in SPACE.archs[::37]:
        ops = on_paths(to_ops(arch))
        net = SPACE.build(arch, 2)
        assert net.live_ops == tuple(ops)
        counts = {op: ops.count(op) for op in OPS}
        convolutions = counts["nor_conv_1x1"] + counts["nor_conv_3x3"]
        assert live_ops(net, *batch()) == convolutions - counts["avg_pool_3x3"]


def test_a_net_of_another_kind() -> None:
    said = (
        "^live_ops: needs a net with the attribute live_ops, which nats-tss gives to its nets, got Linear.$"
    )
    with pytest.raises(ValueError, match=said):
        live_ops(nn.Linear(3, 3), *batch())
