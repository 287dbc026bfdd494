"""What a training that keeps checkpoints declares of itself: it can be placed, and say what it does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TypeVar

from nas_ray.evaluation.base import Evaluator, changed, in_forms, placed

T = TypeVar("T", bound="MovableTraining")
CHECKPOINTS = "checkpoints"
"""Folder of unfinished trainings in a run folder."""


class MovableTraining(ABC):
    """A training whose device, checkpoints and scores are attributes; every change is a new object.

    Attributes:
        accelerator: Lightning's name of the device, `cpu` or `gpu`.
        checkpoints: folder of unfinished trainings; None for none.
        scores: evaluates an arch before it is trained; None for nothing.
        until: the epoch after which it ends.
    """

    accelerator: str
    checkpoints: Path | None
    scores: Evaluator | None
    until: int

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """A hash of what is trained on."""

    def placed(self: T, accelerator: str, folder: Path | None) -> T:
        """Returns the same on another device, with its checkpoints in a run folder."""
        scores = None if self.scores is None else placed(self.scores, accelerator, folder)
        checkpoints = None if folder is None else folder.resolve() / CHECKPOINTS
        made = changed(self, accelerator=accelerator, checkpoints=checkpoints, scores=scores)
        _ = made.fingerprint  # once here, and not by every worker
        return made

    def without_folder(self: T) -> T:
        """Returns the same without checkpoints."""
        return changed(self, checkpoints=None)

    def in_forms(self: T, stored: object) -> T:
        """Returns the same with scores by proxies in the forms of a run."""
        return changed(self, scores=None if self.scores is None else in_forms(self.scores, stored))

    def described(self) -> str:
        """Returns how long it trains."""
        return f"{self.until} epochs"
