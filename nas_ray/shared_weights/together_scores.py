"""What the evaluators of several archs on one minibatch have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from nas_ray.evaluation.base import changed
from nas_ray.rows import Row

T = TypeVar("T", bound="TogetherScores")


class TogetherScores(ABC):
    """Scores archs of one minibatch together: a base for `rows`, with everything around it.

    Args:
        num_classes: outputs of the nets.
        inputs: images `[B, 3, H, W]`, float32.
        targets: labels `[B]`, int64.
        init_seed: seed of the weights.
        accelerator: Lightning's name of the device, `cpu` or `gpu`.
    """

    def __init__(
        self,
        num_classes: int,
        inputs: np.ndarray,
        targets: np.ndarray,
        *,
        init_seed: int = 0,
        accelerator: str = "cpu",
    ) -> None:
        self.num_classes = num_classes
        self.inputs = inputs
        self.targets = targets
        self.init_seed = init_seed
        self.accelerator = accelerator

    @property
    def device(self) -> str:
        """Torch's name of the device."""
        return "cuda" if self.accelerator == "gpu" else "cpu"

    def __call__(self, arch: str, report: Callable[[Row], None]) -> None:
        """Reports the row of one arch."""
        report(self.rows([arch])[0])

    @abstractmethod
    def rows(self, archs: Sequence[str]) -> list[Row]:
        """Returns a row per arch, in the order given."""

    def placed(self: T, accelerator: str, folder: Path | None) -> T:
        """Returns the same on another device; nothing is kept in a folder."""
        return changed(self, accelerator=accelerator)
