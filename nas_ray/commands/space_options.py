"""Options of spaces on the command line: numpy is imported where there are some, and torch is not."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from nas_ray.spaces.options import named_options
from nas_ray.spaces.settings import named_space

KINDS: Final = {
    "nats-tss": ("nats_tss", "NatsTss"),
    "darts": ("darts", "Darts"),
    **{f"darts-s{number}": ("darts_reduced", f"DartsS{number}") for number in range(1, 5)},
    "darts-cells": ("darts_published", "DartsCells"),
    "layerwise": ("layerwise.space", "Layerwise"),
    "macro": ("macro.space", "Macro"),
    "grammar": ("grammar.space", "Grammar"),
    "nasnet": ("nasnet.nasnet", "Nasnet"),
    "pnas": ("nasnet.pnas", "Pnas"),
    "nasnet-cells": ("nasnet.published", "NasnetCells"),
    "darts-rnn": ("rnn.space", "DartsRnn"),
    "rnn-tree": ("rnn.tree", "RnnTree"),
    "rnn-nets": ("rnn.published", "RnnNets"),
}
"""By the name of a space with options its module in `nas_ray.spaces`, and its class."""


def check_space_options(text: str) -> None:
    """Checks the values of the options of a space of this package, as in `macro:as=described`, by making it.

    Args:
        text: a space, with settings or without.

    Raises:
        UsageError: the space refuses them.
    """
    name, options = named_options(named_space(text)[0])
    if options:
        module, kind = KINDS[name]
        getattr(import_module(f"nas_ray.spaces.{module}"), kind)(**options)
