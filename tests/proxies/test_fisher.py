from __future__ import annotations

import pytest
import torch
from torch import nn

from nas_ray.proxies import fisher
from tests.proxies.nets import CONNECTED, DISCONNECTED, batch, built, conv_net, linear_net, tss


def slow(net: nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> float:
    """Loops over images and channels, with `retain_grad` on the activations."""
    activations = []

    def keep(layer: nn.Module, args: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        output.retain_grad()
        activations.append(output)

    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.register_forward_hook(keep)
    nn.functional.cross_entropy(net(inputs), targets).backward()
    total = 0.0
    for a in activations:
        if a.grad is None:
            continue
        for channel in range(a.shape[1]):
            sums = [float((a[n, channel] * a.grad[n, channel]).detach().sum()) for n in range(len(a))]
            total += 0.5 * sum(s**2 for s in sums) / len(sums)
    return total


@pytest.mark.parametrize("arch", [*CONNECTED, DISCONNECTED])
def test_equals_a_slow_implementation(arch: str) -> None:
    assert fisher(tss(arch), *batch()) == pytest.approx(slow(tss(arch).train(), *batch()), rel=1e-9)


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
    assert fisher(net, inputs, targets) == pytest.approx(expected, rel=1e-9)
