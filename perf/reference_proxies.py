"""Proxies the usual way, to measure against: one net at a time, whole backward passes, no work left out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

LAYERS = (nn.Conv2d, nn.Linear)


def synflow(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """SynFlow in float64: absolute weights, BN in evaluation mode, one backward pass of an all-ones image."""
    net = net.double().eval()
    with torch.no_grad():
        for value in net.state_dict().values():
            value.abs_()
    net(torch.ones_like(inputs[:1], dtype=torch.float64)).sum().backward()
    layers = [module for module in net.modules() if isinstance(module, LAYERS)]
    return float(sum((m.weight * m.weight.grad).sum().item() for m in layers if m.weight.grad is not None))


def naswot(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """NASWOT with a backward pass that marks the ReLUs it reaches, and two matrix products per ReLU."""
    kernel = np.zeros((len(inputs), len(inputs)))

    def forward_hook(module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal kernel
        if module in reached:
            active = (args[0].flatten(1) > 0).float()
            kernel = kernel + (active @ active.T + (1 - active) @ (1 - active).T).cpu().numpy()

    reached: set[nn.Module] = set()
    relus = [module for module in net.modules() if isinstance(module, nn.ReLU)]
    for relu in relus:
        relu.register_forward_hook(forward_hook)
        relu.register_full_backward_hook(lambda module, *grads: reached.add(module) or None)
    images = inputs.clone().requires_grad_()
    net(images).sum().backward()
    net(inputs)
    return float(np.linalg.slogdet(kernel)[1])


def jacob_cov(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """jacob_cov with gradients of all weights, and eigenvalues of a general matrix."""
    images = inputs.clone().requires_grad_()
    net(images).backward(torch.ones(len(images), 10, device=images.device))
    assert images.grad is not None
    with np.errstate(invalid="ignore"):
        correlations = np.corrcoef(images.grad.flatten(1).cpu().numpy())
    if not np.isfinite(correlations).all():
        return float("nan")  # no path from input to output
    values = np.linalg.eig(correlations)[0].real
    return float(-np.sum(np.log(values + 1e-5) + 1 / (values + 1e-5)))


def _backward(net: nn.Module, inputs: Tensor, targets: Tensor) -> list[nn.Module]:
    F.cross_entropy(net(inputs), targets).backward()
    return [module for module in net.modules() if isinstance(module, LAYERS)]


def snip(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """SNIP after a backward pass of the loss."""
    return float(sum((m.weight * m.weight.grad).abs().sum() for m in _backward(net, inputs, targets)))  # type: ignore[union-attr, operator]


def grad_norm(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Norms of the gradients after a backward pass of the loss."""
    return float(sum(m.weight.grad.norm() for m in _backward(net, inputs, targets)))  # type: ignore[union-attr, operator]


def fisher(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Fisher with the outputs of all layers kept for a backward hook, each channel once per weight."""
    total = 0.0

    def keep(module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
        def credit(grad: Tensor) -> None:
            nonlocal total
            product = output.detach() * grad
            per_image = product.flatten(2).sum(2) if product.dim() > 2 else product
            total += float(per_image.pow(2).mean(0).sum() / 2) * module.weight[0].numel()  # type: ignore[union-attr, operator]

        output.register_hook(credit)

    for module in net.modules():
        if isinstance(module, LAYERS):
            module.register_forward_hook(keep)
    _backward(net, inputs, targets)
    return total


REFERENCE: dict[str, Callable[[nn.Module, Tensor, Tensor], float]] = {
    function.__name__: function for function in (synflow, naswot, jacob_cov, snip, grad_norm, fisher)
}
