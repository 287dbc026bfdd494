"""The searcher interface: `ask` for the next arch, `tell` its row; everything else is handled here."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ray.tune.search import Searcher

from nas_ray.searchers.fitness import Fitness, Row

if TYPE_CHECKING:  # a searcher needs no torch
    from nas_ray.spaces.base import SearchSpace

Event = dict[str, Any]
"""`{"event": "ask", "trial": int, "arch": str}` or `{"event": "tell", "trial": int, "row": Row}`."""

SCORE = "score"
"""The metric that a Tune result carries; searchers use the whole row instead."""

MOST_WAITING = 8
"""Trials that may wait for rows of archs in flight; a searcher that proposes more of them waits itself."""

ROW = "row/"
"""What the keys of a row start with among the keys of a Tune result, which Tune flattens and adds to."""


def members(space: SearchSpace) -> list[str]:
    """Returns the archs of `space` in its published order, none if it cannot be listed."""
    return list(space) if isinstance(space, Iterable) else []


def row_of(result: Mapping[str, Any]) -> Row:
    """Returns the row in a Tune result, or all of `result` if it is a bare row."""
    row = {key.removeprefix(ROW): value for key, value in result.items() if key.startswith(ROW)}
    return row or dict(result)


class ArchSearcher(Searcher, ABC):  # type: ignore[misc]  # Ray ships no types
    """A Ray Tune `Searcher` over archs.

    The whole of a new searcher is `ask`, and `tell` if it keeps state::

        class Walk(ArchSearcher):
            def ask(self):
                if not self.history:
                    return self.space.sample(self.rng)
                best = int(np.argmax(self.fitness_of(range(len(self.history)))))
                return str(self.rng.choice(self.space.neighbors(self.history[best]["arch"])))

    `ask` returns None to wait for pending results, in which case it must not have changed any state, and
    raises `StopIteration` when there is nothing left to propose.

    The state of a searcher is a function of its constructor's arguments and of the sequence of asks and
    tells. So a search is saved as its events and restored by replaying them: plain data, and exact to the
    last random number.

    Args:
        space: where archs come from.
        fitness: what is maximised, computed from rows.
        seed: seed of `self.rng`, the only source of randomness.

    Attributes:
        history: the rows of finished evaluations in order of arrival, one per arch, failed ones included.
    """

    def __init__(self, space: SearchSpace, *, fitness: Fitness, seed: int = 0) -> None:
        super().__init__(metric=SCORE, mode="max")
        self.space = space
        self.fitness = fitness
        self.rng = np.random.default_rng(seed)
        self.history: list[Row] = []
        self.events: list[Event] = []
        self._position: dict[str, int] = {}  # arch -> place of its row in history
        self._pending: dict[str, tuple[int, str]] = {}  # Tune's trial id -> (trial, arch)
        self._waiting: dict[str, list[int]] = {}  # arch in flight -> further trials that asked for it
        self._again: deque[tuple[int, str]] = deque()  # asked before an interruption and never told
        self._asked = 0
        self._observer: Callable[[Event], None] | None = None
        self._stop: Callable[[], bool] | None = None
        self._clock: Callable[[], float] | None = None

    @abstractmethod
    def ask(self) -> str | None:
        """Returns the next arch to evaluate, or None to wait for a pending one.

        Raises:
            StopIteration: the search is over.
        """

    def tell(self, arch: str, row: Row) -> None:
        """Takes the row of `arch`; `history` already ends with it, unless the row repeats an earlier one."""

    # What subclasses use.

    def fitness_of(self, positions: Sequence[int]) -> np.ndarray:
        """Returns the fitness `[len(positions)]` of rows of `history`; a relative one looks at all of it."""
        if getattr(self.fitness, "relative", True):
            return self.fitness(self.history)[list(positions)]
        return self.fitness([self.history[p] for p in positions])

    def position(self, arch: str) -> int:
        """Returns the place of the row of `arch` in `history`."""
        return self._position[arch]

    # What drivers use.

    def attach(
        self,
        *,
        observer: Callable[[Event], None] | None = None,
        stop: Callable[[], bool] | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Connects a driver: `observer` gets every event, `stop` ends the search, `clock` gives seconds."""
        self._observer, self._stop, self._clock = observer, stop, clock

    @property
    def num_asked(self) -> int:
        """Number of archs proposed so far, repeated ones included."""
        return self._asked

    def replay(self, events: Sequence[Event]) -> None:
        """Brings a new searcher to the state that `events` left; unfinished archs are proposed again first.

        Raises:
            ValueError: the events come from a search with other arguments.
        """
        open_trials: dict[int, str] = {}
        for event in events:
            if event["event"] == "ask":
                self._replay_ask(event)
                open_trials[event["trial"]] = event["arch"]
            else:
                arch = open_trials.pop(event["trial"], "")
                if not arch or event["row"].get("arch") != arch:
                    raise ValueError(f"the row of trial {event['trial']} in the journal was never asked for.")
                self._record(
                    {"event": "tell", "trial": event["trial"], "row": event["row"]}, arch, notify=False
                )
        self._again.extend(open_trials.items())

    def _replay_ask(self, event: Event) -> None:
        arch = self.ask()
        if arch != event["arch"] or self._asked != event["trial"]:
            raise ValueError(
                f"Trial {event['trial']} of the journal is {event['arch']!r}, but this search would ask for "
                f"{arch!r}: it was made with other arguments or another version."
            )
        self._asked += 1
        self.events.append(event)

    # Ray Tune's side.

    def suggest(self, trial_id: str) -> dict[str, str] | str | None:
        """Returns `{"arch": ...}`, None to wait, or `Searcher.FINISHED`; Tune and `simulate` call it."""
        while self._again or not (self._stop and self._stop()):
            if sum(map(len, self._waiting.values())) >= MOST_WAITING:
                return None
            try:
                asked = self._next()
            except StopIteration:
                break
            if asked is None:
                if not self._pending:
                    raise RuntimeError(
                        f"{type(self).__name__}.ask() returned None with no evaluation pending."
                    )
                return None
            trial, arch = asked
            if self._succeeded(arch):
                self._repeat(trial, arch)
            elif arch in self._waiting:  # in flight: its row will do for this trial as well
                self._waiting[arch].append(trial)
            else:
                self._pending[trial_id] = (trial, arch)
                self._waiting[arch] = []
                return {"arch": arch}
        return str(Searcher.FINISHED)

    def on_trial_complete(
        self, trial_id: str, result: Mapping[str, Any] | None = None, error: bool = False
    ) -> None:
        """Takes the end of a trial: its row, a failure, or a stop before it started (nothing to tell)."""
        trial, arch = self._pending.pop(trial_id)
        waiting = self._waiting.pop(arch)
        if result is not None or error:
            row = row_of(result) if result else {"error": "the worker died before the trial ended"}
            self._tell(trial, arch, {**row, "reused": False})
        for other in waiting:
            if self._succeeded(arch):
                self._repeat(other, arch)
            else:
                self._again.append((other, arch))

    def save(self, checkpoint_path: str) -> None:
        """Writes the events as JSON."""
        Path(checkpoint_path).write_text(json.dumps(self.events), encoding="utf-8")

    def restore(self, checkpoint_path: str) -> None:
        """Replays the events that `save` wrote."""
        self.replay(json.loads(Path(checkpoint_path).read_text(encoding="utf-8")))

    def __getstate__(self) -> dict[str, Any]:
        """Leaves the driver's connections out: they hold open files and belong to one process."""
        return {**self.__dict__, "_observer": None, "_stop": None, "_clock": None}

    def _next(self) -> tuple[int, str] | None:
        if self._again:
            return self._again.popleft()
        arch = self.ask()
        if arch is None:
            return None
        if not isinstance(arch, str):
            raise TypeError(f"{type(self).__name__}.ask() must return an arch as a string, got {arch!r}.")
        trial = self._asked
        self._asked += 1
        self._emit({"event": "ask", "trial": trial, "arch": arch})
        return trial, arch

    def _succeeded(self, arch: str) -> bool:
        return arch in self._position and not self.history[self._position[arch]].get("error")

    def _repeat(self, trial: int, arch: str) -> None:
        """Tells a known row again: scores do not depend on the trial, so nothing is computed twice."""
        self._tell(trial, arch, {**self.history[self._position[arch]], "seconds": 0.0, "reused": True})

    def _tell(self, trial: int, arch: str, row: Row) -> None:
        clock = {"finished_at": self._clock()} if self._clock else {}
        row = {**row, **clock, "trial": trial, "arch": arch}
        self._record({"event": "tell", "trial": trial, "row": row}, arch, notify=True)

    def _record(self, event: Event, arch: str, *, notify: bool) -> None:
        row: Row = event["row"]
        if not row.get("reused"):
            self._position[arch] = len(self.history)
            self.history.append(row)
        self.tell(arch, row)
        self.events.append(event) if not notify else self._emit(event)

    def _emit(self, event: Event) -> None:
        self.events.append(event)
        if self._observer:
            self._observer(event)
