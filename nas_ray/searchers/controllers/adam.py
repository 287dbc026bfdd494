"""Adam on numpy arrays, which may grow."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

BETAS, SMALL = (0.9, 0.999), 1e-8

LARGEST = 1e18
"""Most of a gradient, whose square 32 bits hold."""


class Adam:
    """Moves arrays uphill along their gradients.

    An array may have grown at the end of its axes since the last step; what is new begins without moments.
    A gradient with a larger number than `LARGEST` is scaled down to it. One that is not finite makes no step,
    with a warning: it would leave no number of the arrays.

    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1.
    Differs: it maximises.

    Args:
        lr: learning rate.
    """

    def __init__(self, lr: float) -> None:
        self.lr, self.steps = lr, 0
        self._moments: list[tuple[np.ndarray, np.ndarray]] = []

    def step(self, arrays: Sequence[np.ndarray], gradients: Sequence[np.ndarray]) -> None:
        """Changes `arrays` in place.

        Args:
            arrays: the same ones every time, in the same order.
            gradients: of what is maximised, of the same shapes.
        """
        largest = float(np.max([np.abs(one).max(initial=0.0) for one in gradients]))
        if not np.isfinite(largest):
            warnings.warn(
                "A step of Adam was left out, as its gradient is not finite.", RuntimeWarning, stacklevel=2
            )
            return
        if largest > LARGEST:
            gradients = [one * (LARGEST / largest) for one in gradients]
        self.steps += 1
        self._moments = self._moments or [(np.zeros_like(one), np.zeros_like(one)) for one in arrays]
        first_left, second_left = (1 - beta**self.steps for beta in BETAS)
        for number, (array, gradient) in enumerate(zip(arrays, gradients, strict=True)):
            first, second = (_grown(moment, array.shape) for moment in self._moments[number])
            _moved(first, gradient, BETAS[0])
            _moved(second, gradient * gradient, BETAS[1])
            deviation = second / second_left
            np.sqrt(deviation, out=deviation)
            deviation += SMALL
            array += np.divide(first * (self.lr / first_left), deviation, out=deviation)
            self._moments[number] = first, second

    def state(self) -> dict[str, Any]:
        """Returns what `step` changes."""
        return {"steps": self.steps, "moments": [tuple(map(np.copy, pair)) for pair in self._moments]}

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes what `state` returned."""
        self.steps = state["steps"]
        self._moments = [(first.copy(), second.copy()) for first, second in state["moments"]]


def _moved(moment: np.ndarray, value: np.ndarray, beta: float) -> None:
    """Moves an average towards `value`, with one array beside them."""
    apart = value - moment
    apart *= 1 - beta
    moment += apart


def _grown(moment: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if moment.shape == shape:
        return moment
    grown: np.ndarray = np.pad(moment, [(0, new - old) for old, new in zip(moment.shape, shape, strict=True)])
    return grown
