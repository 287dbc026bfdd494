"""The gradient of the validation loss, by the weights of operations: as they are, or after a virtual step.

Gradients are taken by the weights of operations that a net is given, which are then leaves, and go on from
there to whatever made them. So every kind of weights has both orders, a draw is the same in all
passes of one gradient, and what makes weights is differentiated once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

Gradients = tuple[Tensor | None, ...]
LossOf = Callable[[Sequence[Tensor]], Tensor]
"""From weights of operations, and of edges, to a loss."""


class Measured(NamedTuple):
    """A validation loss and its gradients.

    Attributes:
        loss: on the validation batch.
        by_operations: gradient by each leaf, in their order.
        by_weights: gradient by each of the net's parameters that were asked for; None where it has none.
    """

    loss: Tensor
    by_operations: tuple[Tensor, ...]
    by_weights: Gradients


def _gradients(
    loss: Tensor, leaves: Sequence[Tensor], weights: Sequence[Tensor]
) -> tuple[Gradients, Gradients]:
    found = torch.autograd.grad(loss, [*leaves, *weights], allow_unused=True)
    return found[: len(leaves)], found[len(leaves) :]


def _filled(gradients: Gradients, like: Sequence[Tensor]) -> tuple[Tensor, ...]:
    pairs = zip(gradients, like, strict=True)
    return tuple(torch.zeros_like(leaf) if one is None else one for one, leaf in pairs)


def first_order(loss: Tensor, leaves: Sequence[Tensor], weights: Sequence[Tensor] = ()) -> Measured:
    """Returns the gradient of a validation loss, with that by some `weights` of the net on request.

    Source: Liu et al., "DARTS", ICLR 2019, equation 6 with xi = 0.
    Differs: none known.
    """
    by_operations, by_weights = _gradients(loss, leaves, weights)
    return Measured(loss.detach(), _filled(by_operations, leaves), by_weights)


@dataclass(frozen=True)
class VirtualStep:
    """What the optimiser would do in one step of plain momentum.

    Attributes:
        lr: learning rate.
        momentum: of SGD.
        weight_decay: L2 penalty.
        velocities: momentum buffers of the weights; None where there is none yet.
        resting: which weights do not move, those of operations that are not active.
        clip: largest norm of the gradient; 0 for no limit.
    """

    lr: float
    momentum: float
    weight_decay: float
    velocities: Sequence[Tensor | None]
    resting: Sequence[bool]
    clip: float = 0.0

    @classmethod
    def of(
        cls,
        optimizer: torch.optim.SGD,
        weights: Sequence[nn.Parameter],
        resting: Sequence[bool] = (),
        clip: float = 0.0,
    ) -> VirtualStep:
        """Returns the next step of `optimizer` for these weights, of which some may rest."""
        group = optimizer.param_groups[0]
        buffers = [
            optimizer.state[one].get("momentum_buffer") if one in optimizer.state else None for one in weights
        ]
        rests = resting or [False] * len(weights)
        return cls(group["lr"], group["momentum"], group["weight_decay"], buffers, rests, clip)

    def clipped(self, gradients: Gradients) -> tuple[Gradients, Tensor | float]:
        """Returns gradients that are no longer than `clip`, and by what they were multiplied."""
        if not self.clip:
            return gradients, 1.0
        there = [one for one in gradients if one is not None]
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(there)))
        factor = (self.clip / (norm + 1e-6)).clamp(max=1.0)
        return tuple(None if one is None else one * factor for one in gradients), factor

    def change(self, weights: Sequence[Tensor], gradients: Gradients) -> list[Tensor]:
        """Returns `momentum * velocity + gradient + weight_decay * weight`, and 0 of what rests."""
        changes = []
        groups = zip(weights, gradients, self.velocities, self.resting, strict=True)
        for weight, gradient, velocity, rests in groups:
            if rests:
                changes.append(torch.zeros_like(weight))
                continue
            slope = torch.zeros_like(weight) if gradient is None else gradient
            change = slope.add(weight, alpha=self.weight_decay)
            changes.append(change if velocity is None else change.add_(velocity, alpha=self.momentum))
        return changes


def second_order(
    train_loss: LossOf,
    valid_loss: LossOf,
    leaves: Sequence[Tensor],
    weights: Sequence[nn.Parameter],
    step: VirtualStep,
    radius: float = 0.01,
) -> Measured:
    """Returns the gradient of the validation loss at `w' = w - lr * change(w)`, through that step.

    `d L_valid(w') - lr * (d L_train(w + r v) - d L_train(w - r v)) / (2 r)`, with d the gradient by the
    weights of operations, v that of the validation loss by w', and `r = radius / |v|`. The weights are to
    the last bit what they were.

    Source: Liu et al., "DARTS", ICLR 2019, equations 7 and 8; momentum and decay in the virtual step as
    released.
    Differs: weights of operations that are not active do not move. Clipping and Nesterov's look-ahead are not
    in the virtual step, as in the releases; that for recurrent cells clips, which multiplies the change and
    so its derivative, where it clips v and measures around w' instead.

    Args:
        train_loss: computes the loss on the training batch with the weights of operations that it is given.
        valid_loss: computes that on the validation batch.
        leaves: weights of operations.
        weights: all trained parameters of the net.
        step: the virtual step.
        radius: norm of the move by which the second derivative is measured.
    """
    moved = [weight.detach() for weight in weights]  # the same memory
    before = [weight.clone() for weight in moved]
    fixed = tuple(leaf.detach() for leaf in leaves)  # nobody asks for their gradient here
    found = torch.autograd.grad(train_loss(fixed), weights, allow_unused=True)
    gradients, factor = step.clipped(found)
    with torch.no_grad():
        torch._foreach_add_(moved, step.change(weights, gradients), alpha=-step.lr)
    del gradients, found
    loss = valid_loss(leaves)
    direct, by_weights = _gradients(loss, leaves, weights)
    vector = _filled(by_weights, weights)
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(vector)))
    scale = radius / norm.clamp(min=1e-30)  # a vector of zeros moves nothing, and gives zero
    ends = []
    for sign in (1.0, -1.0):
        with torch.no_grad():
            torch._foreach_copy_(moved, before)
            torch._foreach_add_(moved, torch._foreach_mul(vector, scale * sign))
        ends.append(_filled(_gradients(train_loss(leaves), leaves, ())[0], leaves))
    with torch.no_grad():
        torch._foreach_copy_(moved, before)
    implicit = [(plus - minus) / (2 * scale) for plus, minus in zip(*ends, strict=True)]
    pairs = zip(_filled(direct, leaves), implicit, strict=True)
    return Measured(loss.detach(), tuple(one - step.lr * factor * other for one, other in pairs), by_weights)
