"""Penalties on architecture parameters, added to the validation loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from nas_ray.shared_weights.methods.method import Method
from nas_ray.shared_weights.methods.schedule import towards
from nas_ray.shared_weights.methods.weights import concentration

Penalty = Callable[[Method, Sequence[Tensor], Sequence[Tensor], float], Tensor]
"""`(method, logits, keep, progress) -> penalty`, `progress` from 0 to below 1 over the search."""


def beta(method: Method, logits: Sequence[Tensor], keep: Sequence[Tensor], progress: float) -> Tensor:
    """Returns the mean over edges of the log-sum-exp of their parameters, times `50 * progress`.

    Source: Ye et al., "beta-DARTS: Beta-Decay Regularization for Differentiable Architecture Search", CVPR
    2022, equations 7 and 13; the weight grows from 0 to 50 in the release, too.
    Differs: of several cells it is the mean over all edges.
    """
    rows = [own.masked_fill(~kept, -torch.inf).logsumexp(-1) for own, kept in zip(logits, keep, strict=True)]
    return method.beta * progress * torch.cat(rows).mean()


def anchor(method: Method, logits: Sequence[Tensor], keep: Sequence[Tensor], progress: float) -> Tensor:
    """Returns half the squared parameters times `anchor`; a parameter of 0 is a concentration of 1.

    Source: Chen et al., "DrNAS", ICLR 2021, equation 7 with the squared distance.
    Differs: by the parameter and not by the concentration, as released, where it is the decay of Adam.
    """
    return method.anchor / 2 * sum_kept([own.square() for own in logits], keep)


def anchor_kl(method: Method, logits: Sequence[Tensor], keep: Sequence[Tensor], progress: float) -> Tensor:
    """Returns the divergence of the Dirichlet distributions from that with concentrations of 1.

    Source: Chen et al., "DrNAS", ICLR 2021, equation 7 with the Kullback-Leibler divergence.
    Differs: operations that are gone take no part.
    """
    total = logits[0].new_zeros(())
    for own, kept in zip(logits, keep, strict=True):
        shape = concentration(own)
        whole = (shape * kept).sum(-1)
        number = kept.sum(-1).to(own)
        inner = (shape - 1) * (shape.digamma() - whole.digamma()[:, None]) - shape.lgamma()
        total = total + (whole.lgamma() - number.lgamma()).sum() + torch.where(kept, inner, 0.0).sum()
    return method.anchor * total


def zero_one(method: Method, logits: Sequence[Tensor], keep: Sequence[Tensor], progress: float) -> Tensor:
    """Returns minus the mean squared distance of all weights from 1/2, times `zero_one`.

    Source: Chu et al., "Fair DARTS", ECCV 2020, equation 4.
    Differs: none known.
    """
    distances = [(own.sigmoid() - 0.5).square() for own in logits]
    number = torch.stack([kept.sum() for kept in keep]).sum()
    return -method.zero_one * sum_kept(distances, keep) / number


def sum_kept(values: Sequence[Tensor], keep: Sequence[Tensor]) -> Tensor:
    """Returns the sum of all values of operations that are there."""
    parts = [torch.where(kept, own, 0.0).sum() for own, kept in zip(values, keep, strict=True)]
    return torch.stack(parts).sum()


PENALTIES: dict[str, Penalty] = {
    "beta": beta,
    "anchor": anchor,
    "anchor-kl": anchor_kl,
    "zero-one": zero_one,
}
"""The penalties of the architecture step; that of Lambda-DARTS acts on weights (`harmony.py`)."""


def penalty_of(
    method: Method, logits: Sequence[Tensor], keep: Sequence[Tensor], epoch: int, epochs: int
) -> Tensor | None:
    """Returns the sum of the method's penalties on parameters in an epoch; None if it has none."""
    own = [PENALTIES[name] for name in method.penalties if name in PENALTIES]
    if not own:
        return None
    progress = towards(0.0, 1.0, epoch, epochs)
    return torch.stack([penalty(method, logits, keep, progress) for penalty in own]).sum()
