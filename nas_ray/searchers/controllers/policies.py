"""The policies that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nas_ray.searchers.controllers.categorical import Categorical
from nas_ray.searchers.controllers.policy import Net, Policy

if TYPE_CHECKING:
    from nas_ray.spaces.base import SequenceSpace

CATEGORICAL, LSTM = "categorical", "lstm"
POLICIES = (CATEGORICAL, LSTM)


def make_policy(name: str, space: SequenceSpace, *, net: Net, lr: float, seed: int) -> Policy:
    """Returns a new policy over the sequences of `space`, one of `POLICIES`."""
    if name == CATEGORICAL:
        return Categorical(lr)
    from nas_ray.searchers.controllers.recurrent import Recurrent  # torch takes seconds

    return Recurrent(space, net, lr=lr, seed=seed)
