"""Search spaces: sets of archs, how to move in them and how to build them.

What needs torch is imported when it is first used, so that a searcher needs none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nas_ray.plugins import imported_when_used
from nas_ray.spaces.base import CellSpace, DecisionSpace, FiniteSpace, SearchSpace
from nas_ray.spaces.setting_kinds import Choice, Interval
from nas_ray.spaces.settings import arch_of, settings_of

if TYPE_CHECKING:
    from nas_ray.spaces.hand_designed import HandDesigned
    from nas_ray.spaces.known import SPACES
    from nas_ray.spaces.nats_sss import NatsSss
    from nas_ray.spaces.nats_tss import NatsTss
    from nas_ray.spaces.product import Product

__all__ = [
    "SPACES",
    "CellSpace",
    "Choice",
    "DecisionSpace",
    "FiniteSpace",
    "HandDesigned",
    "Interval",
    "NatsSss",
    "NatsTss",
    "Product",
    "SearchSpace",
    "arch_of",
    "settings_of",
]

__getattr__ = imported_when_used(
    __name__,
    {
        "SPACES": "known",
        "HandDesigned": "hand_designed",
        "NatsSss": "nats_sss",
        "NatsTss": "nats_tss",
        "Product": "product",
    },
)
