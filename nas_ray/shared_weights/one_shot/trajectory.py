"""What a one-shot search held after each of its epochs, as a text that travels in a row."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
NUMBERS = ("valid_acc", "skips", "entropy")
"""Columns that every search has."""
ON_REQUEST = ("lambda_max", "valid_nats")
"""Columns that a search has where they were asked for, or a text is read."""


@dataclass
class Trajectory:
    """The course of one search, an entry for each epoch.

    Attributes:
        found: the archs that the weights of the epochs gave.
        numbers: columns of the epochs by name.
        weights: for every epoch the weights of operations, `[E, O]` for each graph.
    """

    found: list[str] = field(default_factory=list)
    numbers: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in NUMBERS})
    weights: list[list[Array]] = field(default_factory=list)

    def add(self, found: str, weights: Sequence[Array], numbers: dict[str, float]) -> None:
        """Adds an epoch."""
        self.found.append(found)
        self.weights.append([np.asarray(of, dtype=np.float32) for of in weights])
        for name in (*NUMBERS, *(name for name in ON_REQUEST if name in numbers)):
            before = [math.nan] * (len(self.found) - 1)  # of a checkpoint that had none
            self.numbers.setdefault(name, before).append(numbers[name])

    def best(self) -> str:
        """Returns the arch of the epoch with the best `valid_acc`, the first of equals."""
        accuracies = np.array(self.numbers["valid_acc"], dtype=float)
        return self.found[int(np.argmax(np.where(np.isfinite(accuracies), accuracies, -np.inf)))]

    def to_text(self) -> str:
        """Returns it as JSON, with arrays as base64 of little-endian float32."""
        packed = [[_packed(of) for of in epoch] for epoch in self.weights]
        return json.dumps({"found": self.found, "numbers": self.numbers, "weights": packed})

    @classmethod
    def from_text(cls, text: str) -> Trajectory:
        """Returns what `to_text` gave.

        Raises:
            ValueError: `text` is something else.
        """
        try:
            held: dict[str, Any] = json.loads(text)
            found = [str(arch) for arch in held["found"]]
            names = (*NUMBERS, *(name for name in ON_REQUEST if name in held["numbers"]))
            numbers = {name: [float(value) for value in held["numbers"][name]] for name in names}
            weights = [[_unpacked(*of) for of in epoch] for epoch in held["weights"]]
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("no trajectory of a one-shot search") from error
        if {len(found), len(weights), *map(len, numbers.values())} != {len(found)}:
            raise ValueError("a trajectory whose epochs do not fit each other")
        return cls(found, numbers, weights)


def _packed(array: Array) -> tuple[list[int], str]:
    data = np.ascontiguousarray(array, dtype="<f4").tobytes()
    return list(array.shape), base64.b64encode(data).decode("ascii")


def _unpacked(shape: list[int], text: str) -> Array:
    flat = np.frombuffer(base64.b64decode(text, validate=True), dtype="<f4")
    return flat.reshape(tuple(shape)).astype(np.float32)
