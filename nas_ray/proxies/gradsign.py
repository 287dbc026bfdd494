"""GradSign: how far single images agree on the direction in which each weight should move."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from nas_ray.proxies.checks import LAYERS, checked
from nas_ray.proxies.gradients import layer_weights
from nas_ray.proxies.hooks import batch_statistics
from nas_ray.proxies.losses import check_labels
from nas_ray.proxies.needs import needs

MEMORY = 2**26
"""Per-image gradients that are held at once."""


@needs(labels=True, modules=LAYERS, words="convolutions or linear layers")
@checked
def gradsign(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns the sum over convolution and linear weights of `|sum over images sign(g_i)|`; larger is better.

    `g_i` is the gradient of the cross-entropy of image i alone.

    Shapes: `inputs [B, 3, H, W]`, `targets [B]`.
    Needs: one batch of real images, labels, one forward and one backward pass of each image, vectorised.
    Initialisation: torch's default; BN in batch mode on each image by itself, so its statistics are over
    positions. A BN whose maps have a single position uses its running statistics, 0 and 1 in a new net.
    Dropout off.

    Source: Zhang and Jia, "GradSign: Model Performance Inference with Theoretical Insights", ICLR 2022.
    Differs: one of the released scripts takes the mean over weights instead of the sum, which removes the
    size of the net from the score. With BN on maps of a single position the released code fails.

    Raises:
        ValueError: the net has no convolution or linear layer, or labels that do not fit the net.
    """
    scored = {id(weight) for weight in layer_weights("gradsign", net)}
    weights = {name: p.detach() for name, p in net.named_parameters() if id(p) in scored}
    frozen = {name: p.detach() for name, p in net.named_parameters() if id(p) not in scored}

    def loss(candidate: dict[str, Tensor], image: Tensor, label: Tensor) -> Tensor:
        logits: Tensor = functional_call(net, {**candidate, **frozen}, (image[None],))
        return F.cross_entropy(logits, label[None])

    size = sum(weight.numel() for weight in weights.values())
    chunk = max(1, MEMORY // size)
    signs = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    with batch_statistics(net):
        check_labels("gradsign", net(inputs[:1]).shape[1], len(inputs), targets)
        chunks = zip(torch.split(inputs, chunk), torch.split(targets.long(), chunk), strict=True)
        for images, labels in chunks:
            grads = vmap(grad(loss), in_dims=(None, 0, 0), randomness="different")(weights, images, labels)
            for name in signs:
                signs[name] += grads[name].sign().sum(0)
    return float(sum(sign.abs().sum(dtype=torch.float64) for sign in signs.values()))
