"""VKDNW: how evenly the weights of an untrained net could be estimated from data."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from nas_ray.proxies.checks import LAYERS, checked, needed_derivatives
from nas_ray.proxies.functions import Functions, LayerFunctions, image_of_rows
from nas_ray.proxies.hooks import BATCH_NORMS, forward_hooks, preserved_state, requiring_grad
from nas_ray.proxies.needs import needs
from nas_ray.proxies.noise import gaussian_like, generator

DECILES = np.arange(1, 10) / 10
EPS = np.finfo(np.float64).eps


@needs(numbers=True, labels=True)
@checked
def vkdnw(
    net: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    *,
    params_grad_len: int = 128,
    alpha: float = 0.05,
    seed: int = 0,
) -> float:
    """Returns the entropy of the nine deciles of the eigenvalues of the Fisher matrix; larger is better.

    The Fisher matrix `F = mean over images of J^T (diag(p) - p p^T) J` is that of one scalar, the first,
    of each of the first `params_grad_len` weights and biases of convolutions, linear layers and BNs, with
    J `[classes, scalars]` the Jacobian of the outputs and p their softmax, mixed with `alpha` of the
    uniform distribution. Deciles are divided by their sum. The entropy is between 0 and log 9; deciles
    that are all 0 give -inf.

    Shapes: of `inputs [B, 3, H, W]` only the shape is used; `targets` is not used.
    Needs: one forward pass of Gaussian images and one backward pass per class; no data, no labels.
    Initialisation: torch's default; BN in evaluation mode, so that the images do not depend on each other.

    Source: Tybl and Neumann, "Training-free Neural Architecture Search through Variance of Knowledge of
    Deep Network Weights", CVPR 2025, equation 11.
    Differs: the released code multiplies J by a factor of `diag(p) - p p^T` where equation 11 needs its
    transpose, and so has the eigenvalues of another matrix; here they are those of the equation, and
    published figures are not comparable. It draws the weights anew by kaiming_normal with fan_in; here the
    net is scored with those that it has. It works in float32, where eigenvalues below 1e-7 of the largest
    are noise; here they are squares of singular values in float64, of gradients in the dtype of the net.
    Parameters of other kinds of modules are not sampled. To rank nets the authors add the number of layers to
    the entropy, which says little alone.

    Raises:
        ValueError: the net has no convolution, linear layer or BN, there are too few images for two deciles
            that are not 0, or a function of the net has no forward derivative that would be needed.
    """
    with preserved_state(net):
        net.eval()
        logits, jacobian = scalar_jacobian(net, gaussian_like(inputs, generator(seed)), params_grad_len)
    images, classes, scalars = jacobian.shape
    most = min(images * (classes - 1), scalars)
    possible = np.quantile([0.0] * (scalars - most) + [1.0] * most, DECILES)
    if np.count_nonzero(possible) < 2:
        raise ValueError(
            f"vkdnw: needs more images, since {images} with {classes} classes leave at most {most} of "
            f"{scalars} eigenvalues above 0 and so fewer than two deciles to compare."
        )
    p = (1 - alpha) * logits.softmax(1) + alpha / classes
    deciles = np.quantile(fisher_eigenvalues(p, jacobian), DECILES)
    if not np.isfinite(deciles).all():
        return float("nan")
    if deciles.sum() == 0:
        return float("-inf")
    from scipy.special import entr  # which only this proxy needs

    return float(entr(deciles / deciles.sum()).sum())


def fisher_eigenvalues(p: Tensor, jacobian: Tensor) -> np.ndarray:
    """Returns the eigenvalues `[scalars]` of `mean over images of J^T (diag(p) - p p^T) J`.

    With `c_k = J_k - sum p J` the matrix is `sum of p_k c_k c_k^T`, so they are squares of singular values,
    which are exact to `eps` times the largest: an eigenvalue may be far smaller than that, as those of
    blocks that are scaled down are.
    """
    centred = jacobian - torch.einsum("nk,nkl->nl", p, jacobian)[:, None]
    factor = (p / len(p)).sqrt()[:, :, None] * centred
    rows = factor.flatten(0, 1).cpu().numpy()
    if not np.isfinite(rows).all():
        return np.full(rows.shape[1], np.nan)
    singular = np.zeros(rows.shape[1])
    found = np.linalg.svd(rows, compute_uv=False)
    singular[: len(found)] = np.where(found > found[0] * max(rows.shape) * EPS, found, 0.0)
    return np.square(singular)


def scalar_jacobian(net: nn.Module, images: Tensor, limit: int) -> tuple[Tensor, Tensor]:
    """Returns outputs `[B, classes]` and their Jacobian `[B, classes, scalars]`, in float64, image by image.

    The output of a layer is linear in its parameters. Adding to it a multiple of its answer to a parameter
    that is 1 in the first place and 0 elsewhere is to change the first scalar, and each image can have its
    own multiple. A parameter that the net also uses otherwise than a layer does is differentiated forward,
    by a pass of its own.
    """
    sampled = sampled_parameters(net, limit)
    scalars = {id(p): p for layer, names in sampled.items() for p in map(layer.get_parameter, names)}
    changes = {key: images.new_zeros(len(images)).requires_grad_() for key in scalars}
    answering = False

    def add_changes(layer: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor | None:
        nonlocal answering
        if answering:
            return None
        owners = None
        if len(output) == len(images) or uses.in_attention:
            owners = image_of_rows(len(output), len(images), uses.in_attention, images.device)
        if owners is None:
            uses.outside |= {id(layer.get_parameter(name)) for name in sampled[layer]}
            return None
        changed = output.clone()
        first = changed.select(-1 if isinstance(layer, nn.Linear) else 1, 0)
        for name in sampled[layer]:
            answering = True
            with torch.no_grad():
                answer = functional_call(layer, one_hot_parameters(layer, name), args)
            answering = False
            answer = answer.select(-1 if isinstance(layer, nn.Linear) else 1, 0).clone()
            change = changes[id(layer.get_parameter(name))][owners]
            first += change.view(-1, *[1] * (first.dim() - 1)) * answer
        return changed

    uses = LayerFunctions(sampled, add_changes)
    with requiring_grad(scalars.values()), forward_hooks(sampled, add_changes):
        with uses.watching():
            logits = net(images)
        rows = [
            torch.autograd.grad(
                column.sum(), list(changes.values()), retain_graph=True, materialize_grads=True
            )
            for column in logits.unbind(1)
        ]
    jacobian = torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)
    for place, (key, parameter) in enumerate(scalars.items()):
        if key in uses.outside:
            jacobian[:, :, place] = forward_derivative(net, images, parameter)
    return logits.detach().double(), jacobian.double()


def forward_derivative(net: nn.Module, images: Tensor, parameter: nn.Parameter) -> Tensor:
    """Returns the derivative `[B, classes]` of the outputs in the first scalar of `parameter`."""
    name = next(name for name, other in net.named_parameters() if other is parameter)
    direction = torch.zeros_like(parameter)
    direction[(0,) * direction.dim()] = 1

    def outputs(value: Tensor) -> Tensor:
        logits: Tensor = functional_call(net, {name: value}, (images,))
        return logits

    with needed_derivatives("vkdnw"), Functions(), torch.no_grad():
        found = torch.func.jvp(outputs, (parameter.detach(),), (direction,))
    return cast(Tensor, found[1])


def sampled_parameters(net: nn.Module, limit: int) -> dict[nn.Module, list[str]]:
    """Returns, by layer, the names of the first `limit` parameters of convolutions, linear layers and BNs.

    A parameter that several layers share counts once.
    """
    sampled: dict[nn.Module, list[str]] = {}
    counted: set[int] = set()
    for layer in net.modules():
        if isinstance(layer, (*LAYERS, *BATCH_NORMS)):
            for name, parameter in layer.named_parameters(recurse=False):
                if id(parameter) in counted or len(counted) < limit:
                    counted.add(id(parameter))
                    sampled.setdefault(layer, []).append(name)
    if not sampled:
        raise ValueError("vkdnw: the net has no convolution, linear layer or BN to differentiate in.")
    return sampled


def one_hot_parameters(layer: nn.Module, name: str) -> dict[str, Tensor]:
    """Returns parameters for `layer` that are 0 but for a 1 in the first place of `name`."""
    zeros = {other: torch.zeros_like(parameter) for other, parameter in layer.named_parameters()}
    zeros[name][(0,) * zeros[name].dim()] = 1
    return zeros
