"""What changes over the epochs, and what the published code of a space has in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nas_ray.shared_weights.methods.method import BY_SPACE, Method
from nas_ray.spaces.edges import EdgeGraph


@dataclass(frozen=True)
class Protocol:
    """How weights are trained where the method does not say it.

    Attributes:
        weights_first: whether a step of the weights comes before that of the architecture.
        nesterov: whether the momentum is Nesterov's.
        weight_decay: L2 penalty of the weights.
        every_step: whether the learning rate changes at every step, or once in an epoch.
        unchosen_learn: whether operations that GDAS did not draw have a gradient of their own: their weights,
            which are zero, are then added to the sum of the edge.
    """

    weights_first: bool
    nesterov: bool
    weight_decay: float
    every_step: bool
    unchosen_learn: bool


TSS = Protocol(weights_first=True, nesterov=True, weight_decay=5e-4, every_step=True, unchosen_learn=True)
"""Of spaces whose archs have all edges: as in the published searches of NAS-Bench-201 and NATS-Bench."""
DARTS = Protocol(
    weights_first=False, nesterov=False, weight_decay=3e-4, every_step=False, unchosen_learn=False
)
"""Of spaces whose archs have some edges: as in the published search of DARTS."""


def protocol(method: Method, graphs: Sequence[EdgeGraph]) -> Protocol:
    """Returns how `method` trains on a space with these graphs.

    Source: the published searches of Dong et al., "NATS-Bench", TPAMI 2021 (weights before architecture, also
    for DARTS) and of Liu et al., "DARTS", ICLR 2019 (architecture before weights). Dong et al. released GDAS
    for both spaces; it adds the weights of what was not drawn on NATS-TSS alone.
    Differs: all clip gradients at norm 5, as DARTS and the first published searches of NAS-Bench-201 do.
    """
    own = TSS if all(graph.kept is None for graph in graphs) else DARTS
    return Protocol(
        own.weights_first if method.order == "space" else method.order == "weights",
        own.nesterov if method.nesterov == BY_SPACE else method.nesterov > 0,
        own.weight_decay if method.weight_decay == BY_SPACE else method.weight_decay,
        own.every_step,
        own.unchosen_learn,
    )


def learning_rate(method: Method, epoch: float, epochs: int) -> float:
    """Returns the learning rate of the weights after `epoch` of `epochs`: a cosine to `lr_min`."""
    return method.lr_min + (method.lr - method.lr_min) * (1 + math.cos(math.pi * epoch / epochs)) / 2


def auxiliary_skip(epoch: int, epochs: int) -> float:
    """Returns the weight of the skip beside each edge: 1 in the first epoch, and 0 after the last.

    Source: Chu et al., "DARTS-: Robustly Stepping out of Performance Collapse Without Indicators", ICLR 2021,
    equation 6 with linear decay.
    Differs: none known.
    """
    return towards(1.0, 0.0, epoch, epochs)


def linear(first: float, last: float, epoch: int, epochs: int) -> float:
    """Returns a number that is `first` in epoch 0 and `last` in epoch `epochs - 1`, the last one."""
    return first + (last - first) * epoch / max(1, epochs - 1)


def towards(first: float, last: float, epoch: int, epochs: int) -> float:
    """Returns a number that is `first` in epoch 0 and would be `last` after the last one."""
    return first + (last - first) * epoch / epochs
