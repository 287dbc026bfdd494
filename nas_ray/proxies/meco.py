"""MeCo: how independent the channels of each layer are on one Gaussian image."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from nas_ray.proxies.checks import checked
from nas_ray.proxies.hooks import batch_statistics, forward_hooks
from nas_ray.proxies.noise import gaussian_like, generator


@checked
def meco(net: nn.Module, inputs: Tensor, targets: Tensor, *, repeats: int = 4, seed: int = 0) -> float:
    """Returns the sum over layers of the channel correlation's smallest eigenvalue; larger is better.

    The correlation `[C, C]` is that of the feature maps `[C, H * W]` of one image, for every call of a
    module without submodules whose output is such a map: convolutions, BNs, ReLUs, poolings. A channel
    that does not vary correlates with none, itself included, so a layer with one adds 0, as does one with
    more channels than positions. The score is the mean over `repeats` images.

    Shapes: of `inputs [B, 3, H, W]` only the shape of an image is used; `targets` is not used.
    Needs: one forward pass of one Gaussian image for each repeat; no data, no labels.
    Initialisation: torch's default; BN in batch mode, so its statistics are over the positions of one
    image, or its running ones, 0 and 1 in a new net, where there is a single position; dropout off.

    Source: Jiang, Wang and Bie, "MeCo: Zero-Shot NAS with One Data and Single Forward Pass via Minimum
    Eigenvalue of Correlation", NeurIPS 2023.
    Differs: the released code also sums over modules that are made of others, so that an output counts
    once more for each module that ends with it; here each layer counts once, which gives a smaller number
    and nearly the same ranks. It takes one image, in a part of the experiments of 64x64 pixels; here four
    of the given size, which removes noise.

    Raises:
        ValueError: the net has no feature map `[B, C, H, W]`, such as an MLP.
    """
    smallest: list[Tensor] = []

    def correlate(layer: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        if isinstance(output, Tensor) and output.dim() == 4:
            smallest.append(torch.linalg.eigvalsh(correlation(output[0]))[0])

    layers = [module for module in net.modules() if next(module.children(), None) is None]
    source = generator(seed)
    with batch_statistics(net), forward_hooks(layers, correlate), torch.no_grad():
        for _ in range(repeats):
            net(gaussian_like(inputs[:1], source))
    if not smallest:
        raise ValueError("meco: the net has no feature map [B, C, H, W]; an MLP cannot be scored.")
    return float(torch.stack(smallest).sum() / repeats)


def correlation(maps: Tensor) -> Tensor:
    """Returns the Pearson correlations `[C, C]` of `[C, H, W]` in float64, 0 for a constant channel."""
    rows = maps.flatten(1).double()
    rows = rows - rows.mean(1, keepdim=True)
    norms = rows.norm(dim=1, keepdim=True)
    units = torch.where(norms > 0, rows / norms, 0.0)
    return units @ units.T
