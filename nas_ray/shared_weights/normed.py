"""BN without gradients, put off until maps are added: scaled, shifted and summed in one pass over each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Normed:
    """What BN makes of a map, of which it has seen the mean and the variance only.

    Attributes:
        map: `[B, C, H, W]`, which nobody else needs.
        scale: `[C]`.
        shift: `[C]`; BN gives `scale * map + shift`.
        variance: `[C]`, biased.
    """

    map: Tensor
    scale: Tensor
    shift: Tensor
    variance: Tensor

    def times(self, weight: float) -> Normed:
        """Returns this times a number."""
        return Normed(self.map, self.scale * weight, self.shift * weight, self.variance)


Term = Tensor | Normed
"""A map, or one that is still to be scaled and shifted."""


def put_off(x: Tensor, eps: float) -> Normed | None:
    """Returns BN in batch mode of `x [B, C, H, W]` as a term; None where it is better computed at once.

    That is where gradients are recorded, on a GPU, in half precision, and where channels are not last.
    """
    fits = x.is_cpu and x.dtype in (torch.float32, torch.float64) and x.shape[1] < x.numel()
    if torch.is_grad_enabled() or not fits or not x.is_contiguous(memory_format=torch.channels_last):
        return None
    mean, variance = torch.batch_norm_update_stats(x, None, None, 0.0)
    scale = (variance + eps).rsqrt()
    return Normed(x, scale, -mean * scale, variance)


def convolved(convolution: nn.Module, norm: nn.Module, x: Tensor) -> Term:
    """Returns a convolution and its BN as a term."""
    out: Tensor = convolution(x)
    later = put_off(out, norm.eps) if isinstance(norm, nn.BatchNorm2d) and not norm.affine else None
    return norm(out) if later is None else later


def weighted(term: Term, weight: float) -> Term:
    """Returns a term times a number."""
    if weight == 1:
        return term
    return term.times(weight) if isinstance(term, Normed) else weight * term


def summed(terms: Sequence[Term], *, kept: bool = False) -> Tensor:
    """Returns the sum of terms as a map: the first one itself if it is the only one and a map.

    Args:
        terms: at least one; the maps of those that are still to be scaled are overwritten.
        kept: they are left as they are.
    """
    later = [term for term in terms if isinstance(term, Normed)]
    maps = [term for term in terms if isinstance(term, Tensor)]
    if not later:
        return sum(maps[1:], start=maps[0])  # gradients may be recorded
    shift = sum((term.shift for term in later[1:]), start=later[0].shift)
    total = _each(shift)
    for place, term in enumerate(later):
        into = (None if kept else term.map) if place == 0 else total
        total = torch.addcmul(total, term.map, _each(term.scale), out=into)
    for one in maps:
        total += one
    return total


def _each(channels: Tensor) -> Tensor:
    return channels.view(1, -1, 1, 1)
