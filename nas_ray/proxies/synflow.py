"""SynFlow: the total strength of all paths through a net, without any data."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from nas_ray.proxies.checks import checked
from nas_ray.proxies.gradients import gradients, layer_weights, total

NORMS = (nn.modules.batchnorm._BatchNorm, nn.GroupNorm, nn.LayerNorm, nn.modules.instancenorm._InstanceNorm)


@checked
def synflow(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns the sum of `weight * dR / dweight` over convolution and linear weights; larger is better.

    R is the sum of the outputs for one all-ones image, after every parameter is replaced by its absolute
    value and every normalisation layer by the identity. Scores span many orders of magnitude (up to 1e48 for
    deep nets), so everything is float64; rank them, or compare logarithms.

    Shapes: of `inputs [B, 3, H, W]` only the shape of an image is used; `targets` is not used.
    Needs: one forward and one backward pass of one image; no data, no labels.
    Initialisation: torch's default; there is no BN left.

    Source: Tanaka, Kunin, Yamins and Ganguli, "Pruning neural networks without any data by iteratively
    conserving synaptic flow", NeurIPS 2020, equation 3; summed over the net as in Abdelfattah et al.,
    "Zero-Cost Proxies for Lightweight NAS", ICLR 2021, section 3.1.
    Differs: none known.

    Raises:
        ValueError: the net has no convolution or linear layer.
    """
    return total(torch.mul, synaptic_gradients("synflow", net, inputs))


def synaptic_gradients(name: str, net: nn.Module, inputs: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Returns `(|weight|, dR / d|weight|)` in float64 for each convolution and linear layer."""
    linear = linearized(net)
    weights = layer_weights(name, linear)
    with torch.enable_grad():
        flow = linear(torch.ones_like(inputs[:1], dtype=torch.float64)).sum()
        grads = gradients(flow, weights)
    return [(weight.detach(), grad) for weight, grad in zip(weights, grads, strict=True)]


def linearized(net: nn.Module) -> nn.Module:
    """Returns a float64 copy of `net` with absolute parameters and identities for normalisation.

    On an input without negative values such a net of convolutions, ReLUs and averages is linear in each
    weight.
    """
    linear = copy.deepcopy(net).double().eval()
    for parent in list(linear.modules()):
        for name, child in parent.named_children():
            if isinstance(child, NORMS):
                setattr(parent, name, nn.Identity())
    with torch.no_grad():
        for parameter in linear.parameters():
            parameter.abs_().requires_grad_()
    return linear
