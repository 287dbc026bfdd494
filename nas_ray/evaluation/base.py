"""What an evaluator is, and what else one may be able to do; each protocol says who asks for it.

An evaluator turns one arch into one row. All that follows it is optional: an evaluator declares what it can
do by having the methods, and whoever asks does so with `isinstance`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, runtime_checkable

from nas_ray.errors.checks import Kind
from nas_ray.rows import Row

if TYPE_CHECKING:
    from nas_ray.training.expected import Expected

Evaluator = Callable[[str, Callable[[Row], None]], None]
"""`evaluate(arch, report)` calls `report` with a row, once or, for growing fidelities, several times."""

EVALUATOR: Final = Kind(
    "an evaluator, called as evaluator(arch, report)",
    lambda value: callable(value) and not isinstance(value, type),
)

E = TypeVar("E")


@runtime_checkable
class EpochEvaluator(Protocol):
    """An evaluator that trains, and can be left after any epoch; the trials of `tune_search` ask.

    Attributes:
        until: the epoch after which it ends.
    """

    until: int

    def epochs(self, arch: str) -> Iterator[Row]:
        """Yields a row after each epoch, with `valid_acc` and `epochs`; one with an `error` is the last."""

    def forget(self, arch: str) -> None:
        """Removes what was kept for going on with `arch`, whose row is safe."""


@runtime_checkable
class ChunkEvaluator(Protocol):
    """An evaluator that takes several archs at once; trials that carry several and `simulate` ask."""

    def __call__(self, arch: str, report: Callable[[Row], None]) -> None:
        """Reports the row of one arch."""

    def rows(self, archs: Sequence[str]) -> list[Row]:
        """Returns a row per arch, in the order given."""


@runtime_checkable
class Placed(Protocol):
    """An evaluator that computes on a device; a search asks once it knows where its trials run."""

    def placed(self, accelerator: str, folder: Path | None) -> Evaluator:
        """Returns an equal evaluator for a device and a run folder.

        Args:
            accelerator: Lightning's name of the device, `cpu` or `gpu`.
            folder: the run folder, in which unfinished work may be kept; None where workers see none.
        """


@runtime_checkable
class InFolder(Protocol):
    """An evaluator that keeps unfinished work in the run folder; Ray Client asks, whose workers see none."""

    def without_folder(self) -> Evaluator:
        """Returns an equal evaluator that keeps nothing."""


@runtime_checkable
class InForms(Protocol):
    """An evaluator by proxies whose numbers may have changed between versions; a resumed search asks."""

    def in_forms(self, stored: object) -> Evaluator:
        """Returns an equal evaluator with proxies in the forms that a run began with.

        Args:
            stored: what `run.json` keeps of them (`nas_ray.proxies.forms`).
        """


@runtime_checkable
class SeesImages(Protocol):
    """An evaluator that sees other images than the minibatch; `run.json` asks, to know them again.

    Attributes:
        earlier_fingerprint: a hash of which images it sees.
    """

    @property
    def earlier_fingerprint(self) -> str:
        """The hash."""


@runtime_checkable
class Described(Protocol):
    """An evaluator that has a line to say of itself; the introduction of a search asks."""

    def described(self) -> str:
        """Returns what is computed of an arch, in a few words."""


@runtime_checkable
class Foretold(Protocol):
    """An evaluator that knows before it starts how long it takes; the introduction of a search asks."""

    def foretold(self, arch: str, *, accelerator: str = "cpu", threads: int | None = None) -> Expected:
        """Returns how long one evaluation of `arch` takes here, from a few steps on one batch.

        Args:
            arch: canonical string, of those that are searched.
            accelerator: Lightning's name of the device, `cpu` or `gpu`.
            threads: of a trial; None for those of this process.
        """


def placed(evaluator: Evaluator, accelerator: str, folder: Path | None) -> Evaluator:
    """Returns `evaluator` for a device and a run folder, itself where it does not depend on them."""
    return evaluator.placed(accelerator, folder) if isinstance(evaluator, Placed) else evaluator


def in_forms(evaluator: Evaluator, stored: object) -> Evaluator:
    """Returns `evaluator` with proxies in the forms of a run, itself where it has none."""
    return evaluator.in_forms(stored) if isinstance(evaluator, InForms) else evaluator


def changed(thing: E, **values: Any) -> E:
    """Returns a copy of `thing` with other attributes, and without what it had computed from the former."""
    made = copy.copy(thing)
    for name in list(vars(thing)):
        if isinstance(getattr(type(thing), name, None), cached_property):
            del made.__dict__[name]
    made.__dict__.update(values)
    return made
