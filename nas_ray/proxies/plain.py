"""plain: SNIP without the absolute value, a weak baseline."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nas_ray.proxies.checks import LAYERS, checked
from nas_ray.proxies.gradients import loss_gradients, total
from nas_ray.proxies.layout import with_channels_last
from nas_ray.proxies.needs import needs


@needs(modules=LAYERS, words="convolutions or linear layers")
@checked
@with_channels_last
def plain(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns the sum of `weight * dL / dweight` over convolution and linear weights; larger is better.

    L is the mean cross-entropy of the batch. The output of a net does not change when weights before a BN
    in batch mode are scaled, so these add nothing, and what remains comes mostly from the classifier.

    Shapes: `inputs [B, 3, H, W]`, `targets [B]`.
    Needs: one batch of real images, labels, one forward and one backward pass.
    Initialisation: torch's default; BN in batch mode, dropout off.

    Source: Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021 (a baseline of the
    released code).
    Differs: none known; the terms are summed in float64, since they cancel.

    Raises:
        ValueError: the net has no convolution or linear layer, or labels that do not fit the net.
    """
    pairs = loss_gradients("plain", net, inputs, targets)
    return total(torch.mul, pairs)
