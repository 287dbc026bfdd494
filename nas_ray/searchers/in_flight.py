"""The archs that were asked for and have no row yet: which trial carries them and who waits for them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nas_ray.rows import Row
from nas_ray.searchers.messages import DIED, may_lack_memory, rows_of

Asked = tuple[int, str]
"""The number of an evaluation and its arch."""

MOST_WAITING = 8
"""Evaluations that may wait for archs in flight; a searcher that proposes more of them waits itself."""


class InFlight:
    """What a searcher knows of its evaluations without a row; true while a trial is under way.

    Attributes:
        again: asked for and to go out once more: unfinished at an interruption, or waited for an arch that
            failed.
        so_far: Tune's trial id -> rows of its last epoch.
    """

    def __init__(self) -> None:
        self.again: deque[Asked] = deque()
        self.so_far: dict[str, list[Row]] = {}
        self._chunks: dict[str, list[Asked]] = {}  # Tune's trial id -> what it carries
        self._waiting: dict[str, list[int]] = {}  # arch in flight -> further evaluations that asked for it
        self._apart: deque[Asked] = deque()  # of a chunk whose worker died
        self._exclusive: deque[Asked] = deque()  # did not fit into memory beside others
        self._alone = False  # whether what is under way is to have the machines for itself
        self._retried = set[int]()
        self._collecting = False

    def __bool__(self) -> bool:
        return bool(self._chunks)

    @property
    def awaited(self) -> bool:
        """Whether a row may come of what was asked for; False in a replay, which asks where a search did.

        So a searcher that waits for the end of a stage looks at this and at nothing else: what it asks for
        depends on its asks and tells alone.
        """
        return bool(self._waiting)

    @property
    def crowded(self) -> bool:
        """Whether as many evaluations as may are waiting for archs in flight."""
        return sum(map(len, self._waiting.values())) >= MOST_WAITING

    @property
    def complete(self) -> bool:
        """Whether the evaluations in `again` share no trial with new ones.

        They do only if the interruption came while their own trial was being filled. Else a new arch would be
        asked for before rows that it was to know.
        """
        return bool(self.again) and not self._collecting

    @property
    def settled(self) -> bool:
        """Whether nothing may have to go out again: nothing is under way or in line."""
        return not (self._chunks or self._apart or self._exclusive or any(self._waiting.values()))

    def last_rows(
        self, trial_id: str, count: int, result: Mapping[str, Any] | None, error: bool
    ) -> Sequence[Row | None]:
        """Returns the rows of a trial of `count` archs that ended; None for what never started."""
        so_far = self.so_far.pop(trial_id, None)
        if result:
            return rows_of(result)
        if so_far and not error:
            return so_far  # stopped by a scheduler while it was paused
        return [DIED if error or result is not None else None] * count

    @property
    def trials(self) -> dict[str, list[Asked]]:
        """What each trial carries."""
        return {trial_id: list(chunk) for trial_id, chunk in self._chunks.items()}

    def resume(
        self, unfinished: Iterable[Asked], out: Mapping[str, list[Asked]], *, collecting: bool
    ) -> None:
        """Takes what was in flight at an interruption.

        Args:
            unfinished: all of it.
            out: the part of it whose trials go on, by Tune's trial id.
            collecting: whether a trial was still being filled.
        """
        for trial_id, chunk in out.items():
            for asked in chunk:
                self.join(asked)
            self.send(trial_id, chunk)
        carried = {asked for chunk in out.values() for asked in chunk}
        self.again.extend(asked for asked in unfinished if asked not in carried)
        self._collecting = collecting

    def next_again(self) -> Asked:
        """Returns the first of `again`, which leaves it."""
        asked = self.again.popleft()
        self._collecting = self._collecting and bool(self.again)
        return asked

    def join(self, asked: Asked) -> bool:
        """Returns whether the arch is in flight, in which case its row will do; else it is from now on."""
        trial, arch = asked
        if arch in self._waiting:
            self._waiting[arch].append(trial)
            return True
        self._waiting[arch] = []
        return False

    def send(self, trial_id: str, chunk: list[Asked]) -> None:
        """Notes that Tune's trial `trial_id` carries `chunk`."""
        self._chunks[trial_id] = chunk
        self._alone = self._alone or chunk[0][0] in self._retried

    def back(self, trial_id: str) -> list[Asked]:
        """Returns what the trial carried; its archs stay in flight until they land."""
        chunk = self._chunks.pop(trial_id)
        self._alone = self._alone and bool(self._chunks)
        return chunk

    def land(self, arch: str) -> list[int]:
        """Returns the evaluations that waited for `arch`, which is no longer in flight."""
        return self._waiting.pop(arch)

    def carries(self, trial_id: str) -> bool:
        """Returns whether a trial is under way, as far as is known here."""
        return trial_id in self._chunks

    def lose(self, trial_ids: Iterable[str]) -> None:
        """Puts what trials carried that will not end in line again, behind it who waited for it."""
        for trial_id in trial_ids:
            for trial, arch in self.back(trial_id):
                self.again.extend((number, arch) for number in (trial, *self.land(arch)))

    def separate(self, chunk: list[Asked]) -> None:
        """Puts what a trial carried in line to go out one by one."""
        self._apart.extend(chunk)

    def repeats_alone(self, asked: Asked, row: Row | None) -> bool:
        """Returns whether an evaluation goes out again, with nothing beside it: it may have lacked memory.

        Others on the same device may have taken it, or its machine is going. A second time it has failed.
        """
        if row is None or not may_lack_memory(row) or asked[0] in self._retried:
            return False
        self._retried.add(asked[0])
        self._exclusive.append(asked)
        return True

    def next_apart(self) -> list[Asked] | None:
        """Returns what goes out next by itself, nothing as long as all must wait, None if none is in line."""
        if self._alone or (self._exclusive and self._chunks):
            return []
        line = self._exclusive or self._apart
        return [line.popleft()] if line else None
