from __future__ import annotations

import gc
import weakref

import pytest
import torch
from torch import Tensor, nn

from nas_ray.evaluation.scoring import ScoringModule
from nas_ray.proxies import PROXIES
from nas_ray.proxies.sharing import shared, shared_work
from tests.proxies.nets import CONNECTED, DISCONNECTED, batch, conv_net, tss

FAMILIES = [
    ["fisher", "snip", "grad_norm", "plain"],
    ["jacob_cov", "epe_nas"],
    ["naswot", "linear_regions"],
    ["az_expressivity", "az_progressivity"],
]


def forwards(net: nn.Module, names: list[str]) -> int:
    passes: list[int] = []
    handle = net.register_forward_hook(lambda module, args, output: passes.append(1))
    with shared_work():
        for name in names:
            PROXIES[name](net, *INPUTS)
    handle.remove()
    return len(passes)


INPUTS = batch()


@pytest.mark.parametrize("names", FAMILIES)
def test_a_family_takes_one_forward_pass(names: list[str]) -> None:
    net = tss()
    assert forwards(net, names) == 1
    assert sum(forwards(net, [name]) for name in names) == len(names)


@pytest.mark.parametrize("net", [*map(tss, (*CONNECTED, DISCONNECTED)), conv_net()])
def test_shared_scores_are_the_same(net: nn.Module) -> None:
    names = [name for family in FAMILIES for name in family]
    with shared_work():
        together = [PROXIES[name](net, *INPUTS) for name in names]
    assert [repr(score) for score in together] == [repr(PROXIES[name](net, *INPUTS)) for name in names]


def test_an_activation_that_is_overwritten_is_noticed() -> None:
    overwriting, copying = (
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=inplace), nn.Flatten(), nn.Linear(144, 5)).double()
        for inplace in (True, False)
    )
    copying.load_state_dict(overwriting.state_dict())
    assert PROXIES["fisher"](overwriting, *INPUTS) == PROXIES["fisher"](copying, *INPUTS)


def test_another_batch_or_net_is_another_result() -> None:
    other = INPUTS[0].flip(2)
    with shared_work():
        first = PROXIES["jacob_cov"](tss(), *INPUTS)
        assert PROXIES["jacob_cov"](tss(), other, INPUTS[1]) != first
        assert PROXIES["jacob_cov"](tss(CONNECTED[1]), *INPUTS) != first


def test_nothing_is_kept_outside_and_all_is_freed_at_the_end() -> None:
    calls = []

    @shared
    def work(tensor: Tensor, *, name: str) -> Tensor:
        calls.append(name)
        return tensor * 2

    tensor = torch.ones(3)
    work(tensor, name="a")
    work(tensor, name="b")
    assert calls == ["a", "b"]
    with shared_work() as common:
        result = weakref.ref(work(tensor, name="c"))
        assert common.saved_seconds == 0
        assert work(tensor, name="d") is result()
        assert calls == ["a", "b", "c"]
        assert common.saved_seconds > 0
    assert result() is None


def test_activations_are_freed_after_a_loss_pass() -> None:
    net = tss()
    alive: list[weakref.ref[Tensor]] = []
    handle = net.register_forward_hook(lambda module, args, output: alive.append(weakref.ref(output)))
    gc.disable()  # by reference counts alone
    try:
        PROXIES["fisher"](net, *INPUTS)
        assert alive
        assert all(tensor() is None for tensor in alive)
    finally:
        gc.enable()
        handle.remove()


def test_the_seconds_of_a_proxy_are_those_it_takes_alone() -> None:
    module = ScoringModule(tss(), {name: PROXIES[name] for name in ("snip", "grad_norm")})
    module.test_step(INPUTS, 0)
    seconds = module.seconds["snip_seconds"], module.seconds["grad_norm_seconds"]
    assert seconds[1] > seconds[0] / 3  # the pass that it took over counts
