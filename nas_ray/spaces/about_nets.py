"""What a space may be asked about its nets: their stem, what they cost, and how they were trained."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Protocol, runtime_checkable


@runtime_checkable
class StemmedSpace(Protocol):
    """A space with several stems; asked by `run.json`, since the same arch is another net on each."""

    @property
    def stem(self) -> str:
        """The name of the stem."""


@runtime_checkable
class CostSpace(Protocol):
    """A space with a formula of its costs; asked by limits, which build a net to count otherwise."""

    def cost(self, arch: str, num_classes: int, image: tuple[int, int, int]) -> tuple[float, float] | None:
        """Returns parameters, and multiply-adds of one image `(C, H, W)`; None where no formula is known."""


@runtime_checkable
class CostClassSpace(Protocol):
    """A space in which many archs cost the same; asked by limits, which then count one for all."""

    def cost_class(self, arch: str) -> Hashable:
        """Returns something that is equal for archs of equal parameters and multiply-adds."""


@runtime_checkable
class ScheduledSpace(Protocol):
    """A space with published trainings; asked by tables of accuracy."""

    @property
    def schedules(self) -> tuple[int, ...]:
        """Epochs of the published trainings, the one that counts last."""
