"""Archs that a policy drew, until it has learnt from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nas_ray.searchers.controllers.paths import Path, plain, unplain

FARTHEST = 20.0
"""Most by which the logarithm of a chance is taken to have grown, so that no ratio overflows."""


@dataclass(frozen=True)
class Sample:
    """An arch that was drawn.

    Attributes:
        path: what was decided.
        logs: `[decisions]` logarithms of the chances then.
        updates: of the policy, before.
        advantage: its reward less the baseline; 0 as long as its row has not come.
    """

    path: Path
    logs: np.ndarray
    updates: int
    advantage: float = 0.0

    def state(self) -> dict[str, Any]:
        """Returns it as plain data."""
        return {**vars(self), "path": plain(self.path)}

    @staticmethod
    def of(state: dict[str, Any]) -> Sample:
        """Returns the sample of plain data."""
        return Sample(**{**state, "path": unplain(state["path"])})


@dataclass(frozen=True)
class Batch:
    """Samples that the policy learns from together.

    Attributes:
        samples: one or more.
    """

    samples: Sequence[Sample]

    @property
    def paths(self) -> list[Path]:
        """What was decided in each."""
        return [sample.path for sample in self.samples]

    def ratios(self, logs: np.ndarray) -> np.ndarray:
        """Returns the chances `[decisions of all samples]` over those when they were drawn.

        Args:
            logs: `[decisions of all samples]` logarithms of the chances now.
        """
        grown = logs - np.concatenate([sample.logs for sample in self.samples])
        ratios: np.ndarray = np.exp(np.minimum(grown, FARTHEST))
        return ratios

    def spread(self, values: Sequence[float] | np.ndarray) -> np.ndarray:
        """Returns values `[samples]` for each decision `[decisions of all samples]`."""
        return np.repeat(np.asarray(values, dtype=float), [len(sample.path) for sample in self.samples])

    def advantages(self) -> np.ndarray:
        """Returns the advantages `[decisions of all samples]` of their samples, over the number of these."""
        return self.spread([sample.advantage for sample in self.samples]) / len(self.samples)

    def starts(self) -> np.ndarray:
        """Returns where the decisions of each sample begin, `[samples]`."""
        lengths = [len(sample.path) for sample in self.samples]
        return np.cumsum([0, *lengths[:-1]])
