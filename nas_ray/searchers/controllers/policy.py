"""What a policy is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from nas_ray.searchers.controllers.paths import Path, Reader

Weigh = Callable[[np.ndarray], np.ndarray]
"""From the logarithms `[decisions of all paths]` of chances to the weight of the gradient of each."""


class Policy(Protocol):
    """A distribution over the sequences of a space that can be moved."""

    def begin(self) -> Reader:
        """Returns what draws one sequence."""

    def logs(self, paths: Sequence[Path]) -> np.ndarray:
        """Returns the logarithms `[decisions of all paths]` of the chances of what was taken."""

    def climb(self, paths: Sequence[Path], weigh: Weigh, entropy: float) -> None:
        """Makes one step of Adam uphill.

        Its gradient is the sum of the gradients of the logarithms, each with its weight, and `entropy` times
        that of the mean over paths of the entropies of their decisions.
        """

    def state(self) -> dict[str, Any]:
        """Returns all that was learnt, as plain data."""

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes what `state` returned."""


class Net(NamedTuple):
    """The size of the net of a policy.

    Attributes:
        layers: of LSTM.
        units: of each layer, and of the embedding of a token.
        spread: weights begin uniformly in +- this.
    """

    layers: int
    units: int
    spread: float
