"""l2_norm: size of the weights, a weak baseline."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nas_ray.proxies.checks import LAYERS
from nas_ray.proxies.gradients import layer_weights
from nas_ray.proxies.needs import needs


@needs(modules=LAYERS, words="convolutions or linear layers")
def l2_norm(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns the sum over convolution and linear layers of the L2 norm of the weight; larger is better.

    Shapes: `inputs` and `targets` are not used.
    Needs: nothing but the net. Initialisation: torch's default; BN is irrelevant.

    Source: Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021 (a baseline of the
    released code).
    Differs: none known.

    Raises:
        ValueError: the net has no convolution or linear layer.
    """
    weights = layer_weights("l2_norm", net)
    return float(sum(torch.linalg.vector_norm(weight.detach(), dtype=torch.float64) for weight in weights))
