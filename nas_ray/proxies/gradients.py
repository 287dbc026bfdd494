"""Gradients that several proxies are made of: of the loss in the weights, of the outputs in the images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.proxies.checks import LAYERS
from nas_ray.proxies.functions import LayerFunctions, image_of_rows
from nas_ray.proxies.hooks import batch_statistics, forward_hooks, requiring_grad
from nas_ray.proxies.losses import batch_loss
from nas_ray.proxies.sharing import known, shared

LAYER_FUNCTIONS = (F.linear, F.conv1d, F.conv2d, F.conv3d)
"""Functions that do with a weight what such a layer does."""

PART = 2**20
"""Elements that are turned into float64 at once."""


def weighted_layers(name: str, net: nn.Module) -> list[nn.Module]:
    """Returns the convolutions and linear layers of `net`, in the order of definition.

    Raises:
        ValueError: there are none, or one computes its weight; the sentence starts with `name`.
    """
    layers: list[nn.Module] = [module for module in net.modules() if isinstance(module, LAYERS)]
    if not layers:
        raise ValueError(f"{name}: the net has no convolution or linear layer to score.")
    if computed := [layer for layer in layers if not isinstance(layer.weight, nn.Parameter)]:
        raise ValueError(
            f"{name}: needs weights as parameters, but a {type(computed[0]).__name__} computes its own; "
            "remove its parametrization."
        )
    return layers


def layer_weights(name: str, net: nn.Module) -> list[nn.Parameter]:
    """Returns the weights, without biases, of `weighted_layers`."""
    return [layer.get_parameter("weight") for layer in weighted_layers(name, net)]


def part_gradients(
    name: str,
    net: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    *,
    watching: AbstractContextManager[None] | None = None,
) -> list[tuple[Tensor, Tensor]]:
    """Returns `(weight, gradient of batch_loss)` for each convolution and linear layer.

    BN is in batch mode. A weight that the loss does not depend on has a gradient of zeros. The forward pass
    runs within `watching`.

    Raises:
        ValueError: no layer to score, or labels that do not fit; the sentence starts with `name`.
    """
    weights = layer_weights(name, net)
    with batch_statistics(net), requiring_grad(weights):
        with watching or nullcontext():
            logits = net(inputs)
        loss = batch_loss(name, logits, targets)
        grads = gradients(loss, weights)
    return [(weight.detach(), grad) for weight, grad in zip(weights, grads, strict=True)]


_shared_gradients = shared(part_gradients)


def loss_gradients(name: str, net: nn.Module, inputs: Tensor, targets: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Returns `part_gradients` of the whole batch, from a pass of another proxy where there was one."""
    wider = known(fisher_pass, net, inputs, targets)
    return wider.weights if wider else _shared_gradients(name=name, net=net, inputs=inputs, targets=targets)


@dataclass(frozen=True)
class FisherPass:
    """What one forward and one backward pass of the loss give.

    Attributes:
        weights: as `part_gradients`.
        terms: for each use of such a layer on which the loss depends, `channel_fisher` of its output and the
            number of weights that make a channel.
    """

    weights: list[tuple[Tensor, Tensor]]
    terms: list[tuple[Tensor, int]]


@shared
def fisher_pass(net: nn.Module, inputs: Tensor, targets: Tensor, *, name: str) -> FisherPass:
    """Returns the gradients of the loss of `inputs [B, 3, H, W]` and `targets [B]`, with Fisher terms.

    Raises:
        ValueError: as `part_gradients`, or the net uses a weight in a way that has no channels.
    """
    first = _watched_pass(name, net, inputs, targets, copies=False)
    return first or _watched_pass(name, net, inputs, targets, copies=True) or FisherPass([], [])


def _watched_pass(
    name: str, net: nn.Module, inputs: Tensor, targets: Tensor, copies: bool
) -> FisherPass | None:
    """Returns the pass; without `copies` of the outputs None where a later layer worked on one in place."""
    terms: list[tuple[Tensor, int]] = []
    overwritten = False

    def watch(layer: nn.Module, args: Any, output: Tensor) -> Tensor | None:
        activation = output.detach()  # a hook that holds its own tensor would never be freed
        version = activation._version
        axis = -1 if isinstance(layer, nn.Linear) else 1
        weights = layer.get_parameter("weight").numel() // output.shape[axis]
        owners = image_of_rows(len(output), len(inputs), functions.in_attention, output.device)
        if owners is None:
            raise ValueError(
                f"{name}: a {type(layer).__name__} has {len(output)} rows for {len(inputs)} images, which "
                "cannot be shared out."
            )

        def finish(grad: Tensor) -> None:
            nonlocal overwritten
            overwritten |= activation._version != version
            terms.append((channel_fisher(activation, grad, axis, owners, len(inputs)), weights))

        if output.requires_grad:
            output.register_hook(finish)  # type: ignore[no-untyped-call]  # torch gives no types
        return output.clone() if copies else None

    layers = weighted_layers(name, net)
    functions = LayerFunctions(layers, watch, LAYER_FUNCTIONS, same_bias=False)
    with forward_hooks(layers, watch):
        weights = part_gradients(name, net, inputs, targets, watching=functions.watching())
    for place, parameter in net.named_parameters():
        if id(parameter) in functions.outside and any(layer.weight is parameter for layer in layers):
            raise ValueError(
                f"{name}: the net uses {place} otherwise than a layer does, so it makes no channels."
            )
    return None if overwritten else FisherPass(weights, terms)


def channel_fisher(activation: Tensor, grad: Tensor, axis: int, owners: Tensor, images: int) -> Tensor:
    """Returns `1/2 sum over channels of mean over images of (sum over positions of a g)^2`.

    Args:
        activation: `[rows, ...]` with channels along `axis`.
        grad: the gradient in it.
        axis: 1 or -1.
        owners: `[rows]`, the image of each row.
        images: how many there are.
    """
    product = (activation * grad).movedim(axis, 1)
    per_row = product.flatten(2).sum(2) if product.dim() > 2 else product
    per_image = per_row
    if len(per_row) != images:
        per_image = per_row.new_zeros(images, per_row.shape[1]).index_add(0, owners, per_row)
    return per_image.double().pow(2).mean(0).sum() / 2


def gradients(output: Tensor, weights: list[nn.Parameter]) -> tuple[Tensor, ...]:
    """Returns `d output / d weight`, zeros where `output` does not depend on the weight."""
    if not output.requires_grad:
        return tuple(torch.zeros_like(weight) for weight in weights)
    return torch.autograd.grad(output, weights, materialize_grads=True)


@shared
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
