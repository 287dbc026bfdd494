"""ZiCo: how large and how steady the gradient of each weight is over batches."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from nas_ray.proxies.checks import LAYERS, checked
from nas_ray.proxies.gradients import part_gradients, total
from nas_ray.proxies.layout import with_channels_last
from nas_ray.proxies.needs import needs


@needs(modules=LAYERS, words="convolutions or linear layers", parts=True)
@checked
@with_channels_last
def zico(net: nn.Module, inputs: Tensor, targets: Tensor, *, batches: int = 2) -> float:
    """Returns the sum over convolutions and linear layers of `log sum (mean |g| / std g)`; larger is better.

    g is the gradient of the mean cross-entropy in one weight; mean and standard deviation (the
    population's) are over `batches` parts of the minibatch, as equal as they can be. Weights whose gradient
    does not vary are left out, and so are layers in which none does. A net without any such layer scores 0;
    with two batches no other net scores less.

    Shapes: `inputs [B, 3, H, W]`, `targets [B]`.
    Needs: at least two batches, here parts of one; labels, and one forward and one backward pass of each.
    Initialisation: torch's default; BN in batch mode, so each part has its own statistics; dropout off.

    Source: Li, Yang, Bhardwaj and Marculescu, "ZiCo: Zero-shot NAS via Inverse Coefficient of Variation on
    Gradients", ICLR 2023.
    Differs: the released code draws separate batches of the full size; here they are parts of the one given,
    and nothing else is different. Its first release did not clear gradients between batches, so that its
    second gradient was the sum of both, which gives larger ratios.

    Raises:
        ValueError: fewer than two batches, fewer than two images for each, no convolution or linear layer,
            or labels that do not fit the net.
    """
    if batches < 2:
        raise ValueError(f"zico: needs at least 2 batches, got batches={batches}.")
    if len(inputs) < 2 * batches:
        raise ValueError(
            f"zico: needs at least {2 * batches} images for {batches} batches, got {len(inputs)}."
        )
    if not isinstance(targets, Tensor) or len(targets) != len(inputs):
        given = len(targets) if isinstance(targets, Tensor) else targets
        raise ValueError(f"zico: needs one label per image, got {given} for {len(inputs)} images.")
    parts = zip(inputs.tensor_split(batches), targets.tensor_split(batches), strict=True)
    per_part = [[grad for _, grad in part_gradients("zico", net, *part)] for part in parts]
    sums = [total(steadiness, [grads]) for grads in zip(*per_part, strict=True)]
    return sum((math.log(layer) for layer in sums if layer > 0), start=0.0)


def steadiness(*grads: Tensor) -> Tensor:
    """Returns `mean |g| / std g` for each weight, of its gradients over batches; 0 where they are equal."""
    stacked = torch.stack(grads)
    deviation = (stacked - stacked.mean(0)).square().mean(0).sqrt()
    return torch.where(deviation > 0, stacked.abs().mean(0) / deviation, 0.0)
