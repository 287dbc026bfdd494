"""Gradients that several proxies are made of: of the loss in the weights, of the outputs in the images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.proxies.hooks import batch_statistics, requiring_grad

LAYERS = (nn.modules.conv._ConvNd, nn.Linear)

PART = 2**20
"""Elements that are turned into float64 at once."""


def weighted_layers(name: str, net: nn.Module) -> list[nn.Module]:
    """Returns the convolutions and linear layers of `net`, in the order of definition.

    Raises:
        ValueError: there are none; the sentence starts with `name`.
    """
    layers: list[nn.Module] = [module for module in net.modules() if isinstance(module, LAYERS)]
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
    check_labels(name, logits.shape[1], len(logits), targets)
    return F.cross_entropy(logits, targets.long())


def check_labels(name: str, classes: int, images: int, targets: Tensor) -> None:
    """Raises a ValueError that starts with `name` unless each image has a label below `classes`."""
    if len(targets) != images:
        raise ValueError(f"{name}: needs one label per image, got {len(targets)} for {images} images.")
    low, high = int(targets.min()), int(targets.max())
    if low < 0 or high >= classes:
        raise ValueError(f"{name}: the net has {classes} outputs, but the labels reach from {low} to {high}.")


def loss_gradients(name: str, net: nn.Module, inputs: Tensor, targets: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Returns `(weight, gradient of the mean cross-entropy)` for each convolution and linear layer.

    BN is in batch mode. A weight that the loss does not depend on has a gradient of zeros.
    """
    weights = layer_weights(name, net)
    with batch_statistics(net), requiring_grad(weights):
        loss = cross_entropy(name, net(inputs), targets)
        grads = gradients(loss, weights)
    return [(weight.detach(), grad) for weight, grad in zip(weights, grads, strict=True)]


def gradients(output: Tensor, weights: list[nn.Parameter]) -> tuple[Tensor, ...]:
    """Returns `d output / d weight`, zeros where `output` does not depend on the weight."""
    if not output.requires_grad:
        return tuple(torch.zeros_like(weight) for weight in weights)
    return torch.autograd.grad(output, weights, materialize_grads=True)


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


def total(term: Callable[..., Tensor], tensors: Iterable[Sequence[Tensor]]) -> float:
    """Returns the sum of `term(a, b, ...)`, elementwise on float64, over all elements of all `(a, b, ...)`.

    Large tensors go in parts, so that little memory is needed beside them.
    """
    sums = [
        term(*(part.double() for part in parts)).sum()
        for aligned in tensors
        for parts in zip(*(torch.split(tensor.flatten(), PART) for tensor in aligned), strict=True)
    ]
    return float(torch.stack(sums).sum())
