"""NTK: how evenly an untrained net learns in all directions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nas_ray.proxies.checks import checked
from nas_ray.proxies.functions import OutsideUses
from nas_ray.proxies.hooks import batch_statistics, forward_hooks, requiring_grad
from nas_ray.proxies.needs import needs

MEMORY = 2**28
"""Gradients that are held at once."""

COLUMNS = 2**18
"""Columns of a Jacobian that are turned into float64 at once."""


@needs()
@checked
def ntk(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns `-(largest / smallest eigenvalue)` of the neural tangent kernel `J J^T`; larger is better.

    Row i of J `[B, weights]` is the gradient of the summed outputs of image i, in the forward pass of the
    whole batch, in every parameter named `weight` (convolutions, linear layers and normalisations, no
    biases), however the net uses it. A singular kernel gives -inf.

    Shapes: `inputs [B, 3, H, W]`; `targets` is not used.
    Needs: one batch of images, one forward pass and B backward passes, no labels; so the time grows with B
    squared.
    Initialisation: torch's default; BN in batch mode, so a row also holds what an image does to the
    statistics of the others; dropout off.

    Source: Chen, Gong and Wang, "Neural Architecture Search on ImageNet in Four GPU Hours: A Theoretically
    Inspired Perspective" (TE-NAS), ICLR 2021.
    Differs: the released code draws weights by kaiming_normal with fan_out and averages over
    initialisations; here the net is scored once with the weights that it has. Its eigenvalue solver, in
    float32, was removed from torch and returns noise, even negative, for the smallest eigenvalue of an
    ill-conditioned kernel; here the kernel is float64.

    Raises:
        ValueError: fewer than two images, or the net has no weights.
    """
    if len(inputs) < 2:
        raise ValueError(f"ntk: needs a batch of at least 2 images, got {len(inputs)}.")
    eigenvalues = np.linalg.eigvalsh(tangent_kernel(net, inputs).cpu().numpy())
    resolution = eigenvalues[-1] * len(eigenvalues) * np.finfo(np.float64).eps
    if not eigenvalues[0] > resolution:
        return float("-inf") if np.isfinite(eigenvalues).all() else float("nan")
    return -float(eigenvalues[-1] / eigenvalues[0])


def tangent_kernel(net: nn.Module, inputs: Tensor) -> Tensor:
    """Returns `J J^T [B, B]` in float64.

    Linear layers can be too wide to keep B gradients of their weight: with inputs X and gradients D_i in
    the outputs, the gradient of image i is `D_i^T X`, and the kernel entry `<D_i D_j^T, X X^T>`. That holds
    for weights that are used by calls of their layers alone. All others are taken in groups whose B
    gradients fit into memory.
    """
    plain = [m for m in net.modules() if isinstance(m, nn.Linear) and type(m).forward is nn.Linear.forward]
    linears = [layer for layer in plain if isinstance(layer.weight, nn.Parameter)]
    weights = [parameter for name, parameter in net.named_parameters() if "weight" in name]
    if not weights:
        raise ValueError("ntk: the net has no weights to differentiate in.")
    calls: list[tuple[Tensor, Tensor, Tensor]] = []

    def record(layer: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        calls.append((layer.get_parameter("weight"), args[0].detach().clone(), output))
        return output.clone()  # what follows may work in place

    kernel = torch.zeros(len(inputs), len(inputs), dtype=torch.float64, device=inputs.device)
    uses = OutsideUses(linears)
    with batch_statistics(net), requiring_grad(weights), forward_hooks(linears, record):
        with uses.watching():
            logits = net(inputs)
        outputs = logits.flatten(1).sum(1)
        if not outputs.requires_grad:
            return kernel
        by_calls = {id(w): w for layer in linears if id(w := layer.weight) not in uses.outside}
        for group in memory_groups([w for w in weights if id(w) not in by_calls], len(inputs)):
            for jacobian in jacobians(outputs, group):
                kernel += gram(jacobian)
        for weight in by_calls.values():
            kernel += linear_gram(outputs, [(x, y) for called, x, y in calls if called is weight])
    return kernel


def linear_gram(outputs: Tensor, calls: list[tuple[Tensor, Tensor]]) -> Tensor | float:
    """Returns `J J^T` of the weight of linear layers, from `(input, output)` of each of their calls."""
    if not calls:
        return 0.0
    rows = torch.cat([x.flatten(0, -2) for x, _ in calls]).double()
    per_call = jacobians(outputs, [y for _, y in calls])
    grads = torch.cat([d.flatten(1, -2) for d in per_call], dim=1).double()
    inner = torch.einsum("nm,imo->ino", rows @ rows.T, grads)
    return inner.flatten(1) @ grads.flatten(1).T


def jacobians(outputs: Tensor, tensors: Sequence[Tensor]) -> list[Tensor]:
    """Returns `d outputs / d tensor`, as `[B, *tensor.shape]`, for each of the tensors."""
    rows = [
        torch.autograd.grad(output, tensors, retain_graph=True, materialize_grads=True) for output in outputs
    ]
    return [torch.stack(per_tensor) for per_tensor in zip(*rows, strict=True)]


def memory_groups(weights: list[nn.Parameter], images: int) -> Iterator[list[nn.Parameter]]:
    """Yields `weights` in groups of which `images` gradients are at most `MEMORY` numbers, or of one."""
    group: list[nn.Parameter] = []
    for weight in weights:
        if group and images * sum(w.numel() for w in [*group, weight]) > MEMORY:
            yield group
            group = []
        group.append(weight)
    if group:
        yield group


def gram(jacobian: Tensor) -> Tensor:
    """Returns `J J^T` in float64 of `[B, ...]`, in parts that fit into memory as float64."""
    return sum(
        (part.double() @ part.double().T for part in torch.split(jacobian.flatten(1), COLUMNS, dim=1)),
        start=jacobian.new_zeros(len(jacobian), len(jacobian), dtype=torch.float64),
    )
