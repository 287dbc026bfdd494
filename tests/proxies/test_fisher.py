from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from nas_ray.proxies import fisher, fisher_channels
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


def slow(net: nn.Module, inputs: torch.Tensor, targets: torch.Tensor, *, per_weight: bool = True) -> float:
    """Loops over images and channels, with `retain_grad` on the activations; one value for each weight."""
    activations = []

    def keep(layer: nn.Module, args: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        output.retain_grad()
        activations.append((layer, output))

    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.register_forward_hook(keep)
    nn.functional.cross_entropy(net(inputs), targets).backward()
    total = 0.0
    for layer, a in activations:
        if a.grad is None:
            continue
        product = (a * a.grad).detach()
        if isinstance(layer, nn.Linear):
            product = product.movedim(-1, 1)
        for channel in range(product.shape[1]):
            sums = [float(image[channel].sum()) for image in product]
            values = torch.full_like(layer.weight[channel], 0.5 * sum(s**2 for s in sums) / len(sums))
            total += float(values.sum() if per_weight else values.flatten()[0])
    return total


@pytest.mark.parametrize("arch", [*CONNECTED, DISCONNECTED])
def test_equals_a_slow_implementation(arch: str) -> None:
    assert fisher(tss(arch), *batch()) == pytest.approx(slow(tss(arch).train(), *batch()), rel=1e-9)
    expected = slow(tss(arch).train(), *batch(), per_weight=False)
    assert fisher(tss(arch), *batch(), per_weight=False) == pytest.approx(expected, rel=1e-9)
    assert fisher_channels(tss(arch), *batch()) == fisher(tss(arch), *batch(), per_weight=False)


def test_grouped_convolutions_have_fewer_weights_to_a_channel() -> None:
    def build() -> nn.Module:
        conv = nn.Conv2d(4, 8, 3, groups=4)
        return nn.Sequential(nn.Conv2d(3, 4, 1), conv, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5))

    assert fisher(built(build), *batch()) == pytest.approx(slow(built(build), *batch()), rel=1e-9)


def test_layers_whose_weights_are_used_without_a_call() -> None:
    """`out_proj` of attention and a weight given to `F.linear` count as the layers of the same net."""
    expected = slow(built(lambda: Attention(modules=True)), *batch())
    assert fisher(built(Attention), *batch()) == pytest.approx(expected, rel=1e-9)


def test_windows_of_an_image_belong_to_it() -> None:
    class Windows(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.mix, self.head = nn.Linear(12, 6), nn.Linear(6, 5)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            windows = x.unflatten(2, (4, 2)).unflatten(4, (4, 2)).permute(0, 2, 4, 1, 3, 5)
            flat = windows.reshape(len(x) * 16, 12) if self.flat else windows.reshape(len(x), 16, 12)
            return self.head(torch.relu(self.mix(flat)).view(len(x), 16, 6).mean(1))

        flat = True

    reference = built(Windows)
    reference.flat = False
    assert fisher(built(Windows), *batch()) == pytest.approx(slow(reference, *batch()), rel=1e-9)


@pytest.mark.parametrize("way", ["linear", "product", "einsum"])
@pytest.mark.parametrize("proxy", [fisher, fisher_channels])
def test_a_weight_that_makes_no_channels_is_refused(way: str, proxy: Callable[..., float]) -> None:
    with pytest.raises(
        ValueError, match=f"^{proxy.__name__}: the net uses down.weight otherwise than a layer"
    ):
        proxy(built(lambda: Tied(way)), *batch())


def test_a_computed_weight_is_refused() -> None:
    net = nn.Sequential(nn.Flatten(), nn.utils.parametrizations.weight_norm(nn.Linear(192, 5))).double()
    with pytest.raises(ValueError, match="^fisher: needs weights as parameters, but a Parametrized"):
        fisher(net, *batch())


class Residual(nn.Module):
    def __init__(self, in_place: bool) -> None:
        super().__init__()
        self.conv, self.linear, self.in_place = nn.Conv2d(3, 3, 3, padding=1), nn.Linear(192, 5), in_place

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.conv(x)
        if self.in_place:
            out += x
        else:
            out = out + x
        return self.linear(out.flatten(1))


def test_activations_that_are_added_to_in_place() -> None:
    expected = slow(built(lambda: Residual(in_place=False)), *batch())
    assert fisher(built(lambda: Residual(in_place=True)), *batch()) == pytest.approx(expected, rel=1e-9)


def test_activations_that_are_changed_in_place() -> None:
    net, reference = conv_net(), conv_net()
    for index, module in enumerate(reference):
        if isinstance(module, nn.ReLU):
            reference[index] = nn.ReLU()
        if isinstance(module, nn.Dropout):
            reference[index] = nn.Identity()
    assert fisher(net, *batch()) == pytest.approx(slow(reference.train(), *batch()), rel=1e-9)


def test_closed_form_of_a_linear_classifier() -> None:
    inputs, targets = batch()
    net = linear_net(192, 5)
    logits = inputs.flatten(1) @ net[1].weight.detach().T
    grad = (torch.softmax(logits, 1) - nn.functional.one_hot(targets, 5)) / len(inputs)
    expected = float(((logits * grad) ** 2).mean(0).sum() / 2)
    assert fisher_channels(net, inputs, targets) == pytest.approx(expected, rel=1e-9)
    assert fisher(net, inputs, targets) == pytest.approx(192 * expected, rel=1e-9)
