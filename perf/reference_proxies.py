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


def grasp(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """GraSP with one forward pass for the gradients and another for what they flow through."""
    weights = [module.weight for module in net.modules() if isinstance(module, LAYERS)]
    flow = torch.autograd.grad(F.cross_entropy(net(inputs), targets), weights, allow_unused=True)  # type: ignore[arg-type]
    loss = F.cross_entropy(net(inputs), targets)
    again = torch.autograd.grad(loss, weights, create_graph=True, allow_unused=True)  # type: ignore[arg-type]
    pairs = zip(flow, again, strict=True)
    sum((g.detach() * a).sum() for g, a in pairs if g is not None).backward()  # type: ignore[union-attr, call-overload]
    return float(sum(-(w * w.grad).sum() for w in weights if w.grad is not None))  # type: ignore[union-attr, operator]


def zico(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """ZiCo with the gradients of two halves of the batch as numpy arrays."""
    found: list[list[np.ndarray]] = []
    for images, labels in zip(inputs.chunk(2), targets.chunk(2), strict=True):
        net.zero_grad()
        layers = _backward(net, images, labels)
        found.append(
            [m.weight.grad.cpu().reshape(-1).numpy().copy() for m in layers if m.weight.grad is not None]
        )  # type: ignore[union-attr, operator]
    score = 0.0
    for grads in zip(*found, strict=True):
        stacked = np.array(grads)
        deviation = np.std(stacked, axis=0)
        varies = np.nonzero(deviation)[0]
        ratio = np.sum(np.mean(np.abs(stacked), axis=0)[varies] / deviation[varies])
        score += float(np.log(ratio)) if ratio else 0.0
    return score


def zen(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Zen with the running variances of BN, and the map before global pooling."""
    maps: list[Tensor] = []
    pool = next(module for module in net.modules() if isinstance(module, nn.AdaptiveAvgPool2d))
    pool.register_forward_pre_hook(lambda module, args: maps.append(args[0]))
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, LAYERS):
                nn.init.normal_(module.weight)
        images = torch.randn_like(inputs)
        net.train()
        net(images)
        net(images + 0.01 * torch.randn_like(inputs))
        change = (maps[0] - maps[1]).abs().sum((1, 2, 3)).mean()
        norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
        scales = sum(torch.log(norm.running_var.mean().sqrt()) for norm in norms)  # type: ignore[union-attr]
    return float(torch.log(change) + scales)


def meco(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """MeCo of one Gaussian image, with the eigenvalues of a general matrix, in every module."""
    found: list[float] = []

    def correlate(module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
        if output.dim() == 4:
            correlations = torch.corrcoef(output.detach()[0].flatten(1)).nan_to_num(0.0)
            found.append(float(torch.linalg.eigvals(correlations).real.min()))

    for module in net.modules():
        module.register_forward_hook(correlate)
    net(torch.randn_like(inputs[:1]))
    return sum(found)


REFERENCE: dict[str, Callable[[nn.Module, Tensor, Tensor], float]] = {
    function.__name__: function
    for function in (synflow, naswot, jacob_cov, snip, grad_norm, fisher, grasp, zico, zen, meco)
}
