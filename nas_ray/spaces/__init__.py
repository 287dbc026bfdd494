"""Search spaces: sets of archs, how to move in them and how to build them."""

from __future__ import annotations

from collections.abc import Callable

from nas_ray.spaces.base import CellSpace, DecisionSpace, FiniteSpace, SearchSpace
from nas_ray.spaces.hand_designed import HandDesigned
from nas_ray.spaces.nats_sss import NatsSss
from nas_ray.spaces.nats_tss import NatsTss

SPACES: dict[str, Callable[[], SearchSpace]] = {
    "nats-tss": NatsTss,
    "nats-sss": NatsSss,
    "hand-designed": HandDesigned,
}

__all__ = [
    "SPACES",
    "CellSpace",
    "DecisionSpace",
    "FiniteSpace",
    "HandDesigned",
    "NatsSss",
    "NatsTss",
    "SearchSpace",
]
