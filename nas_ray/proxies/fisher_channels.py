"""Fisher with every channel counted once."""

from __future__ import annotations

from torch import Tensor, nn

from nas_ray.proxies.checks import LAYERS, checked
from nas_ray.proxies.gradients import fisher_pass
from nas_ray.proxies.layout import with_channels_last
from nas_ray.proxies.needs import needs


@needs(modules=LAYERS, words="convolutions or linear layers")
@checked
@with_channels_last
def fisher_channels(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns the sum over channels of `1/2 mean over images (sum over map of a dL/da)^2`; larger is better.

    It is `fisher(..., per_weight=False)`: a channel counts once, however many weights make it.

    Shapes: `inputs [B, 3, H, W]`, `targets [B]`.
    Needs: one batch of real images, labels, one forward and one backward pass.
    Initialisation: torch's default; BN in batch mode, dropout off.

    Source: Turner, Crowley, O'Boyle, Storkey and Gray, "BlockSwap: Fisher-guided Block Substitution for
    Network Compression on a Budget", ICLR 2020.
    Differs: all convolutions and linear layers count; the paper takes the last activation of each block.

    Raises:
        ValueError: as `fisher`.
    """
    return float(sum(term for term, _ in fisher_pass(net, inputs, targets, name="fisher_channels").terms))
