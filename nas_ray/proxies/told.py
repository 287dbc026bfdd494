"""What a space tells of an arch in an attribute of its net, for proxies that look at no weights."""

from __future__ import annotations

from typing import Any

from torch import nn


def told(proxy: str, net: nn.Module, attribute: str, space: str) -> tuple[Any, ...]:
    """Returns what a net says of its arch.

    Args:
        proxy: who asks.
        net: of a space.
        attribute: where it stands.
        space: whose nets have it.

    Raises:
        ValueError: the net says nothing.
    """
    said: tuple[Any, ...] | None = getattr(net, attribute, None)
    if said is None:
        raise ValueError(
            f"{proxy}: needs a net with the attribute {attribute}, which {space} gives to its nets, got "
            f"{type(net).__name__}."
        )
    return said
