"""Hot loops on a device that is not the CPU: torch's meta device, which has shapes and no numbers.

It refuses to be read, as a hidden synchronisation would, and to be mixed with tensors of the CPU.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from nas_ray.evaluation.proxy_scores import ProxyScores
from nas_ray.shared_weights import BATCHED
from nas_ray.shared_weights.mixture import mixture_of
from nas_ray.shared_weights.patterns import node_kernels
from nas_ray.shared_weights.routes import Routes
from nas_ray.shared_weights.scorer import ChunkScorer
from nas_ray.shared_weights.size_scores import SizeScores
from nas_ray.shared_weights.supernet import Supernet
from nas_ray.spaces import NatsSss, NatsTss
from nas_ray.spaces.nats_tss import to_arch, to_ops
from nas_ray.training import augment
from nas_ray.training.objective import class_objective
from nas_ray.training.recipes import parse_recipe
from nas_ray.training.training_module import TrainingModule
from tests.proxies.nets import CONNECTED, DISCONNECTED

SPACE = NatsTss(channels=4, cells=1)
ARCHS = [*CONNECTED, DISCONNECTED]


class Moves(TorchDispatchMode):
    """Counts the tensors that go from the CPU to the other device, and those that are waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.moved = self.waited = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        if isinstance(out, Tensor) and out.is_meta and any(not tensor.is_meta for tensor in given):
            self.moved += 1
            self.waited += not (kwargs or {}).get("non_blocking", False)
        return out


def meta_supernet() -> Supernet:
    return Supernet(SPACE, 5).to("meta")


def meta_batch() -> tuple[Tensor, Tensor]:
    images = torch.empty(6, 3, 16, 16, device="meta").contiguous(memory_format=torch.channels_last)
    return images, torch.empty(6, dtype=torch.int64, device="meta")


@pytest.mark.parametrize("name", ["synflow", "logsynflow"])
def test_archs_together_wait_for_nothing(name: str) -> None:
    supernet, moves = meta_supernet(), Moves()
    with moves:
        scores = BATCHED[name](supernet, ARCHS, *meta_batch())
    assert scores.is_meta
    assert scores.shape == (len(ARCHS),)
    assert (moves.moved, moves.waited) == (1, 0)  # which archs go where


def test_places_of_archs_are_moved_once_and_are_right() -> None:
    moves = Moves()
    ops = [to_ops(arch) for arch in ARCHS]
    with moves:
        Routes(list(map(mixture_of, ARCHS)), "meta")
    assert (moves.moved, moves.waited) == (1, 0)
    for group in Routes(list(map(mixture_of, ARCHS))).groups:
        own = [place for place, of_arch in enumerate(ops) if of_arch[group.edge] == group.op]
        found = range(len(ops)) if group.index is None else group.index.tolist()
        assert set(found) <= set(own)
    assert not Routes([mixture_of(to_arch(("none",) * 6))], "meta").groups


def test_the_patterns_of_a_view_wait_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())  # the meta device has none
    view, moves = meta_supernet().view(ARCHS[0]), Moves()
    with moves:
        kernels = node_kernels(view, meta_batch()[0], name="naswot")
    assert all(kernel.agreeing.is_meta for kernel in kernels)
    assert moves.moved == 0


def test_weights_of_an_extracted_net_do_not_travel() -> None:
    supernet, moves = meta_supernet(), Moves()
    with moves:
        net = supernet.extract(ARCHS[0])
    assert {parameter.device.type for parameter in net.parameters()} == {"meta"}
    state = [*net.parameters(), *net.buffers()]
    assert moves.moved <= len(state)  # the new net itself, and no weight of the supernet


def test_a_step_of_training_waits_for_nothing() -> None:
    net = SPACE.build(ARCHS[0], 5).to("meta")
    recipe = parse_recipe("nats-12")
    module = TrainingModule(net, recipe, class_objective(recipe), steps_per_epoch=3)
    images = torch.empty(6, 3, 16, 16, dtype=torch.uint8, device="meta")
    generator, moves = torch.Generator().manual_seed(0), Moves()
    with moves:
        changed = augment.shift(augment.mirror(images, generator), 4, generator)
        changed = augment.cutout(changed.float(), 8, generator)
        loss = module.training_step((changed, meta_batch()[1]), 0)
        loss.backward()
    assert loss.is_meta
    assert moves.moved == 4  # what was drawn: mirror, shift, and the two sides of cutout
    assert moves.waited == 0


def test_scores_are_in_full_float32_whatever_the_process_has() -> None:
    seen: list[bool] = []

    def looks(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
        seen.append(torch.backends.cudnn.allow_tf32)
        return 1.0

    inputs, targets = np.zeros((4, 3, 16, 16), np.float32), np.arange(4)
    before = torch.backends.cudnn.allow_tf32
    assert before  # torch's default
    ProxyScores(SPACE, 5, inputs, targets, {"looks": looks})(ARCHS[0], lambda row: None)
    ChunkScorer(SPACE, 5, inputs, targets, {"looks": looks})(ARCHS[:1])
    assert seen == [False, False]
    SizeScores(NatsSss(), 5, inputs, targets, {"looks": looks}).rows(["8:8:8:8:8"])
    assert seen == [False, False, False]
    assert torch.backends.cudnn.allow_tf32 is before
