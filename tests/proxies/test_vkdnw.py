from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from nas_ray.proxies import vkdnw
from nas_ray.proxies.noise import gaussian_like, generator
from nas_ray.proxies.vkdnw import fisher_eigenvalues, scalar_jacobian
from tests.proxies.nets import (
    CONNECTED,
    DISCONNECTED,
    Attention,
    Tied,
    batch,
    built,
    conv_net,
    linear_net,
    tss,
)


def slow_jacobian(net: nn.Module, images: torch.Tensor, limit: int) -> torch.Tensor:
    """One backward pass per image and class, of which the first place of each parameter is kept."""
    net.eval()
    kinds = (nn.Conv2d, nn.Linear, nn.BatchNorm2d)
    layers = [module for module in net.modules() if isinstance(module, kinds)]
    parameters = list(dict.fromkeys(p for layer in layers for p in layer.parameters()))[:limit]
    rows = []
    for image in images:
        logits = net(image[None])[0]
        for logit in logits:
            grads = torch.autograd.grad(logit, parameters, retain_graph=True, allow_unused=True)
            rows.append(torch.stack([torch.zeros(()) if g is None else g.flatten()[0] for g in grads]))
    return torch.stack(rows).view(len(images), len(logits), -1).double()


def slow(net: nn.Module, inputs: torch.Tensor, limit: int = 128, alpha: float = 0.05) -> float:
    images = gaussian_like(inputs, generator(0))
    jacobian = slow_jacobian(net, images, limit).numpy()
    p = (1 - alpha) * torch.softmax(net(images), 1).detach().numpy() + alpha / jacobian.shape[1]
    fisher = np.mean([j.T @ (np.diag(q) - np.outer(q, q)) @ j for j, q in zip(jacobian, p, strict=True)], 0)
    eigenvalues = np.sort(np.linalg.svd(fisher, compute_uv=False))
    deciles = np.quantile(eigenvalues, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    shares = deciles / deciles.sum()
    return -float(np.sum(shares * np.log(shares + 1e-300)))


@pytest.mark.parametrize("arch", CONNECTED)
@pytest.mark.parametrize("limit", [128, 7])
def test_equals_a_slow_implementation(arch: str, limit: int) -> None:
    inputs, targets = batch(6)
    value = vkdnw(tss(arch), inputs, targets, params_grad_len=limit)
    assert value == pytest.approx(slow(tss(arch), inputs, limit), rel=1e-6)


@pytest.mark.parametrize("net", [conv_net, tss])
def test_jacobian_of_first_scalars(net: object) -> None:
    images, _ = batch(3)
    made = net()  # type: ignore[operator]
    made.eval()
    _, jacobian = scalar_jacobian(made, images, 128)
    torch.testing.assert_close(jacobian, slow_jacobian(made, images, 128))


@pytest.mark.parametrize(
    "build", [*(lambda way=way: Tied(way) for way in ("linear", "product", "einsum")), Attention]
)
def test_jacobian_of_weights_that_are_used_without_their_layer(build: Callable[[], nn.Module]) -> None:
    images, _ = batch(3)
    net = built(build).eval()
    _, jacobian = scalar_jacobian(net, images, 128)
    expected = slow_jacobian(net, images, 128)
    torch.testing.assert_close(jacobian, expected)
    assert (expected[..., :8].abs().sum((0, 1)) > 0).all()
    inputs, targets = batch(8)
    assert vkdnw(net, inputs, targets) == pytest.approx(slow(net, inputs), rel=1e-6)


def test_eigenvalues_far_below_the_largest_are_told_apart() -> None:
    """Blocks that are scaled down, as in ConvNeXt, have eigenvalues that a sum of products would lose."""
    jacobian = torch.zeros(10, 5, 3, dtype=torch.float64)
    jacobian[:, 0, 0], jacobian[:, 0, 1], jacobian[:, 0, 2] = 1, 1e-10, 1e-12
    jacobian[::2, 0, 1], jacobian[1::4, 0, 2] = -1e-10, -1e-12
    p = torch.full((10, 5), 0.2, dtype=torch.float64)
    largest, second, third = sorted(fisher_eigenvalues(p, jacobian), reverse=True)
    assert largest == pytest.approx(0.16)
    assert 1e-27 < third < 1e-24 < second < 1e-20


def test_too_few_images_for_deciles() -> None:
    net = tss()
    with pytest.raises(
        ValueError, match=r"^vkdnw: needs more images, since 1 with 5 classes leave at most 4 of \d+"
    ):
        vkdnw(net, *batch(1))


def test_one_scalar_has_no_spread_to_measure() -> None:
    """Nine equal deciles: the entropy is log 9, whatever the eigenvalue."""
    assert vkdnw(linear_net(192, 5), *batch()) == pytest.approx(math.log(9))


def test_disconnected_is_minus_infinity() -> None:
    assert vkdnw(tss(DISCONNECTED), *batch()) == -math.inf


def test_nothing_to_differentiate_in() -> None:
    with pytest.raises(ValueError, match="^vkdnw: the net has no convolution, linear layer or BN"):
        vkdnw(nn.Flatten(), *batch())
