"""A policy without a net: one softmax for each decision."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

import numpy as np

from nas_ray.searchers.controllers.adam import Adam
from nas_ray.searchers.controllers.paths import Anchors, Path
from nas_ray.searchers.controllers.policy import Weigh


class Categorical:
    """Decisions are independent: each place of a sequence has a softmax for every set of options met there.

    All begin with equal chances. Decisions with one option have none.

    Source: the policy of the released code of Dong et al., "NATS-Bench", TPAMI 2021.
    Differs: there logits begin with noise of deviation .001.

    Args:
        lr: learning rate of Adam.
    """

    def __init__(self, lr: float) -> None:
        self._adam = Adam(lr)
        self._rows: dict[tuple[int, tuple[str, ...]], int] = {}  # place and options -> row of the logits
        self._logits = np.zeros((0, 1))  # -inf where a row has fewer options
        self._new: list[int] = []  # options of rows that the arrays lack yet
        self._refresh()

    def begin(self) -> _Reader:
        """Returns what draws one sequence."""
        return _Reader(self)

    def logs(self, paths: Sequence[Path]) -> np.ndarray:
        """Returns the logarithms `[decisions of all paths]` of the chances of what was taken."""
        return self._taken(paths)[0]

    def climb(self, paths: Sequence[Path], weigh: Weigh, entropy: float) -> None:
        """Makes one step of Adam; see `Policy`."""
        logs, free, rows, taken = self._taken(paths)
        weights = weigh(logs)[free]
        uphill = np.zeros_like(self._logits)
        np.add.at(uphill, (rows, taken), weights)
        uphill -= np.bincount(rows, weights, len(uphill))[:, None] * self._chances
        if entropy:
            surprise = self._chances * np.where(self._chances > 0, self._logs, 0.0)
            apart = surprise - self._chances * surprise.sum(axis=1, keepdims=True)
            uphill -= entropy / len(paths) * np.bincount(rows, minlength=len(uphill))[:, None] * apart
        self._adam.step([self._logits], [uphill])
        self._refresh()

    def state(self) -> dict[str, Any]:
        """Returns all that was learnt."""
        self._grow()
        rows = [[place, list(options)] for place, options in self._rows]
        return {"rows": rows, "logits": self._logits.copy(), "adam": self._adam.state()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes what `state` returned."""
        self._rows = {(place, tuple(options)): row for row, (place, options) in enumerate(state["rows"])}
        self._logits, self._new = state["logits"].copy(), []
        self._adam.load_state(state["adam"])
        self._refresh()

    def row(self, place: int, options: tuple[str, ...]) -> int:
        """Returns the row of a decision, which is new where it was never met."""
        known = self._rows.get((place, options))
        if known is not None:
            return known
        count = self._rows[place, options] = len(self._rows)
        self._new.append(len(options))
        chances, logs = _softmax(np.zeros((1, len(options))))
        self._sums += chances.cumsum(axis=1).tolist()
        self._listed += logs.tolist()
        return count

    def draw(self, row: int, count: int, at: float) -> tuple[int, float]:
        """Returns the option of a row of `count` at the number `at`, and the logarithm of its chance."""
        taken = bisect_right(self._sums[row], at, 0, count - 1)
        return taken, self._listed[row][taken]

    def _taken(self, paths: Sequence[Path]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Returns what `logs` does, which decisions are free, and the rows and options `[free]` of these."""
        free = np.array([len(decision.options) > 1 for path in paths for decision in path], dtype=bool)
        both = [
            (self.row(place, decision.options), decision.taken)
            for path in paths
            for place, decision in enumerate(path)
            if len(decision.options) > 1
        ]
        self._grow()
        rows, taken = np.array(both, dtype=int).reshape(-1, 2).T
        logs = np.zeros(len(free))
        logs[free] = self._logs[rows, taken]
        return logs, free, rows, taken

    def _grow(self) -> None:
        """Gives the arrays the rows that are new, all at once, as each time copies them."""
        if not self._new:
            return
        count, width = self._logits.shape
        grown = np.full((count + len(self._new), max(width, *self._new)), -np.inf)
        grown[:count, :width] = self._logits
        for row, options in enumerate(self._new, count):
            grown[row, :options] = 0.0
        self._logits, self._new = grown, []
        self._refresh()

    def _refresh(self) -> None:
        """Computes the chances of all options."""
        self._chances, self._logs = _softmax(self._logits)
        self._sums, self._listed = self._chances.cumsum(axis=1).tolist(), self._logs.tolist()


def _softmax(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the chances `[rows, options]` of logits, and their logarithms."""
    shifted = logits - logits.max(axis=1, keepdims=True, initial=-np.inf)
    weights = np.exp(shifted)
    sums = weights.sum(axis=1, keepdims=True)
    return weights / sums, shifted - np.log(sums)


class _Reader:
    """Goes along one sequence."""

    def __init__(self, policy: Categorical) -> None:
        self._policy, self._place = policy, 0

    def draw(self, options: tuple[str, ...], anchors: Anchors, at: float) -> tuple[int, float]:
        """Returns the option drawn and the logarithm of its chance; see `Reader`."""
        place = self._place
        self._place += 1
        if len(options) == 1:
            return 0, 0.0
        return self._policy.draw(self._policy.row(place, options), len(options), at)
