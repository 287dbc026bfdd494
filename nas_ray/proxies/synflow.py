"""SynFlow: the total strength of all paths through a net, without any data."""

from __future__ import annotations

import copy
from contextlib import nullcontext

import torch
from torch import Tensor, nn

from nas_ray.proxies.checks import LAYERS, checked
from nas_ray.proxies.gradients import gradients, layer_weights, total
from nas_ray.proxies.hooks import BATCH_NORMS
from nas_ray.proxies.linear_flow import LinearFlow
from nas_ray.proxies.needs import needs
from nas_ray.proxies.on_tokens import on_embedding

NORMS = (*BATCH_NORMS, nn.GroupNorm, nn.LayerNorm, nn.modules.instancenorm._InstanceNorm)


@needs(numbers=True, modules=LAYERS, words="convolutions or linear layers", embedded=True, recurrent=True)
@on_embedding
@checked
def synflow(net: nn.Module, inputs: Tensor, targets: Tensor, *, linear: bool = True) -> float:
    """Returns the sum of `weight * dR / dweight` over convolution and linear weights; larger is better.

    R is the sum of the outputs for one all-ones image, after every parameter is replaced by its absolute
    value, every normalisation by the identity, every activation by ReLU, and every gate (a factor made by a
    sigmoid or softmax, as in squeeze-and-excitation and attention) by an open one (`LinearFlow`). Scores span
    many orders of magnitude (up to 1e48 for deep nets), so everything is float64; rank them, or compare
    logarithms.

    Shapes: of `inputs [B, 3, H, W]` only the shape of an image is used; `targets` is not used. Of a text
    `[B, T]` it is that of embedded words `[1, T, E]`, and R goes through all steps of the net.
    Needs: one forward and one backward pass of one image; no data, no labels.
    Initialisation: torch's default; there is no BN left.

    Source: Tanaka, Kunin, Yamins and Ganguli, "Pruning neural networks without any data by iteratively
    conserving synaptic flow", NeurIPS 2020, equation 3; summed over the net as in Abdelfattah et al.,
    "Zero-Cost Proxies for Lightweight NAS", ICLR 2021, section 3.1.
    Differs: the released code removes BN alone and keeps activations. Where they saturate nothing flows:
    52 of the 53 layers of a MobileNetV2 with ReLU6 then score 0, and its width hardly matters. Norms other
    than BN are removed here as well, so nets with LayerNorm, such as ConvNeXt, have another number.
    `linear=False`, on the command line `synflow_released`, is the released form; nets of BN and ReLU score
    the same in both.

    Raises:
        ValueError: the net has no convolution or linear layer.
    """
    return total(torch.mul, synaptic_gradients("synflow", net, inputs, linear=linear))


def synaptic_gradients(
    name: str, net: nn.Module, inputs: Tensor, *, linear: bool = True
) -> list[tuple[Tensor, Tensor]]:
    """Returns `(|weight|, dR / d|weight|)` in float64 for each convolution and linear layer.

    Args:
        name: of the proxy, for errors.
        net: whose weights count.
        inputs: `[B, 3, H, W]`, for their shape.
        linear: norms and activations let everything pass; else BN alone.
    """
    positive = positive_copy(net, NORMS if linear else BATCH_NORMS)
    weights = layer_weights(name, positive)
    with torch.enable_grad(), LinearFlow() if linear else nullcontext():
        flow = positive(torch.ones_like(inputs[:1], dtype=torch.float64)).sum()
    grads = gradients(flow, weights)
    return [(weight.detach(), grad) for weight, grad in zip(weights, grads, strict=True)]


def positive_copy(net: nn.Module, norms: tuple[type[nn.Module], ...]) -> nn.Module:
    """Returns a float64 copy of `net` with absolute parameters and identities for `norms`.

    On an input without negative values such a net of convolutions, ReLUs and averages is linear in each
    weight.
    """
    positive = copy.deepcopy(net).double().eval()
    for parent in list(positive.modules()):
        for name, child in parent.named_children():
            if isinstance(child, norms):
                setattr(parent, name, nn.Identity())
    with torch.no_grad():
        for parameter in positive.parameters():
            parameter.abs_().requires_grad_()
    return positive
