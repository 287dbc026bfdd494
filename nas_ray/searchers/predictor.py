"""Search with a predictor: a regression on evaluated archs proposes the next ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_ray.rows import GIVEN, Row
from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.cheap_score import CheapScore, cheap_scores, scores_of
from nas_ray.searchers.fitness import UNSAID, Fitness
from nas_ray.searchers.ranks import ranks
from nas_ray.searchers.sampling import sample_distinct, sample_new
from nas_ray.searchers.variation import one_hot
from nas_ray.spaces.needs import decision_space, neighborhood
from nas_ray.terminal.ranges import SOME

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace

Regressor = Any
"""Anything with scikit-learn's `fit(x, y)` and `predict(x)`."""


def random_forest(seed: int) -> Regressor:
    """Returns a random forest of 100 trees."""
    from sklearn.ensemble import RandomForestRegressor  # takes a second to import

    return RandomForestRegressor(n_estimators=100, random_state=seed)


class PredictorSearch(ArchSearcher):
    """Asks for the archs that a regression on everything evaluated predicts to be the best.

    The first `start` archs are random. Then, for every `batch` archs: fit the regression on one-hot codes of
    the decisions, and proxies if given, to the ranks of the fitness; predict `candidates` random archs and
    all neighbours of the best `batch` evaluated; ask for the best `batch` of them. No arch is asked for
    twice, and the search ends when the space is exhausted.

    With several evaluations in flight the regression is fitted to the rows that have arrived.

    Source: Wen, Liu, Chen, Li, Bender and Kindermans, "Neural Predictor for Neural Architecture Search", ECCV
    2020, for one round; White, Neiswanger and Savani, "BANANAS", AAAI 2021, for the rounds and for mutations
    as candidates.
    Differs: a regression of scikit-learn instead of a graph network or an ensemble of them, its prediction
    instead of Thompson sampling; ranks instead of accuracies, since a fitness may be relative or undefined.

    Args:
        space: see `ArchSearcher`; a `DecisionSpace`.
        fitness: see `ArchSearcher`.
        seed: see `ArchSearcher`.
        proxies: further features: functions of archs, or text `TABLE:COLUMN,COLUMN`.
        start: random archs at the start.
        batch: archs between two fits.
        candidates: random archs that are predicted.
        regressor: makes an unfitted regression from a seed.

    Raises:
        UsageError: the space has no decisions, or a number is not positive.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        fitness: Fitness = UNSAID,
        seed: int = 0,
        proxies: Sequence[CheapScore] | str = (),
        start: int = 20,
        batch: int = 10,
        candidates: int = 1_000,
        regressor: Callable[[int], Regressor] = random_forest,
    ) -> None:
        for name, value in (("start", start), ("batch", batch), ("candidates", candidates)):
            SOME.check(f"{name} of predictor", value)
        super().__init__(space, fitness=fitness, seed=seed)
        self.proxies = cheap_scores(proxies, "predictor")
        self.batch = batch
        self.candidates = candidates
        self.regressor = regressor
        self._decisions = decision_space(space, "predictor")
        self._neighbors = neighborhood(space, "predictor", self.rng)
        self._proposed: set[str] = set()
        self._queue: deque[str] = deque()
        self._to_draw = start

    def ask(self) -> str:
        """Returns a new random arch at the start, then the next of those with the best predictions.

        Raises:
            StopIteration: every arch was proposed.
        """
        if not self._to_draw and not self._queue and self.history:
            self._queue.extend(self._predicted())
        arch = self._queue.popleft() if self._queue else self._random()
        self._proposed.add(arch)
        return arch

    def tell(self, arch: str, row: Row) -> None:
        """Remembers what it was given; `history` has all else."""
        if row.get(GIVEN):
            self._proposed.add(arch)
            self._to_draw = max(0, self._to_draw - 1)

    def _random(self) -> str:
        arch = sample_new(self.space, self._proposed, self.rng)
        if arch is None:
            raise StopIteration
        self._to_draw = max(0, self._to_draw - 1)
        return arch

    def _predicted(self) -> list[str]:
        """Returns the candidates with the best predictions, best first; none if there are no candidates."""
        relative = ranks(self.fitness_of(range(len(self.history)))) / len(self.history)
        candidates = self._candidates(relative)
        if not candidates:
            return []
        model = self.regressor(int(self.rng.integers(2**31)))
        model.fit(self._features([row["arch"] for row in self.history]), relative)
        predicted = np.asarray(model.predict(self._features(candidates)))
        return [candidates[i] for i in np.argsort(-predicted, kind="stable")[: self.batch]]

    def _candidates(self, ranks: np.ndarray) -> list[str]:
        """Returns new archs: random ones, and the neighbours of the best evaluated."""
        best = np.argsort(-ranks, kind="stable")[: self.batch]
        near = [arch for place in best for arch in self._neighbors(self.history[place]["arch"])]
        far = sample_distinct(self.space, self.candidates, self.rng)
        return [arch for arch in dict.fromkeys([*near, *far]) if arch not in self._proposed]

    def _features(self, archs: list[str]) -> np.ndarray:
        """Returns `[archs, features]`; an undefined proxy is the smallest number that a tree can hold."""
        scores = [scores_of(proxy, archs) for proxy in self.proxies]
        features = np.column_stack([one_hot(self._decisions, archs), *scores])
        return np.asarray(np.maximum(features, float(np.finfo(np.float32).min)))
