"""Expressivity, one of the four parts of AZ-NAS: how many directions the features of each block fill."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nas_ray.proxies.blocks import block_features
from nas_ray.proxies.checks import checked
from nas_ray.proxies.needs import needs
from nas_ray.proxies.noise import gaussian_like, generator
from nas_ray.proxies.sharing import shared


@needs(numbers=True)
@checked
def az_expressivity(net: nn.Module, inputs: Tensor, targets: Tensor, *, seed: int = 0) -> float:
    """Returns the sum over blocks of the entropy of the feature covariance's eigenvalues; larger is better.

    The covariance `[C, C]` is over images and positions; its eigenvalues are divided by their sum. A block
    whose features do not vary gives -inf.

    Shapes: of `inputs [B, 3, H, W]` only the shape is used; `targets` is not used.
    Needs: one forward pass of Gaussian images; no data, no labels.
    Initialisation: torch's default; BN in batch mode, dropout off.

    Source: Lee and Ham, "AZ-NAS: Assembling Zero-Cost Proxies for Network Architecture Search", CVPR 2024.
    Differs: the released code adds 1e-8 inside the logarithm, and works in float32, where rounding makes it
    -inf for some nets (3 of 50) whose score is finite here, in float64. It draws the weights anew
    by kaiming_normal with fan_in; here the net is scored with those that it has. Blocks are found in any net
    (`block_features`); on NATS-TSS they are those of the authors.

    Raises:
        ValueError: fewer than two blocks.
    """
    return sum(block_entropies(net, inputs, seed, name="az_expressivity"))


@shared
def block_entropies(net: nn.Module, inputs: Tensor, seed: int, *, name: str) -> list[float]:
    """Returns the entropy for each block, `-inf` where features do not vary."""
    with torch.no_grad():
        return [entropy(f) for f in block_features(name, net, gaussian_like(inputs, generator(seed)))]


def entropy(feature: Tensor) -> float:
    """Returns the entropy of the covariance eigenvalues of `[B, C, ...]`, in float64."""
    rows = feature.movedim(1, -1).flatten(0, -2).double()
    rows = rows - rows.mean(0)
    eigenvalues = torch.linalg.eigvalsh(rows.T @ rows).clamp(min=0)
    total = eigenvalues.sum()
    return float(torch.special.entr(eigenvalues / total).sum()) if total > 0 else float("-inf")
