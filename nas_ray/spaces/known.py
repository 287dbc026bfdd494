"""The search spaces of this package by name."""

from __future__ import annotations

from collections.abc import Callable

from nas_ray.spaces.base import SearchSpace
from nas_ray.spaces.hand_designed import HandDesigned
from nas_ray.spaces.nats_sss import NatsSss
from nas_ray.spaces.nats_tss import NatsTss

SPACES: dict[str, Callable[[], SearchSpace]] = {
    "nats-tss": NatsTss,
    "nats-sss": NatsSss,
    "hand-designed": HandDesigned,
}


def known_name(space: SearchSpace) -> str | None:
    """Returns the name of a space of this package; one derived from it builds other nets and has none."""
    return next((name for name, kind in SPACES.items() if type(space) is kind), None)
