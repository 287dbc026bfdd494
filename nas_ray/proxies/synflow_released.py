"""SynFlow as released: BN removed, all other layers as they are."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nas_ray.proxies.checks import LAYERS, checked
from nas_ray.proxies.gradients import total
from nas_ray.proxies.needs import needs
from nas_ray.proxies.synflow import synaptic_gradients


@needs(numbers=True, modules=LAYERS, words="convolutions or linear layers")
@checked
def synflow_released(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns the sum of `weight * dR / dweight` with BN alone removed; larger is better.

    It is `synflow(..., linear=False)`: other norms and activations stay. On nets of BN and ReLU it
    equals `synflow`; where activations saturate or norms divide, it says little of a net.

    Shapes: of `inputs [B, 3, H, W]` only the shape of an image is used; `targets` is not used.
    Needs: one forward and one backward pass of one image; no data, no labels.
    Initialisation: torch's default; there is no BN left.

    Source: Tanaka, Kunin, Yamins and Ganguli, "Pruning neural networks without any data by iteratively
    conserving synaptic flow", NeurIPS 2020; as released with Abdelfattah et al., "Zero-Cost Proxies for
    Lightweight NAS", ICLR 2021.
    Differs: none known.

    Raises:
        ValueError: as `synflow`.
    """
    return total(torch.mul, synaptic_gradients("synflow_released", net, inputs, linear=False))
