"""SNIP: how much the loss depends on each connection."""

from __future__ import annotations

from torch import Tensor, nn

from nas_ray.proxies.checks import LAYERS, checked
from nas_ray.proxies.gradients import loss_gradients, total
from nas_ray.proxies.layout import with_channels_last
from nas_ray.proxies.needs import needs


@needs(modules=LAYERS, words="convolutions or linear layers", recurrent=True)
@checked
@with_channels_last
def snip(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns the sum of `|weight * dL / dweight|` over convolution and linear weights; larger is better.

    L is the mean cross-entropy of the batch. A weight that the loss does not depend on adds 0.

    Shapes: `inputs [B, 3, H, W]`, `targets [B]`.
    Needs: one batch of real images, labels, one forward and one backward pass.
    Initialisation: torch's default; BN in batch mode, dropout off.

    Source: Lee, Ajanthan and Torr, "SNIP: Single-Shot Network Pruning Based on Connection Sensitivity",
    ICLR 2019; summed over the net as in Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR
    2021.
    Differs: the pruning paper divides each term by the sum of all, which would make every score 1. The
    released code differentiates in a mask of ones, which gives the same products.

    Raises:
        ValueError: the net has no convolution or linear layer, or labels that do not fit the net.
    """
    pairs = loss_gradients("snip", net, inputs, targets)
    return total(lambda weight, grad: (weight * grad).abs(), pairs)
