"""Linear regions: how many images fall into different linear pieces of an untrained net."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nas_ray.proxies.checks import checked
from nas_ray.proxies.layout import with_channels_last
from nas_ray.proxies.naswot import RELUS, relu_calls
from nas_ray.proxies.needs import needs


@needs(modules=RELUS, words="ReLU modules")
@checked
@with_channels_last
def linear_regions(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns the number of distinct ReLU patterns over the images of the batch; larger is better.

    The pattern of an image says of every ReLU unit of the net whether its pre-activation is positive. The
    number is between 1 and B, and almost always B for nets of the usual width on real images: use thin
    nets, small images and many of them, such as `NatsTss(channels=1, cells=1)` on 3x3 crops.

    Shapes: `inputs [B, 3, H, W]`; `targets` is not used.
    Needs: one large batch of images, one forward pass, no labels.
    Initialisation: torch's default; BN in batch mode, dropout off.

    Source: Chen, Gong and Wang, "Neural Architecture Search on ImageNet in Four GPU Hours: A Theoretically
    Inspired Perspective" (TE-NAS), ICLR 2021.
    Differs: the released code builds its own thin net and feeds it 3,000 images of 3x3 pixels and one
    channel; here the given net and images are used, so the number is smaller and saturates. It also leaves
    out ReLUs after linear layers and compares patterns by products in half precision, which can overflow;
    here all ReLUs count, exactly.

    Raises:
        ValueError: fewer than two images, or the net calls no ReLU module.
    """
    if len(inputs) < 2:
        raise ValueError(f"linear_regions: needs a batch of at least 2 images, got {len(inputs)}.")
    calls = relu_calls(net, inputs)
    if not calls:
        raise ValueError("linear_regions: the net calls no ReLU module.")
    equal = torch.stack([call.kernel == call.units for call in calls]).all(0)
    return float((~equal.tril(-1).any(1)).sum())
