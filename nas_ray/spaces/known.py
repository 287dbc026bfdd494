"""The search spaces of this package by name."""

from __future__ import annotations

from collections.abc import Callable

from nas_ray.spaces.base import SearchSpace
from nas_ray.spaces.darts import Darts
from nas_ray.spaces.darts_published import DartsCells
from nas_ray.spaces.darts_reduced import DartsS1, DartsS2, DartsS3, DartsS4
from nas_ray.spaces.grammar.named import GrammarNets
from nas_ray.spaces.grammar.space import Grammar
from nas_ray.spaces.hand_designed import HandDesigned
from nas_ray.spaces.layerwise.published import LayerwiseNets
from nas_ray.spaces.layerwise.space import Layerwise
from nas_ray.spaces.macro.space import Macro
from nas_ray.spaces.nasnet.nasnet import Nasnet
from nas_ray.spaces.nasnet.pnas import Pnas
from nas_ray.spaces.nasnet.published import NasnetCells
from nas_ray.spaces.nats_sss import NatsSss
from nas_ray.spaces.nats_tss import NatsTss
from nas_ray.spaces.rnn.published import RnnNets
from nas_ray.spaces.rnn.space import DartsRnn
from nas_ray.spaces.rnn.tree import RnnTree

SPACES: dict[str, Callable[..., SearchSpace]] = {
    "nats-tss": NatsTss,
    "nats-sss": NatsSss,
    "darts": Darts,
    "darts-s1": DartsS1,
    "darts-s2": DartsS2,
    "darts-s3": DartsS3,
    "darts-s4": DartsS4,
    "darts-cells": DartsCells,
    "layerwise": Layerwise,
    "layerwise-nets": LayerwiseNets,
    "macro": Macro,
    "grammar": Grammar,
    "grammar-nets": GrammarNets,
    "nasnet": Nasnet,
    "pnas": Pnas,
    "nasnet-cells": NasnetCells,
    "hand-designed": HandDesigned,
    "darts-rnn": DartsRnn,
    "rnn-tree": RnnTree,
    "rnn-nets": RnnNets,
}


def known_name(space: SearchSpace) -> str | None:
    """Returns the name of a space of this package; one derived from it builds other nets and has none."""
    return next((name for name, kind in SPACES.items() if type(space) is kind), None)
