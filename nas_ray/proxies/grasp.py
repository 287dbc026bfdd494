"""GraSP: how much the flow of gradients depends on each weight."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nas_ray.proxies.checks import LAYERS, checked, needed_derivatives
from nas_ray.proxies.gradients import layer_weights, total
from nas_ray.proxies.hooks import batch_statistics, requiring_grad
from nas_ray.proxies.layout import with_channels_last
from nas_ray.proxies.losses import batch_loss
from nas_ray.proxies.needs import needs
from nas_ray.proxies.second_derivatives import SecondDerivatives


@needs(modules=LAYERS, words="convolutions or linear layers")
@checked
@with_channels_last
def grasp(net: nn.Module, inputs: Tensor, targets: Tensor, *, T: float = 1.0) -> float:
    """Returns the sum of `-weight * (H g)` over convolution and linear weights; larger is better.

    g is the gradient of the mean cross-entropy of `outputs / T` in these weights, and H its Hessian. The
    sign is that of Abdelfattah et al.; it is fragile, and the score is noisy.

    Shapes: `inputs [B, 3, H, W]`, `targets [B]`.
    Needs: one batch of real images, labels, one forward pass, one backward pass, and one through that.
    Initialisation: torch's default; BN in batch mode, dropout off.

    Source: Wang, Zhang and Grosse, "Picking Winning Tickets Before Training by Preserving Gradient Flow",
    ICLR 2020; summed over the net as in Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR
    2021.
    Differs: the pruning code divides the outputs by `T=200` and takes several images of every class; here,
    as in Abdelfattah et al., `T=1` and the given batch. That code runs the forward pass twice, with the
    same result.

    Raises:
        ValueError: the net has no convolution or linear layer, labels that do not fit the net, or a function
            of which torch has no second derivative, such as Hardsigmoid.
    """
    weights = layer_weights("grasp", net)
    with batch_statistics(net), requiring_grad(weights), needed_derivatives("grasp"):
        with SecondDerivatives():
            logits = net(inputs)
        loss = batch_loss("grasp", logits / T, targets)
        if not loss.requires_grad:
            return 0.0
        grads = torch.autograd.grad(loss, weights, create_graph=True, materialize_grads=True)
        # The gradient of g^T g', g' = g held fixed.
        flows = [grad for grad in grads if grad.requires_grad]
        if not flows:
            return 0.0
        held = [grad.detach() for grad in flows]
        products = torch.autograd.grad(flows, weights, held, materialize_grads=True)
    return -total(lambda weight, product: weight.detach() * product, zip(weights, products, strict=True))
