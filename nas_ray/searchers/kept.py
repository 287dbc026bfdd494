"""The state of a searcher that is costly to replay, such as one with a network inside."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast, runtime_checkable

import numpy as np

from nas_ray.rows import Event
from nas_ray.searchers.driver import Driver
from nas_ray.searchers.history import History


@runtime_checkable
class Stateful(Protocol):
    """A searcher whose state can be kept, so that a resumed search repeats its last events alone."""

    def state(self) -> dict[str, Any]:
        """Returns all that `ask` and `tell` change, but `history` and `rng`.

        Texts, truth values, numbers, None, lists, tuples, dicts, numpy arrays and torch tensors; a net and an
        optimizer have it in their `state_dict()`.
        """

    def load_state(self, state: dict[str, Any]) -> None:
        """Brings a new searcher to what `state` returned; `history` and `rng` are those of then already."""


class Kept(NamedTuple):
    """What brings a new searcher to where another one was.

    Attributes:
        searcher: name of its class.
        rng: of numpy's generator.
        state: its own.
    """

    searcher: str
    rng: dict[str, Any]
    state: dict[str, Any]


class Keeping(History):
    """The part of `ArchSearcher` that is kept, where a subclass is `Stateful`.

    Attributes:
        rng: the only source of randomness.
        keep_every: events after which the state is kept again.
    """

    keep_every = 50
    rng: np.random.Generator
    _driver: Driver
    _asked: int

    def _beyond(self, events: Sequence[Event]) -> Sequence[Event]:
        """Returns those of `events` that follow what this searcher knows, which is how they begin.

        Raises:
            ValueError: it was given other rows than they begin with.
        """
        held = self._record.events
        given = [event for event in held if event["event"] == "given"]
        if json.dumps(given) != json.dumps(list(events[: len(given)])):
            raise ValueError("it began with other rows than this searcher was given")
        return events[len(held) :]

    def save(self, checkpoint_path: str) -> None:
        """Writes the events as JSON."""
        Path(checkpoint_path).write_text(json.dumps(self._record.events), encoding="utf-8")

    def __getstate__(self) -> dict[str, Any]:
        """Leaves the driver's connections out: they hold open files and belong to one process."""
        return {**self.__dict__, "_driver": Driver(archs_per_trial=self._driver.archs_per_trial)}

    def kept(self) -> Kept:
        """Returns the state of a searcher that has `state`, after its last event."""
        with self._surroundings():
            own = cast(Stateful, self).state()
        return Kept(type(self).__qualname__, dict(self.rng.bit_generator.state), own)

    def load_kept(self, kept: Kept, events: Sequence[Event]) -> None:
        """Brings a new searcher to where one was after `events`, of which `replay` repeats none.

        Raises:
            Exception: it is the state of another searcher; this one is as new.
        """
        if kept.searcher != type(self).__qualname__:
            raise ValueError(f"it is the state of {kept.searcher}")
        with _as_it_was(self):
            for event in self._beyond(events):
                self._asked += event["event"] == "ask"
                self.follow(event)
            self.rng.bit_generator.state = kept.rng
            with self._surroundings():
                cast(Stateful, self).load_state(kept.state)


@contextlib.contextmanager
def _as_it_was(searcher: object) -> Iterator[None]:
    """Puts the attributes of a searcher back if the body raises."""
    held = vars(searcher)
    shared = [held[name] for name in ("space", "fitness", "_surroundings", "_driver") if name in held]
    before = copy.deepcopy(held, {id(part): part for part in shared})
    try:
        yield
    except BaseException:
        held.clear()
        held.update(before)
        raise
