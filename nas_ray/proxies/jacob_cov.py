"""jacob_cov: how little the input Jacobians of different images correlate."""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn

from nas_ray.proxies.checks import checked
from nas_ray.proxies.gradients import input_jacobian
from nas_ray.proxies.layout import with_channels_last
from nas_ray.proxies.needs import needs
from nas_ray.proxies.on_tokens import on_embedding


@needs(numbers=True, embedded=True, recurrent=True)
@on_embedding
@checked
@with_channels_last
def jacob_cov(net: nn.Module, inputs: Tensor, targets: Tensor, *, k: float = 1e-5) -> float:
    """Returns `-sum(log(v + k) + 1 / (v + k))` over eigenvalues v of a correlation matrix; larger is better.

    The matrix `[B, B]` holds the Pearson correlations between the rows of the input Jacobian `d (sum of
    all outputs) / d inputs`, one row per image. Where an image has no gradient, or the same in every
    pixel, correlation is undefined and the score is NaN (a net whose output does not depend on its input).

    Shapes: `inputs [B, 3, H, W]`; `targets` is not used. Of a text `[B, T]` it is the Jacobian in the
    embedded words `[B, T, E]`.
    Needs: one batch of real images (the paper uses 256), one forward and one backward pass, no labels.
    Initialisation: torch's default; BN in batch mode, dropout off.

    Source: Mellor, Turner, Storkey and Crowley, "Neural Architecture Search without Training", arXiv
    2006.04647 version 1, 2020; named jacob_cov by Abdelfattah et al., "Zero-Cost Proxies for Lightweight
    NAS", ICLR 2021.
    Differs: the released code calls a solver for general matrices, which may return complex eigenvalues of
    this symmetric one; here the symmetric solver is used, which gives the same number where theirs is
    real.

    Raises:
        ValueError: fewer than two images.
    """
    return -spread_sum(net, inputs, k=k, name="jacob_cov")


def spread_sum(net: nn.Module, inputs: Tensor, *, k: float, name: str) -> float:
    """Returns `sum(log(v + k) + 1 / (v + k))` over the eigenvalues of `jacob_cov`, NaN where that is.

    It is smallest, the number of images, where the Jacobians of no two images correlate.

    Raises:
        ValueError: fewer than two images, in the name of the proxy `name`.
    """
    if len(inputs) < 2:
        raise ValueError(f"{name}: needs a batch of at least 2 images, got {len(inputs)}.")
    jacobian, _ = input_jacobian(net, inputs)
    correlations = row_correlations(jacobian)
    if not np.isfinite(correlations).all():
        return float("nan")
    eigenvalues = np.linalg.eigvalsh(correlations)
    return float(np.sum(np.log(eigenvalues + k) + 1 / (eigenvalues + k)))


def row_correlations(rows: Tensor) -> np.ndarray:
    """Returns the Pearson correlations `[n, n]` of the rows of `[n, features]`, NaN for a constant row."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.atleast_2d(np.corrcoef(rows.cpu().numpy()))
