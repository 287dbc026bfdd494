"""Gradients of the loss, written without the package, for the tests of the proxies made of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def reference_gradients(net: nn.Module, inputs: Tensor, targets: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Returns `(weight, gradient)` per convolution and linear layer after `.backward()` in train mode."""
    net.train()
    net.zero_grad()
    log_p = torch.log_softmax(net(inputs), 1)
    (-log_p[torch.arange(len(targets)), targets].mean()).backward()
    layers = [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    return [
        (m.weight.detach(), torch.zeros_like(m.weight) if m.weight.grad is None else m.weight.grad.clone())
        for m in layers
    ]


def softmax_gradient(weight: Tensor, inputs: Tensor, targets: Tensor) -> Tensor:
    """Returns the closed form `mean (p - y) x^T` of a linear classifier without bias."""
    features = inputs.flatten(1)
    p = torch.softmax(features @ weight.T, 1)
    y = torch.nn.functional.one_hot(targets, len(weight))
    return (p - y).T @ features / len(features)
