"""grad_norm: size of the loss gradient."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nas_ray.proxies.checks import LAYERS, checked
from nas_ray.proxies.gradients import loss_gradients
from nas_ray.proxies.layout import with_channels_last
from nas_ray.proxies.needs import needs


@needs(modules=LAYERS, words="convolutions or linear layers", recurrent=True)
@checked
@with_channels_last
def grad_norm(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns the sum over convolution and linear layers of the L2 norm of `dL / dweight`; larger is better.

    L is the mean cross-entropy of the batch. It is a sum of norms, not the norm of the whole gradient. A
    layer that the loss does not depend on adds 0.

    Shapes: `inputs [B, 3, H, W]`, `targets [B]`.
    Needs: one batch of real images, labels, one forward and one backward pass.
    Initialisation: torch's default; BN in batch mode, dropout off.

    Source: Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021, section 3.1.
    Differs: none known.

    Raises:
        ValueError: the net has no convolution or linear layer, or labels that do not fit the net.
    """
    pairs = loss_gradients("grad_norm", net, inputs, targets)
    return float(sum(torch.linalg.vector_norm(grad, dtype=torch.float64) for _, grad in pairs))
