"""Progressivity, one of the four parts of AZ-NAS: whether each block adds to what features express."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from nas_ray.proxies.az_expressivity import block_entropies
from nas_ray.proxies.checks import checked
from nas_ray.proxies.needs import needs


@needs(numbers=True)
@checked
def az_progressivity(net: nn.Module, inputs: Tensor, targets: Tensor, *, seed: int = 0) -> float:
    """Returns the smallest increase, from block to block, of `az_expressivity`'s entropy; larger is better.

    A block whose features do not vary gives -inf.

    Shapes: of `inputs [B, 3, H, W]` only the shape is used; `targets` is not used.
    Needs: one forward pass of Gaussian images; no data, no labels.
    Initialisation: torch's default; BN in batch mode, dropout off.

    Source: Lee and Ham, "AZ-NAS: Assembling Zero-Cost Proxies for Network Architecture Search", CVPR 2024.
    Differs: as `az_expressivity`.

    Raises:
        ValueError: fewer than two blocks.
    """
    entropies = block_entropies(net, inputs, seed, name="az_progressivity")
    if float("-inf") in entropies:
        return float("-inf")
    return min(later - earlier for earlier, later in pairwise(entropies))
