"""LogSynFlow as released: BN removed, all other layers as they are."""

from __future__ import annotations

import math

from torch import Tensor, nn

from nas_ray.proxies.checks import LAYERS, checked
from nas_ray.proxies.gradients import total
from nas_ray.proxies.needs import needs
from nas_ray.proxies.synflow import synaptic_gradients


@needs(numbers=True, modules=LAYERS, words="convolutions or linear layers")
@checked
def logsynflow_released(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns the sum of `weight * log(1 + dR/dweight)` with BN alone removed; larger is better.

    It is `logsynflow(..., linear=False)`: other norms and activations stay. On nets of BN and ReLU it
    equals `logsynflow`; where activations saturate or norms divide, it says little of a net.

    Shapes: of `inputs [B, 3, H, W]` only the shape of an image is used; `targets` is not used.
    Needs: one forward and one backward pass of one image; no data, no labels.
    Initialisation: torch's default; there is no BN left.

    Source: Cavagnero, Robbiano, Caputo and Averta, "FreeREA: Training-Free Evolution-based Architecture
    Search", WACV 2023.
    Differs: scored once, with the weights that the net has; the paper averages over three initialisations.

    Raises:
        ValueError: as `logsynflow`, or a gradient is below -1, where the logarithm ends.
    """
    pairs = synaptic_gradients("logsynflow_released", net, inputs, linear=False)
    score = total(lambda weight, grad: weight * grad.log1p(), pairs)
    if math.isnan(score):
        raise ValueError(
            "logsynflow_released: a gradient below -1, which norms that stay in the net can make, has no "
            "logarithm; use logsynflow."
        )
    return score
