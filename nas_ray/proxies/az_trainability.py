"""Trainability, one of the four parts of AZ-NAS: whether gradients keep their size from block to block."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.proxies.blocks import block_features
from nas_ray.proxies.checks import checked
from nas_ray.proxies.gradients import layer_weights
from nas_ray.proxies.hooks import requiring_grad
from nas_ray.proxies.needs import needs
from nas_ray.proxies.noise import gaussian_like, generator, signs_like


@needs(numbers=True)
@checked
def az_trainability(net: nn.Module, inputs: Tensor, targets: Tensor, *, seed: int = 0) -> float:
    """Returns the mean over blocks of `2 - s - 1 / s`, at most 0; larger is better.

    s is the spectral norm of the matrix M that maps the gradient in the output of a block to that in its
    input, estimated as the mean over images and positions of `g_in g_out^T` for random signs `g_out`.
    Where a block reduces the resolution, the positions that it merges count as channels of `g_in`. A block
    that lets no gradient pass, or passes it on unchanged (a cell that is one skip connection), gives -inf.

    Shapes: of `inputs [B, 3, H, W]` only the shape is used; `targets` is not used.
    Needs: one forward and one backward pass of Gaussian images; no data, no labels.
    Initialisation: torch's default; BN in batch mode, dropout off.

    Source: Lee and Ham, "AZ-NAS: Assembling Zero-Cost Proxies for Network Architecture Search", CVPR 2024.
    Differs: the released code adds 1e-6 to s in `1 / s`, so that a block without gradient gives -1e6; here
    it is -inf. Otherwise as `az_expressivity`.

    Raises:
        ValueError: fewer than two blocks, or one that does not follow the one before it.
    """
    source = generator(seed)
    with requiring_grad(layer_weights("az_trainability", net)):
        features = block_features("az_trainability", net, gaussian_like(inputs, source))
        scores = [score(f_in, f_out, source) for f_in, f_out in pairwise(features)]
    return sum(scores) / len(scores)


def score(f_in: Tensor, f_out: Tensor, source: torch.Generator) -> float:
    """Returns `2 - s - 1 / s` for the block between `f_in [B, C_in, H, W]` and `f_out [B, C_out, H', W']`."""
    g_out = signs_like(f_out, source)
    (g_in,) = torch.autograd.grad(f_out, f_in, g_out, retain_graph=True, materialize_grads=True)
    if g_in.shape == g_out.shape and torch.equal(g_in, g_out):
        return float("-inf")
    rows_in, rows_out = rows(merged(g_in, g_out)), rows(g_out)
    if len(rows_in) != len(rows_out):
        shapes = f"{list(f_in.shape)} and {list(f_out.shape)}"
        raise ValueError(f"az_trainability: needs blocks that follow each other, got maps of {shapes}.")
    s = float(torch.linalg.matrix_norm(rows_in.T @ rows_out / len(rows_out), ord=2))
    return 2 - s - 1 / s if s > 0 else float("-inf")


def merged(g_in: Tensor, g_out: Tensor) -> Tensor:
    """Returns `g_in` at the resolution of `g_out`, with the merged positions as further channels."""
    if g_in.shape[2:] == g_out.shape[2:]:
        return g_in
    stride = max(g_in.shape[2] // g_out.shape[2], g_in.shape[3] // g_out.shape[3], 1)
    return F.pixel_unshuffle(g_in[:, :, : stride * g_out.shape[2], : stride * g_out.shape[3]], stride)


def rows(gradient: Tensor) -> Tensor:
    """Returns `[B, C, ...]` as the matrix `[B * positions, C]` in float64."""
    return gradient.movedim(1, -1).flatten(0, -2).double()
