"""Perturbed weights of operations, under which the weights of the net are trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from nas_ray.shared_weights.methods.chance import Chance

FIRST = 0.03
"""The largest perturbation in the first epoch, as released."""

Loss = Callable[[tuple[Tensor, ...]], Tensor]
"""From weights of operations by graph to the loss on the training batch."""


def random_noise(
    weights: Sequence[Tensor], keep: Sequence[Tensor], limit: float, chance: Chance
) -> tuple[Tensor, ...]:
    """Returns `weights` with uniform noise up to `limit`, made weights again (`projected`).

    Source: Chen and Hsieh, "Stabilizing Differentiable Architecture Search via Perturbation-based
    Regularization", ICML 2020, equation 3 (SDARTS-RS).
    Differs: none known.
    """
    noisy = [own + chance.uniform(own, limit) for own in weights]
    return tuple(projected(own, kept) for own, kept in zip(noisy, keep, strict=True))


def adversarial(
    loss: Loss,
    weights: Sequence[Tensor],
    keep: Sequence[Tensor],
    limit: float,
    chance: Chance,
    steps: int,
) -> tuple[Tensor, ...]:
    """Returns weights within `limit` of these under which the loss is large, by projected ascent.

    `steps` steps of `2 * limit / steps` by the sign of the gradient, from a random start; those that are
    given stay where the loss is not larger in the end.

    Source: Chen and Hsieh, ICML 2020, equation 4 (SDARTS-ADV); numbers of the release.
    Differs: none known.
    """
    with torch.no_grad():
        before = loss(tuple(weights))
    found = random_noise(weights, keep, limit, chance)
    for _ in range(steps):
        leaves = tuple(own.detach().requires_grad_() for own in found)
        gradients = torch.autograd.grad(loss(leaves), leaves)
        with torch.no_grad():
            moved = []
            for own, gradient, centre, kept in zip(leaves, gradients, weights, keep, strict=True):
                step = own + 2 * limit / steps * gradient.sign()
                moved.append(projected(centre + (step - centre).clamp(-limit, limit), kept))
        found = tuple(moved)
    with torch.no_grad():
        worse = ~(before > loss(found))
    return tuple(torch.where(worse, own, old) for own, old in zip(found, weights, strict=True))


def projected(weights: Tensor, keep: Tensor) -> Tensor:
    """Returns weights `[E, O]` from 0 to 1 with sum 1 on each edge; all on the largest if none is left."""
    largest = torch.nn.functional.one_hot(weights.masked_fill(~keep, -torch.inf).argmax(-1), weights.shape[1])
    clamped = weights.clamp(0, 1) * keep
    total = clamped.sum(-1, keepdim=True)
    empty = total == 0
    return torch.where(empty, largest.to(weights), clamped / torch.where(empty, 1.0, total))
