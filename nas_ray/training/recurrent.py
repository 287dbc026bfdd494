"""What a net of texts has beside `forward`: a state, and dropouts that a recipe sets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from torch import Tensor

from nas_ray.spaces.rnn.running import Dropouts as Dropouts
from nas_ray.spaces.rnn.running import Ran as Ran
from nas_ray.spaces.rnn.running import State as State


@runtime_checkable
class RecurrentNet(Protocol):
    """A net of tokens that carries a state from one piece of a text to the next; asked by tasks of text.

    A space builds it with `build(arch, num_outputs)`, where `num_outputs` is the size V of the vocabulary,
    and lists no class of this module: what has the methods is one. The state that `run` is given is never
    changed in place, and a training detaches it between two pieces.

    Attributes:
        dropouts: `Dropouts()` when it is new; a training sets that of its recipe.
    """

    dropouts: Dropouts

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns logits `[B, T, V]` of tokens `[B, T]` int64, from `begin(B)` on."""

    def run(self, tokens: Tensor, state: State) -> Ran:
        """Returns logits, outputs and the state after tokens `[B, T]` int64, read from `state` on."""

    def begin(self, batch_size: int) -> State:
        """Returns the state before the first token of a text, mostly zeros, on the net's device and dtype."""


def state_for(begin: Callable[[int], State], carried: State | None, streams: int) -> State:
    """Returns the state that is carried, or that of `begin` where it is of another number of streams."""
    return begin(streams) if carried is None or len(carried[0]) != streams else carried
