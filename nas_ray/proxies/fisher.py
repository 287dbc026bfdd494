"""Fisher: how much the loss depends on each channel."""

from __future__ import annotations

from torch import Tensor, nn

from nas_ray.proxies.checks import LAYERS, checked
from nas_ray.proxies.gradients import fisher_pass
from nas_ray.proxies.layout import with_channels_last
from nas_ray.proxies.needs import needs


@needs(modules=LAYERS, words="convolutions or linear layers")
@checked
@with_channels_last
def fisher(net: nn.Module, inputs: Tensor, targets: Tensor, *, per_weight: bool = True) -> float:
    """Returns the sum over weights of `1/2 mean over images (sum over map of a dL/da)^2`; larger is better.

    a is the channel that a weight makes, out of the outputs of every convolution and linear layer, and L is
    the mean cross-entropy of the batch. So a channel counts as often as it has weights (in-channels times
    kernel area), or once with `per_weight=False`. A channel that the loss does not depend on adds 0; a layer
    that is called twice counts twice; a layer whose weight is used without calling it, such as `out_proj` of
    attention, counts as if it were called. Where it has several rows for an image, as for windows, these
    follow each other.

    Shapes: `inputs [B, 3, H, W]`, `targets [B]`.
    Needs: one batch of real images, labels, one forward and one backward pass.
    Initialisation: torch's default; BN in batch mode, dropout off.

    Source: Turner, Crowley, O'Boyle, Storkey and Gray, "BlockSwap: Fisher-guided Block Substitution for
    Network Compression on a Budget", ICLR 2020; with the layers and the count of Abdelfattah et al.,
    "Zero-Cost Proxies for Lightweight NAS", ICLR 2021, whose figures are the published ones.
    Differs: channels of linear layers on `[B, positions, C]` are the last axis; the released code takes the
    second for them. It sees calls of layers alone. BlockSwap counts each channel once, which is
    `per_weight=False`, on the command line `fisher_channels`: a much smaller number, with less weight on wide
    layers and 3x3 kernels, and other ranks.

    Raises:
        ValueError: the net has no convolution or linear layer, uses the weight of one in a way that has no
            channels, or labels that do not fit the net.
    """
    terms = fisher_pass(net, inputs, targets, name="fisher").terms
    return float(sum(term * weights if per_weight else term for term, weights in terms))
