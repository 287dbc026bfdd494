"""Cells that agree on operations: a regulariser of the weights of the net."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

EPSILON = 1e-4
"""Norm of the move of weights of operations by which the derivative is measured, as released."""

CellLoss = Callable[[tuple[Tensor, ...]], Tensor]
"""From weights of operations `[N, E, O]` of each of the N cells, by graph, to the training loss."""


class Harmonised(NamedTuple):
    """A training loss, and the gradient by the weights of the net of what is minimised."""

    loss: Tensor
    gradients: tuple[Tensor | None, ...]


def harmonised(
    loss: CellLoss, cells: Sequence[Tensor], weights: Sequence[nn.Parameter], strength: float
) -> Harmonised:
    """Returns the gradient of `loss - strength * agreement` by the weights of the net.

    The agreement is the mean cosine, over pairs of cells, of the gradients of the loss by their weights of
    operations. Its derivative is measured by two more losses at weights of operations that are moved along
    its own gradient.

    Source: Movahedi et al., "Lambda-DARTS: Mitigating Performance Collapse by Harmonizing Operation
    Selection among Cells", ICLR 2023, equations 12 to 14 and the release.
    Differs: cells of different kinds are not compared; a cell without a gradient agrees with none.

    Args:
        loss: computes the training loss.
        cells: weights of operations of each cell, `[N, E, O]` by graph.
        weights: trained parameters of the net.
        strength: how much the agreement counts.
    """
    leaves = tuple(own.detach().clone().requires_grad_() for own in cells)
    value = loss(leaves)
    found = torch.autograd.grad(value, [*weights, *leaves], allow_unused=True)
    plain, by_cell = found[: len(weights)], found[len(weights) :]
    moves = [
        torch.zeros_like(own) if gradient is None else towards_agreement(gradient)
        for own, gradient in zip(leaves, by_cell, strict=True)
    ]
    scale = EPSILON / torch.linalg.vector_norm(torch.cat([move.flatten() for move in moves])).clamp(min=1e-30)
    ends = []
    for sign in (-1.0, 1.0):
        moved = tuple(own.detach() + sign * scale * move for own, move in zip(leaves, moves, strict=True))
        ends.append(torch.autograd.grad(loss(moved), weights, allow_unused=True))
    factor = strength / (2 * scale)
    pairs = zip(plain, *ends, strict=True)
    return Harmonised(value.detach(), tuple(_added(own, minus, plus, factor) for own, minus, plus in pairs))


def _added(own: Tensor | None, minus: Tensor | None, plus: Tensor | None, factor: Tensor) -> Tensor | None:
    if own is None or minus is None or plus is None:
        return own
    return own + factor * (minus - plus)


def agreement(gradients: Tensor) -> Tensor:
    """Returns the mean cosine over pairs of the N gradients `[N, ...]`."""
    units = _units(gradients)[0]
    number = len(units)
    return (units.sum(0).square().sum() - units.square().sum()) / (number * (number - 1))


def towards_agreement(gradients: Tensor) -> Tensor:
    """Returns the gradient of `agreement` by `gradients [N, ...]`; zeros if there is one cell alone."""
    number = len(gradients)
    if number < 2:
        return torch.zeros_like(gradients)
    units, norms = _units(gradients)
    whole = units.sum(0)
    along = units * (units @ whole)[:, None]
    moves = torch.where(norms > 0, (whole - along) / torch.where(norms > 0, norms, 1.0), 0.0)
    return (moves * 2 / (number * (number - 1))).view_as(gradients)


def _units(gradients: Tensor) -> tuple[Tensor, Tensor]:
    """Returns each gradient as a vector of length 1, `[N, ...]`, and the lengths `[N, 1]`."""
    flat = gradients.flatten(1)
    norms = torch.linalg.vector_norm(flat, dim=1, keepdim=True)
    return flat / torch.where(norms > 0, norms, 1.0), norms
