"""Gradients that several proxies are made of: of the loss in the weights, of the outputs in the images."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.proxies.hooks import batch_statistics, requiring_grad

LAYERS = (nn.modules.conv._ConvNd, nn.Linear)


def weighted_layers(name: str, net: nn.Module) -> list[nn.Module]:
    """Returns the convolutions and linear layers of `net`, in the order of definition.

    Raises:
        ValueError: there are none; the sentence starts with `name`.
    """
    layers = [module for module in net.modules() if isinstance(module, LAYERS)]
    if not layers:
        raise ValueError(f"{name}: the net has no convolution or linear layer to score.")
    return layers


def layer_weights(name: str, net: nn.Module) -> list[nn.Parameter]:
    """Returns the weights, without biases, of `weighted_layers`."""
    return [layer.get_parameter("weight") for layer in weighted_layers(name, net)]


def cross_entropy(name: str, logits: Tensor, targets: Tensor) -> Tensor:
    """Returns the mean cross-entropy of `logits [B, classes]` and `targets [B]`.

    Raises:
        ValueError: as many labels as images are needed, each below the number of classes.
    """
    if len(targets) != len(logits):
        raise ValueError(f"{name}: needs one label per image, got {len(targets)} for {len(logits)} images.")
    if len(targets) and not 0 <= int(targets.min()) <= int(targets.max()) < logits.shape[1]:
        raise ValueError(
            f"{name}: the net has {logits.shape[1]} outputs, but the labels reach from {int(targets.min())} "
            f"to {int(targets.max())}."
        )
    return F.cross_entropy(logits, targets.long())


def loss_gradients(
    name: str, net: nn.Module, inputs: Tensor, targets: Tensor
) -> list[tuple[Tensor, Tensor]]:
    """Returns `(weight, gradient of the mean cross-entropy)` for each convolution and linear layer.

    BN is in batch mode. A weight that the loss does not depend on has a gradient of zeros.
    """
    weights = layer_weights(name, net)
    with batch_statistics(net), requiring_grad(weights):
        loss = cross_entropy(name, net(inputs), targets)
        grads = gradients(loss, weights)
    return [(weight.detach(), grad) for weight, grad in zip(weights, grads, strict=True)]


def gradients(total: Tensor, weights: list[nn.Parameter]) -> tuple[Tensor, ...]:
    """Returns `d total / d weight`, zeros where `total` does not depend on the weight."""
    if not total.requires_grad:
        return tuple(torch.zeros_like(weight) for weight in weights)
    return torch.autograd.grad(total, weights, materialize_grads=True)


def input_jacobian(net: nn.Module, inputs: Tensor) -> tuple[Tensor, int]:
    """Returns `d (sum of all outputs) / d inputs` as float64 `[B, 3 * H * W]`, and the number of classes.

    BN is in batch mode, so a row also holds what an image does to the outputs of the others.
    """
    images = inputs.detach().clone().requires_grad_()
    with batch_statistics(net), torch.enable_grad():
        logits = net(images)
        if not logits.requires_grad:
            return torch.zeros_like(inputs, dtype=torch.float64).flatten(1), logits.shape[1]
        (jacobian,) = torch.autograd.grad(logits.sum(), images, materialize_grads=True)
    return jacobian.flatten(1).double(), logits.shape[1]
