from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from nas_ray.proxies import clear_paths
from nas_ray.shared_weights import BATCHED
from nas_ray.shared_weights.mixture import Mixture
from nas_ray.shared_weights.supernet import Supernet
from nas_ray.spaces.canonical import canonical_form
from nas_ray.spaces.nats_tss import EDGES, OPS, to_arch, to_ops
from nas_ray.spaces.plans import plan_cell
from tests.proxies.nets import DEAD_END, DEAD_INPUT, DISCONNECTED, SPACE, batch, tss


@pytest.mark.parametrize(
    ("arch", "score"),
    [
        (DISCONNECTED, 0),
        (to_arch(("avg_pool_3x3",) * 6), 0),
        (to_arch(("skip_connect",) * 6), 4),
        (
            to_arch(("nor_conv_3x3", "avg_pool_3x3", "nor_conv_1x1", "none", "skip_connect", "nor_conv_3x3")),
            2,
        ),
    ],
)
def test_by_hand(arch: str, score: int) -> None:
    found = clear_paths(tss(arch), *batch())
    assert type(found) is float
    assert found == score


def by_matrices(ops: tuple[str, ...]) -> int:
    """Returns the number of ways from node 0 to node 3 on clear edges, by powers of the adjacency."""
    step = np.zeros((4, 4), dtype=int)
    for (source, target), op in zip(EDGES, ops, strict=True):
        step[source, target] = op not in ("none", "avg_pool_3x3")
    return int(sum(np.linalg.matrix_power(step, length)[0, 3] for length in (1, 2, 3)))


def test_all_archs_against_powers_of_the_adjacency() -> None:
    """And archs of one function have one score, so that one may stand for all."""
    of_form: dict[str, set[int]] = {}
    for arch in SPACE:
        ops = to_ops(arch)
        found = sum("avg_pool_3x3" not in path for path in plan_cell(ops).paths)
        assert found == by_matrices(ops), arch
        of_form.setdefault(canonical_form(arch), set()).add(found)
    assert {len(scores) for scores in of_form.values()} == {1}


@pytest.mark.parametrize("arch", [DEAD_END, DEAD_INPUT])
def test_the_net_and_its_view_say_the_same(arch: str) -> None:
    supernet = Supernet(SPACE, 10)
    score = by_matrices(to_ops(arch))
    assert clear_paths(supernet.extract(arch), *batch()) == score
    assert BATCHED["clear_paths"](supernet, [arch], *batch()).tolist() == [score]


def test_a_mixture_has_a_path_for_each_operation_that_is_there() -> None:
    mixture = Mixture.of(torch.ones(len(EDGES), len(OPS)).tolist())
    clear = len(OPS) - 2  # neither `none` nor pooling
    expected = sum(clear ** (count + 1) for count in range(3) for _ in itertools.combinations((1, 2), count))
    supernet = Supernet(SPACE, 10)
    assert clear_paths(supernet.extract(mixture), *batch()) == expected == 3 + 9 + 9 + 27
    assert BATCHED["clear_paths"](supernet, [mixture], *batch()).tolist() == [expected]


def test_a_net_of_another_kind() -> None:
    said = (
        "^clear_paths: needs a net with the attribute live_paths, which nats-tss gives to its nets, got "
        "Linear.$"
    )
    with pytest.raises(ValueError, match=said):
        clear_paths(nn.Linear(3, 3), *batch())
