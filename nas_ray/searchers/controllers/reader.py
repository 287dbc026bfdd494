"""An LSTM that goes along one sequence, in numpy."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from scipy.special import expit

from nas_ray.searchers.controllers.paths import Anchors
from nas_ray.searchers.controllers.steps import Steps
from nas_ray.searchers.tokens import PlacedVocabulary

Arrays = Mapping[str, np.ndarray]


class Weights:
    """The weights of a `Recurrent` policy, as they are until its next update.

    Args:
        arrays: by name.
        meet: gives new tokens weights, and returns the arrays with these.
    """

    def __init__(self, arrays: Arrays, meet: Callable[[], Arrays]) -> None:
        self._meet = meet
        self.layers = sum(name.startswith("keeps") for name in arrays)
        self._take(arrays)

    def _take(self, arrays: Arrays) -> None:
        self.arrays = arrays
        self.keeps = [arrays[f"keeps{layer}"] for layer in range(self.layers)]
        self.reads = [arrays[f"reads{layer}"] for layer in range(self.layers)]
        self.bias = [arrays[f"bias{layer}"] for layer in range(self.layers)]
        self.head, self.head_bias = arrays["head"], arrays["head_bias"]
        self.read = arrays["tokens"] @ self.reads[0].T + self.bias[0]  # what the first layer makes of a token

    def know(self, tokens: int) -> None:
        """Sees that there are weights for so many tokens."""
        if len(self.head) < tokens:
            self._take(self._meet())


class LstmReader:
    """Goes along one sequence; see `Reader` and `Recurrent`."""

    def __init__(self, weights: Weights, vocabulary: PlacedVocabulary) -> None:
        self._weights, self._vocabulary, self._steps = weights, vocabulary, Steps()
        units = weights.head.shape[1]
        self._states = [np.zeros(units, weights.head.dtype)] * weights.layers
        self._cells = list(self._states)
        self._at: list[np.ndarray] = []  # the state of the last layer at each decision

    def draw(self, options: tuple[str, ...], anchors: Anchors, at: float) -> tuple[int, float]:
        """Returns the option drawn and the logarithm of its chance; see `Reader`."""
        weights, numbers = self._weights, self._vocabulary.numbers(len(self._at), options)
        weights.know(len(self._vocabulary))
        if self._steps.begins(anchors):
            self._read()
        state = self._states[-1]
        self._at.append(state)
        if len(options) == 1:
            taken, log = 0, 0.0
        else:
            scores = (weights.head[numbers] @ state + weights.head_bias[numbers]).astype(float)
            if anchors is not None:
                scores[1] += self._joined(anchors)
            logs = scores - scores.max()
            logs -= np.log(np.exp(logs).sum())
            sums = np.exp(logs).cumsum()
            taken = min(int(np.searchsorted(sums, at, side="right")), len(options) - 1)
            log = float(logs[taken])
        self._steps.unread.append(numbers[taken])
        return taken, log

    def _joined(self, anchors: tuple[int, int]) -> float:
        """Returns the score of joining two anchor points by what is there."""
        arrays = self._weights.arrays
        earlier, later = (self._at[point] for point in anchors)
        score = np.tanh(arrays["earlier"] @ earlier + arrays["later"] @ later) @ arrays["v"]
        return float(score)

    def _read(self) -> None:
        """Makes one step with what was not read yet."""
        weights, unread = self._weights, self._steps.unread
        self._steps.unread = []
        gates = weights.read[unread[0]] if len(unread) == 1 else weights.read[unread].mean(axis=0)
        units = len(self._states[0])
        for layer in range(weights.layers):
            if layer:
                gates = weights.reads[layer] @ self._states[layer - 1] + weights.bias[layer]
            gates = gates + weights.keeps[layer] @ self._states[layer]
            opened = expit(gates)
            new = np.tanh(gates[2 * units : 3 * units])
            cell = opened[units : 2 * units] * self._cells[layer] + opened[:units] * new
            self._cells[layer] = cell
            self._states[layer] = opened[3 * units :] * np.tanh(cell)
