"""Fisher: how much the loss depends on each channel."""

from __future__ import annotations

from torch import Tensor, nn

from nas_ray.proxies.checks import checked
from nas_ray.proxies.gradients import fisher_pass


@checked
def fisher(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns the sum over channels of `1/2 mean over images (sum over map of a dL/da)^2`; larger is better.

    The channels are those of the outputs a of every convolution and linear layer, and L is the mean
    cross-entropy of the batch. A channel that the loss does not depend on adds 0; a layer that is called
    twice counts twice.

    Shapes: `inputs [B, 3, H, W]`, `targets [B]`.
    Needs: one batch of real images, labels, one forward and one backward pass.
    Initialisation: torch's default; BN in batch mode, dropout off.

    Source: Turner, Crowley, O'Boyle, Storkey and Gray, "BlockSwap: Fisher-guided Block Substitution for
    Network Compression on a Budget", ICLR 2020; with the layers of Abdelfattah et al., "Zero-Cost Proxies
    for Lightweight NAS", ICLR 2021.
    Differs: the released code of the latter copies the value of a channel to each of its weights before it
    sums, so that a channel counts as often as it has weights (in-channels times kernel area); here it
    counts once, which gives a much smaller number and less weight to wide layers and 3x3 kernels.

    Raises:
        ValueError: the net has no convolution or linear layer, or labels that do not fit the net.
    """
    return float(sum(fisher_pass(net, inputs, targets, name="fisher").terms))
