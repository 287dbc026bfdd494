"""VKDNW: how evenly the weights of an untrained net could be estimated from data."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.special import entr
from torch import Tensor, nn
from torch.func import functional_call

from nas_ray.proxies.checks import checked
from nas_ray.proxies.gradients import LAYERS
from nas_ray.proxies.hooks import BATCH_NORMS, forward_hooks, preserved_state
from nas_ray.proxies.noise import gaussian_like, generator


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
    Differs: the released code draws the weights anew by kaiming_normal with fan_in; here the net is scored
    with those that it has. It works in float32, where eigenvalues below 1e-7 of the largest are noise;
    here they are float64, of gradients in the dtype of the net, and those below `eps` times their number
    times the largest count as 0. Parameters of other kinds of modules are not sampled. To rank nets the
    authors add the number of layers to the entropy, which says little alone.

    Raises:
        ValueError: the net has no convolution, linear layer or BN.
    """
    with preserved_state(net):
        net.eval()
        logits, jacobian = scalar_jacobian(net, gaussian_like(inputs, generator(seed)), params_grad_len)
    p = (1 - alpha) * logits.softmax(1) + alpha / logits.shape[1]
    weighted = p[:, :, None] * jacobian
    mean = weighted.sum(1)
    fisher = torch.einsum("nkl,nkm->lm", jacobian, weighted) - mean.T @ mean
    eigenvalues = np.linalg.eigvalsh((fisher / len(logits)).cpu().numpy())
    if not np.isfinite(eigenvalues).all():
        return float("nan")
    resolution = eigenvalues[-1] * len(eigenvalues) * np.finfo(np.float64).eps
    deciles = np.quantile(np.where(eigenvalues > resolution, eigenvalues, 0.0), np.arange(1, 10) / 10)
    if deciles.sum() == 0:
        return float("-inf")
    return float(entr(deciles / deciles.sum()).sum())


def scalar_jacobian(net: nn.Module, images: Tensor, limit: int) -> tuple[Tensor, Tensor]:
    """Returns outputs `[B, classes]` and their Jacobian `[B, classes, scalars]`, in float64, image by image.

    The output of a layer is linear in its parameters. Adding to it a multiple of its answer to a parameter
    that is 1 in the first place and 0 elsewhere is to change the first scalar, and each image can have its
    own multiple.
    """
    sampled = sampled_parameters(net, limit)
    changes = {(layer, name): images.new_zeros(len(images)) for layer in sampled for name in sampled[layer]}
    for change in changes.values():
        change.requires_grad_()
    answering = False

    def add_changes(layer: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor | None:
        nonlocal answering
        if answering:
            return None
        changed = output.clone()
        first = changed.select(-1 if isinstance(layer, nn.Linear) else 1, 0)
        for name in sampled[layer]:
            answering = True
            with torch.no_grad():
                answer = functional_call(layer, one_hot_parameters(layer, name), args)
            answering = False
            answer = answer.select(-1 if isinstance(layer, nn.Linear) else 1, 0).clone()
            first += changes[layer, name].view(-1, *[1] * (first.dim() - 1)) * answer
        return changed

    with forward_hooks(sampled, add_changes), torch.enable_grad():
        logits = net(images)
        scalars = list(changes.values())
        rows = [
            torch.autograd.grad(column.sum(), scalars, retain_graph=True, materialize_grads=True)
            for column in logits.unbind(1)
        ]
    jacobian = torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)
    return logits.detach().double(), jacobian.double()


def sampled_parameters(net: nn.Module, limit: int) -> dict[nn.Module, list[str]]:
    """Returns, by layer, the names of the first `limit` parameters of convolutions, linear layers and BNs."""
    sampled: dict[nn.Module, list[str]] = {}
    for layer in net.modules():
        if isinstance(layer, (*LAYERS, *BATCH_NORMS)):
            for name, _ in layer.named_parameters():
                if limit > 0:
                    sampled.setdefault(layer, []).append(name)
                    limit -= 1
    if not sampled:
        raise ValueError("vkdnw: the net has no convolution, linear layer or BN to differentiate in.")
    return sampled


def one_hot_parameters(layer: nn.Module, name: str) -> dict[str, Tensor]:
    """Returns parameters for `layer` that are 0 but for a 1 in the first place of `name`."""
    zeros = {other: torch.zeros_like(parameter) for other, parameter in layer.named_parameters()}
    zeros[name].view(-1)[0] = 1
    return zeros
