"""Which nets the accuracies of NATS-TSS are of; a light module, for quick answers."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nas_ray.errors import UsageError
from nas_ray.spaces.nats_tss import NatsTss
from nas_ray.spaces.options import named_options
from nas_ray.spaces.settings import space_name
from nas_ray.spaces.wrapping import innermost

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace

PUBLISHED = {"channels": 16, "cells": 5}
"""The nets that the benchmarks trained."""


def of_other_nets(net: Mapping[str, Any]) -> str | None:
    """Returns the words that a benchmark's accuracy is of other nets; None where it is not.

    Args:
        net: `channels` and `cells` of the nets of a run; what is not named is as published.
    """
    if all(net.get(name, value) == value for name, value in PUBLISHED.items()):
        return None
    nets = " and ".join(f"{value} {name}" for name, value in PUBLISHED.items())
    return f"accuracy is that of nets with {nets}, not of those scored."


def net_in(space: SearchSpace) -> dict[str, Any]:
    """Returns channels and cells of the nets of NATS-TSS in a space of archs; nothing of another space."""
    archs = innermost(space)
    return {name: getattr(archs, name) for name in PUBLISHED} if isinstance(archs, NatsTss) else {}


def net_named(space: object) -> dict[str, Any]:
    """Returns what the name of a space says of channels and cells of the nets of NATS-TSS."""
    with contextlib.suppress(UsageError):  # of a run that was changed by hand
        name, options = named_options(space_name(str(space)))
        return options if name == NatsTss.name else {}
    return {}
