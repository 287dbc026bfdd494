"""Trainable supernets: every operation on every edge of a space at once, weighted by a mix."""

from __future__ import annotations

from typing import Any

from nas_ray.errors import UsageError
from nas_ray.shared_weights.mixed.darts import DartsMixedNet
from nas_ray.shared_weights.mixed.mix import Mix, one_hot
from nas_ray.shared_weights.mixed.net import MixedNet, MixedSize
from nas_ray.shared_weights.mixed.recurrent import RecurrentMixedNet
from nas_ray.shared_weights.mixed.tss import TssMixedNet
from nas_ray.spaces import NatsTss, SearchSpace
from nas_ray.spaces.darts import Darts
from nas_ray.spaces.darts_reduced import DartsS1, DartsS2, DartsS3, DartsS4
from nas_ray.spaces.rnn.space import DartsRnn

NETS: dict[type, Any] = {
    NatsTss: TssMixedNet,
    **dict.fromkeys((Darts, DartsS1, DartsS2, DartsS3, DartsS4), DartsMixedNet),
    DartsRnn: RecurrentMixedNet,
}
"""The trainable supernet of each built-in space; a space derived from one builds nets of its own."""


def mixed_net(
    space: SearchSpace,
    num_classes: int,
    *,
    channels: int | None = None,
    cells: int | None = None,
    partial: int = 1,
) -> MixedNet:
    """Returns a new supernet of `space`, with weights drawn from torch's global random state.

    Args:
        space: whose archs it holds.
        num_classes: outputs.
        channels: width of the first cells; None for that of the space.
        cells: how many; of a stage for NATS-TSS; None for those of the space.
        partial: K, where one in K channels goes through the operations and the others pass by (PC-DARTS).

    Raises:
        UsageError: the space has no supernet, or the channels cannot be divided by `partial`.
    """
    made = NETS.get(type(space))
    if made is None:
        raise UsageError(
            "A one-shot search needs a space with a trainable supernet, which are nats-tss, darts and "
            f"darts-rnn; got {getattr(space, 'name', type(space).__name__)}."
        )
    given = getattr(space, "channels", partial) if channels is None else channels
    wide = int(given)
    if wide % partial:
        raise UsageError(
            "The channels of a supernet must be a multiple of its partial channels: one in "
            f"{partial} of {wide} is no whole number; give other channels."
        )
    net: MixedNet = made(space, MixedSize(num_classes, channels, cells, partial))
    return net


__all__ = ["NETS", "Mix", "MixedNet", "mixed_net", "one_hot"]
