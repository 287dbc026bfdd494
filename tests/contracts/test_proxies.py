"""What every proxy must do, run over the whole dict."""

from __future__ import annotations

import copy
import inspect
import math
import random
import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchvision import models

from nas_ray.proxies import OF_ONE_SPACE, PROXIES, Proxy
from nas_ray.testing import ProxyContract
from tests.proxies.nets import CONNECTED, DISCONNECTED, HEALTHY, IDENTITY, batch, built, tss

CLASSES = 5

NOT_FOR = {
    "mlp": {"zen", "meco", *OF_ONE_SPACE},
    "dropout": set(OF_ONE_SPACE),
    "resnet18": set(OF_ONE_SPACE),
    "mobilenet_v2": set(OF_ONE_SPACE),
    "vgg11_bn": set(OF_ONE_SPACE),
}
"""Proxies that refuse a kind of net, with an error that says why."""

UNDEFINED = {"jacob_cov", "lcmnas", "epe_nas", "naswot", "zen", "ntk", "vkdnw", "az_expressivity",
             "az_progressivity", "az_trainability"}  # fmt: skip
"""Proxies that have no finite value where the output does not depend on the input."""

ORDER_MATTERS = {"zico"}
"""Proxies that see more than the set of images: zico splits the batch."""

SIGN_FRAGILE = {"grasp", "plain"}
"""Proxies that may rank a disconnected arch above a healthy one."""


def mlp() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(), nn.LazyLinear(32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, CLASSES)
    )


def dropout() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=True),
        nn.Dropout2d(),
        nn.Conv2d(4, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(),
        nn.Linear(4, 8),
        nn.ReLU(inplace=True),
        nn.Linear(8, CLASSES),
    )


NETS: dict[str, Callable[[], nn.Module]] = {
    "tss": tss,
    "mlp": mlp,
    "dropout": dropout,
    "resnet18": lambda: models.resnet18(num_classes=CLASSES),
    "mobilenet_v2": lambda: models.mobilenet_v2(num_classes=CLASSES, width_mult=0.35),
    "vgg11_bn": lambda: models.vgg11_bn(num_classes=CLASSES),
}

QUICK = ("tss", "mlp", "dropout")
SLOW = pytest.mark.slow(faster="test_finite_on_a_healthy_net_or_a_clear_refusal")
LARGE = [pytest.param(name, marks=SLOW) for name in ("resnet18", "mobilenet_v2", "vgg11_bn")]


OF_WIDTHS = {name for name, space in OF_ONE_SPACE.items() if space == "nats-sss"}
"""Proxies that refuse nets of NATS-TSS, tested on those of NATS-SSS (`tests/proxies/test_log_width.py`)."""


@pytest.fixture(params=sorted(set(PROXIES) - OF_WIDTHS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def proxy(name: str) -> Proxy:
    return PROXIES[name]


class TestEveryProxy(ProxyContract):
    pass


def score(proxy: Proxy, net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    value = proxy(net, inputs, targets)
    assert type(value) is float
    return value


def net_and_batch(kind: str) -> tuple[nn.Module, Tensor, Tensor]:
    """Returns a net and 10 images, in float32 for the nets that are large, with 32x32 pixels for these."""
    large = kind not in QUICK
    inputs, targets = batch(10, CLASSES, size=32 if large else 8)
    net = built(NETS[kind]) if kind != "mlp" else mlp().double()
    if kind == "mlp":
        with torch.random.fork_rng():
            torch.manual_seed(0)
            net(inputs)  # materialises the lazy layer
    return (net.float(), inputs.float(), targets) if large else (net, inputs, targets)


@pytest.mark.parametrize("kind", [*QUICK, *LARGE])
def test_finite_on_a_healthy_net_or_a_clear_refusal(name: str, proxy: Proxy, kind: str) -> None:
    net, inputs, targets = net_and_batch(kind)
    if name in NOT_FOR.get(kind, set()):
        with pytest.raises(ValueError, match=rf"^{name}: [^\n]*\.$"):
            proxy(net, inputs, targets)
    else:
        assert math.isfinite(score(proxy, net, inputs, targets))


@pytest.mark.parametrize("kind", QUICK)
def test_repeats_equal_and_leaves_everything_as_it_was(name: str, proxy: Proxy, kind: str) -> None:
    net, inputs, targets = net_and_batch(kind)
    if name in NOT_FOR.get(kind, set()):
        return
    modules = list(net.modules())
    modules[-1].eval()  # modes and flags are mixed, to see that each is kept
    next(net.parameters()).requires_grad_(False)
    modes = [module.training for module in modules]
    flags = [parameter.requires_grad for parameter in net.parameters()]
    attributes = [sorted(vars(module)) for module in modules]
    tracked = [getattr(module, "track_running_stats", None) for module in modules]
    state = copy.deepcopy(net.state_dict())
    images, labels = inputs.clone(), targets.clone()
    random_states = torch.random.get_rng_state(), repr(np.random.get_state()), random.getstate()  # noqa: NPY002

    first = score(proxy, net, inputs, targets)
    assert score(proxy, net, inputs, targets) == first

    assert torch.equal(inputs, images)
    assert torch.equal(targets, labels)
    assert not inputs.requires_grad
    assert inputs.grad is None
    assert torch.equal(torch.random.get_rng_state(), random_states[0])
    assert repr(np.random.get_state()) == random_states[1]  # noqa: NPY002
    assert random.getstate() == random_states[2]
    assert list(net.modules()) == modules
    assert [module.training for module in modules] == modes
    assert [parameter.requires_grad for parameter in net.parameters()] == flags
    assert [sorted(vars(module)) for module in modules] == attributes
    assert [getattr(module, "track_running_stats", None) for module in modules] == tracked
    assert all(parameter.grad is None for parameter in net.parameters())
    assert all(torch.equal(tensor, state[key]) for key, tensor in net.state_dict().items())
    for module in modules:
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
        assert not module._backward_hooks
        assert not module._backward_pre_hooks


def test_modes_flags_and_contexts_of_the_caller_change_nothing(proxy: Proxy) -> None:
    inputs, targets = batch()
    expected = score(proxy, tss(), inputs, targets)
    assert score(proxy, tss().eval(), inputs, targets) == expected
    assert score(proxy, tss().requires_grad_(False), inputs, targets) == expected
    with torch.no_grad():
        assert score(proxy, tss(), inputs, targets) == expected


def test_the_order_of_the_images_does_not_matter(name: str, proxy: Proxy) -> None:
    inputs, targets = batch()
    order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(1))
    shuffled = score(proxy, tss(), inputs[order], targets[order])
    equal = shuffled == pytest.approx(score(proxy, tss(), inputs, targets), rel=1e-6)
    assert equal != (name in ORDER_MATTERS)


@pytest.mark.parametrize("arch", [*CONNECTED, IDENTITY])
def test_connected_archs_with_dead_parts_have_a_value(proxy: Proxy, arch: str) -> None:
    value = score(proxy, tss(arch), *batch())
    assert math.isfinite(value) or value == -math.inf


def test_a_disconnected_arch(name: str, proxy: Proxy) -> None:
    value = score(proxy, tss(DISCONNECTED), *batch())
    assert math.isfinite(value) != (name in UNDEFINED)
    assert value < math.inf or math.isnan(value)
    if math.isfinite(value):
        assert value <= score(proxy, tss(HEALTHY), *batch()) or name in SIGN_FRAGILE


def test_float32_agrees_with_float64(proxy: Proxy) -> None:
    inputs, targets = batch()
    exact = score(proxy, tss(), inputs, targets)
    assert score(proxy, tss().float(), inputs.float(), targets) == pytest.approx(exact, rel=2e-3)


def test_one_image_gives_a_value_or_a_clear_refusal(name: str, proxy: Proxy) -> None:
    message = ""
    try:
        score(proxy, tss(), *batch(1))
    except ValueError as error:
        message = str(error)
    assert not message or re.fullmatch(rf"{name}: [^\n]*\.", message)


@pytest.mark.parametrize(("name", "proxy"), PROXIES.items())
def test_names_agree_and_the_docstring_has_its_parts_in_order(name: str, proxy: Proxy) -> None:
    assert proxy.__name__ == name
    assert proxy.__module__ == f"nas_ray.proxies.{name}"
    text = inspect.getdoc(proxy) or ""
    assert re.match(r"Returns [^\n]*; larger is better\.\n\n", text)
    parts = ["Shapes:", "Needs:", "Initialisation:", "Source:", "Differs:"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    parameters = list(inspect.signature(proxy).parameters.values())
    assert [p.name for p in parameters[:3]] == ["net", "inputs", "targets"]
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in parameters[3:])


def test_the_dict_is_sorted() -> None:
    assert list(PROXIES) == sorted(PROXIES)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("arch", CONNECTED)
def test_cuda_agrees_with_the_cpu(proxy: Proxy, arch: str) -> None:
    inputs, targets = batch()
    expected = score(proxy, tss(arch), inputs, targets)
    value = score(proxy, tss(arch).cuda(), inputs.cuda(), targets.cuda())
    assert value == pytest.approx(expected, rel=1e-6)
