"""The searcher interface: `ask` for the next arch, `tell` its row; everything else is handled here."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from nas_ray.errors.checks import CALLABLE
from nas_ray.rows import Event, Row, copied
from nas_ray.searchers.bare import Bare
from nas_ray.searchers.driver import Driver
from nas_ray.searchers.events import check_arch, check_ask, checked, ends_with_ask, unfinished
from nas_ray.searchers.fitness import UNSAID, Fitness, Unsaid
from nas_ray.searchers.in_flight import Asked, InFlight
from nas_ray.searchers.messages import FINISHED, config_of, rows_of
from nas_ray.searchers.warm_start import WarmStart
from nas_ray.spaces.base import SPACE, SearchSpace

CarriedTrials = Mapping[str, Iterable[Sequence[Any]]]
"""By the id of a trial, number and arch of each evaluation that it carries."""


class ArchSearcher(Bare, WarmStart, ABC):
    """Chooses archs and learns from their rows; `nas_ray.TuneSearcher` makes Ray Tune's `Searcher` of it.

    The whole of a new searcher is `ask`, and `tell` if it keeps state::

        class Walk(ArchSearcher):
            def ask(self):
                if not self.history:
                    return self.space.sample(self.rng)
                best = int(np.argmax(self.fitness_of(range(len(self.history)))))
                return str(self.rng.choice(self.space.neighbors(self.history[best]["arch"])))

    `ask` returns None to wait for pending results, in which case it must not have changed any state, and
    raises `StopIteration` when there is nothing left to propose.

    The state is a function of the arguments and the sequence of asks and tells. So a search is saved as its
    events and restored by replaying them, exact to the last random number. A subclass for which that is
    costly has `state` and `load_state` as well (`Stateful`), and repeats its last events alone.

    Args:
        space: where archs come from.
        fitness: what is maximised, computed from rows; `TuneSearcher` may take the metric of a tuner instead.
        seed: seed of `self.rng`, the only source of randomness.

    Attributes:
        history: the rows of finished evaluations in order of arrival: one of each arch that succeeded, and
            one of every evaluation that failed, since a failed arch is evaluated again. They are copies, as
            are those that it is told: journal and table do not change with them.
    """

    def __init__(self, space: SearchSpace, *, fitness: Fitness = UNSAID, seed: int = 0) -> None:
        SPACE.check("space", space)
        CALLABLE.check("fitness", fitness)
        self.space, self.seed = space, seed
        self.remember(fitness)
        self.rng = np.random.default_rng(seed)
        self._in_flight, self._driver, self._asked, self._over = InFlight(), Driver(), 0, False
        self._broken: Exception | None = None  # what a subclass raised when it was told a row

    @abstractmethod
    def ask(self) -> str | None:
        """Returns the next arch to evaluate, or None to wait for a pending one.

        Raises:
            StopIteration: the search is over.
        """

    def tell(self, arch: str, row: Row) -> None:
        """Takes the row of `arch`; `history` already ends with it, unless the row repeats an earlier one."""

    # What drivers use; `Keeping` has what is kept, `History` what subclasses use.

    @property
    def num_asked(self) -> int:
        """Number of archs proposed so far, repeated ones included."""
        return self._asked

    @property
    def trials_in_flight(self) -> dict[str, list[Asked]]:
        """What each trial carries that is under way: the numbers of the evaluations and their archs."""
        return self._in_flight.trials

    def attach(self, **connections: Any) -> None:
        """Connects a driver; `Driver` says what each of its connections is.

        Raises:
            UsageError: there is no fitness.
        """
        if isinstance(self.fitness, Unsaid):
            self.fitness([])  # raises
        self._driver = Driver(**connections)

    def replay(self, events: Sequence[Event], trials: CarriedTrials = MappingProxyType({})) -> None:
        """Brings a new searcher to the state that `events` left; unfinished archs are proposed again first.

        Args:
            events: all of them, in their order.
            trials: `trials_in_flight` of then, where their driver goes on with them by itself.

        Raises:
            ValueError: the events come from a search with other arguments.
        """
        for event in self._beyond(events):
            asked = event["event"] == "ask"
            if asked:
                with self._surroundings():
                    check_ask(event, self._asked, self.ask())
                self._asked += 1
            self.follow(event)
            if not asked:
                self._take(event["row"])
                self._check()
        out = {trial: [(number, arch) for number, arch in carried] for trial, carried in trials.items()}
        self._in_flight.resume(unfinished(events).items(), out, collecting=ends_with_ask(events))

    # Trials: a driver asks for their configs, and says what came of them.

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Returns the config of the next trial, None to wait, or `FINISHED`.

        A trial carries up to `archs_per_trial` archs, fewer where the searcher waits, ends or is stopped.
        """
        self._check()
        chunk, over = self._collect()
        if chunk:
            self._in_flight.send(trial_id, chunk)
            return config_of([arch for _, arch in chunk], self._driver.archs_per_trial)
        if over and self._in_flight.settled:
            return FINISHED  # Tune does not ask again
        if not over and not self._in_flight:
            raise RuntimeError(f"{type(self).__name__}.ask() returned None with no evaluation pending.")
        return None

    def on_trial_result(self, trial_id: str, result: Mapping[str, Any]) -> None:
        """Hears of an epoch of a trial that goes on; `tell` comes with its last row."""
        if not self._in_flight.carries(trial_id):
            return
        rows = self._in_flight.so_far[trial_id] = rows_of(result)
        self._driver.watch(rows)

    def on_trial_complete(
        self, trial_id: str, result: Mapping[str, Any] | None = None, error: bool = False
    ) -> None:
        """Takes the end of a trial: its rows, a failure, or a stop between epochs or before it started.

        Several archs whose worker died go out again one by one: none costs the others their rows. A trial
        that is not under way here, such as one that was told before an interruption, is not told.
        """
        self._check()  # Tune comes again with a trial whose end raised
        if not self._in_flight.carries(trial_id):
            return
        chunk = self._in_flight.back(trial_id)
        if error and len(chunk) > 1:
            self._in_flight.separate(chunk)
            return
        scores = getattr(self.fitness, "names", ())
        ended = self._in_flight.last_rows(trial_id, len(chunk), result, error)
        rows = [checked(row, scores, self.space) for row in ended]
        stamp = self._driver.stamp()  # one for all: they arrive together
        for asked, row in zip(chunk, rows, strict=True):
            if not self._in_flight.repeats_alone(asked, row):
                self._land(asked, None if row is None else {**row, **stamp, "reused": False})
        self._check()

    def _land(self, asked: Asked, row: Row | None) -> None:
        """Tells the row of an arch, if there is one, to all that asked for the arch."""
        trial, arch = asked
        waiting = self._in_flight.land(arch)
        if row is not None:
            self._tell(trial, arch, row)
        for other in waiting:
            if known := self._record.success(arch):
                self._repeat(other, arch, known)
            else:
                self._in_flight.again.append((other, arch))

    def restore(self, checkpoint_path: str) -> None:
        """Replays the events that `save` wrote."""
        self.replay(json.loads(Path(checkpoint_path).read_text(encoding="utf-8")))

    def lose(self, trial_ids: Iterable[str]) -> None:
        """Takes it that trials under way will not end: what they carry goes out again."""
        self._in_flight.lose(trial_ids)

    def _collect(self) -> tuple[list[Asked], bool]:
        """Returns what the next trial carries, and whether nothing more will be asked for."""
        if (apart := self._in_flight.next_apart()) is not None:
            return apart, False
        chunk, complete, most = list[Asked](), self._in_flight.complete, self._driver.archs_per_trial
        while len(chunk) < most and not (chunk and complete and not self._in_flight.again):
            if not self._in_flight.again and (self._over or self._driver.stops()):
                return chunk, True
            if self._in_flight.crowded or (asked := self._next()) is None:
                break
            if known := self._record.success(asked[1]):
                self._repeat(*asked, known)
            elif not self._in_flight.join(asked):
                chunk.append(asked)
        return chunk, self._over

    def _next(self) -> Asked | None:
        if self._in_flight.again:
            return self._in_flight.next_again()
        try:
            with self._surroundings():
                arch = self.ask()
        except StopIteration:
            arch, self._over = None, True
        if arch is None:
            return None
        check_arch(arch, type(self).__name__)
        trial = self._asked
        self._asked += 1
        self._emit({"event": "ask", "trial": trial, "arch": arch})
        self._driver.keep(self)
        return trial, arch

    def _repeat(self, trial: int, arch: str, known: Row) -> None:
        """Tells a known row again: scores do not depend on the trial, so nothing is computed twice."""
        self._tell(trial, arch, {**known, **self._driver.stamp(), "seconds": 0.0, "reused": True})

    def _tell(self, trial: int, arch: str, row: Row) -> None:
        row = self.with_costs({**row, "trial": trial, "arch": arch})
        self._emit({"event": "tell", "trial": trial, "row": row})
        self._take(row)
        if not self._broken:
            self._driver.keep(self)

    def _take(self, row: Row) -> None:
        try:
            with self._surroundings():
                self.tell(row["arch"], copied(row))
        except Exception as error:  # the other rows that arrived are kept before it ends the search
            self._broken = self._broken or error

    def _check(self) -> None:
        if self._broken:
            raise self._broken

    def _emit(self, event: Event) -> None:
        self.follow(event)
        self._driver.observe(event)
