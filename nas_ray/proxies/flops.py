"""Number of multiply-adds of one forward pass."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from nas_ray.proxies.checks import checked
from nas_ray.proxies.hooks import forward_hooks, preserved_state


@checked
def flops(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns the multiply-adds of convolutions and linear layers for one image; larger is better.

    Shapes: `inputs [B, 3, H, W]`, of which only the shape of an image matters; `targets` is not used.
    Needs: one forward pass of one image. Initialisation: irrelevant; BN in evaluation mode.

    A bias counts as one multiply-add per output. BN, ReLU and pooling count nothing. A layer that is called
    twice counts twice, and one that is never called counts nothing.

    Source: the convention of Dong and Yang, "NAS-Bench-201", ICLR 2020, whose published figure on CIFAR-10 is
    `7.78305 + 3.93216 n1 + 35.38944 n3` million.
    Differs: none known.

    Raises:
        ValueError: the net has no convolution or linear layer.
    """
    layers = [m for m in net.modules() if isinstance(m, (nn.modules.conv._ConvNd, nn.Linear))]
    if not layers:
        raise ValueError("flops: the net has no convolution or linear layer to count.")
    total = 0

    def count(layer: nn.Module, args: tuple[Any, ...], output: Tensor) -> None:
        nonlocal total
        total += multiply_adds(layer, output)

    with preserved_state(net), forward_hooks(layers, count), torch.no_grad():
        net.eval()
        net(inputs[:1])
    return float(total)


def multiply_adds(layer: nn.Module, output: Tensor) -> int:
    """Returns the multiply-adds of a convolution or linear `layer` that produced `output [1, ...]`."""
    weight, bias = layer.get_parameter("weight"), layer.bias
    per_output = weight[0].numel() + (bias is not None)
    return output.numel() * per_output
