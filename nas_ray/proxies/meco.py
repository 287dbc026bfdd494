"""MeCo: how independent the channels of each layer are on one Gaussian image."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from nas_ray.proxies.channel_axis import ChannelAxis
from nas_ray.proxies.checks import checked
from nas_ray.proxies.hooks import batch_statistics, forward_hooks
from nas_ray.proxies.needs import needs
from nas_ray.proxies.noise import gaussian_like, generator


@needs(images=True)
@checked
def meco(net: nn.Module, inputs: Tensor, targets: Tensor, *, repeats: int = 4, seed: int = 0) -> float:
    """Returns the sum over layers of the channel correlation's smallest eigenvalue; larger is better.

    The correlation `[C, C]` is that of the feature maps `[C, H * W]` of one image, for every call of a
    module without submodules whose output is such a map: convolutions, BNs, ReLUs, poolings. A channel
    that does not vary correlates with none, itself included, so a layer with one adds 0, as does one with
    as many channels as positions or more. The score is the mean over `repeats` images, and never below 0.

    Shapes: of `inputs [B, 3, H, W]` only the shape of an image is used; `targets` is not used.
    Needs: one forward pass of one Gaussian image for each repeat; no data, no labels.
    Initialisation: torch's default; BN in batch mode, so its statistics are over the positions of one
    image, or its running ones, 0 and 1 in a new net, where there is a single position; dropout off.

    Source: Jiang, Wang and Bie, "MeCo: Zero-Shot NAS with One Data and Single Forward Pass via Minimum
    Eigenvalue of Correlation", NeurIPS 2023.
    Differs: the released code also sums over modules that are made of others, so that an output counts
    once more for each module that ends with it; here each layer counts once, which gives a smaller number
    and nearly the same ranks. It takes one image, in a part of the experiments of 64x64 pixels; here four
    of the given size, which removes noise. It adds eigenvalues that rounding makes negative; here they are
    clamped at 0.

    Raises:
        ValueError: the net has no feature map `[B, C, H, W]`, such as an MLP, or none with more positions
            than channels, so that the score would be 0 whatever the net.
    """
    smallest: list[Tensor | None] = []
    channels = ChannelAxis()

    def correlate(layer: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        if isinstance(output, Tensor) and output.dim() == 4:
            if args and isinstance(args[0], Tensor) and only_moves_axes(args[0], output):
                return
            smallest.append(smallest_eigenvalue(output.movedim(channels.of(output), 1)[0]))

    layers = [module for module in net.modules() if next(module.children(), None) is None]
    source = generator(seed)
    watched = channels.watching(net)  # first, to know what made an output
    with batch_statistics(net), watched, forward_hooks(layers, correlate), torch.no_grad():
        for _ in range(repeats):
            net(gaussian_like(inputs[:1], source))
    if not smallest:
        raise ValueError("meco: the net has no feature map [B, C, H, W]; an MLP cannot be scored.")
    found = [eigenvalue for eigenvalue in smallest if eigenvalue is not None]
    if not found:
        raise ValueError(
            "meco: needs a feature map with more positions than channels, but there is none, so that every "
            "smallest eigenvalue is 0; use larger images."
        )
    return float(torch.stack(found).sum() / repeats)


def only_moves_axes(before: Tensor, after: Tensor) -> bool:
    """Returns whether a layer gives out what it got, with other axes."""
    return (
        before.shape != after.shape
        and before.untyped_storage().data_ptr() == after.untyped_storage().data_ptr()
    )


def smallest_eigenvalue(maps: Tensor) -> Tensor | None:
    """Returns that of the correlations of `[C, H, W]`; None where it is 0 for want of positions."""
    if len(maps) >= maps[0].numel():
        return None
    smallest: Tensor = torch.linalg.eigvalsh(correlation(maps))[0]
    return smallest.clamp(min=0)


def correlation(maps: Tensor) -> Tensor:
    """Returns the Pearson correlations `[C, C]` of `[C, H, W]` in float64, 0 for a constant channel."""
    rows = maps.flatten(1).double()
    rows = rows - rows.mean(1, keepdim=True)
    norms = rows.norm(dim=1, keepdim=True)
    units = torch.where(norms > 0, rows / norms, 0.0)
    return units @ units.T
