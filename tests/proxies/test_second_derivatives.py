from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.proxies import second_derivatives
from nas_ray.proxies.second_derivatives import SecondDerivatives
from tests.proxies.nets import built

SETTINGS: list[dict[str, Any]] = [
    {"padding": 1},
    {"stride": 2, "padding": 1, "bias": False},
    {"groups": 2, "padding": (1, 0)},
    {"dilation": 2, "padding": "same"},
]


def net_of(setting: dict[str, Any], *, affine: bool = True, tracked: bool = False) -> nn.Module:
    norms = {"affine": affine, "track_running_stats": tracked}
    return built(
        lambda: nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1, bias=False),
            nn.BatchNorm2d(4, **norms),
            nn.ELU(inplace=True),  # on what the norm gave
            nn.Conv2d(4, 6, 3, **setting),
            nn.BatchNorm2d(6, **norms),
            nn.Tanh(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(24, 5),
        )
    )


def products(net: nn.Module, inside: bool) -> tuple[Tensor, ...]:
    """The Hessian of a loss times its gradient."""
    source = torch.Generator().manual_seed(0)
    images = torch.randn(6, 3, 8, 8, dtype=torch.float64, generator=source)
    weights = [layer.weight for layer in net if isinstance(layer, nn.Conv2d | nn.Linear)]  # type: ignore[attr-defined]
    if inside:
        with SecondDerivatives():
            logits = net(images)
    else:
        logits = net(images)
    loss = F.cross_entropy(logits, torch.arange(6) % 5)
    grads = torch.autograd.grad(loss, weights, create_graph=True)
    return torch.autograd.grad(grads, weights, [grad.detach() for grad in grads])


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("affine", [True, False])
def test_equal_those_of_torch(setting: dict[str, Any], affine: bool) -> None:
    net = net_of(setting, affine=affine)
    for ours, torchs in zip(products(net, True), products(net, False), strict=True):
        torch.testing.assert_close(ours, torchs, rtol=1e-10, atol=1e-12)


def scaled(net: nn.Module) -> nn.Module:
    with torch.no_grad():
        net[1].weight.fill_(0.5)  # type: ignore[index, operator, union-attr]
        net[4].bias.fill_(0.1)  # type: ignore[index, operator, union-attr]
    return net


@pytest.mark.parametrize(
    ("net", "norms"),
    [
        (net_of({}), 2),
        (scaled(net_of({})), 0),
        (net_of({}, tracked=True), 0),
        (net_of({}, tracked=True).eval(), 0),
    ],
)
def test_takes_the_norms_that_it_can(net: nn.Module, norms: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Tensor] = []
    inner = second_derivatives.Norm.apply
    monkeypatch.setattr(
        second_derivatives.Norm, "apply", lambda *args: (seen.append(args[0]), inner(*args))[1]
    )
    ours = products(net, True)
    assert len(seen) == norms
    for own, torchs in zip(ours, products(net, False), strict=True):
        torch.testing.assert_close(own, torchs, rtol=1e-10, atol=1e-12)
