"""Progressive search: archs of one block, then larger ones that a predictor finds promising."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_ray.errors import UsageError, unknown_name
from nas_ray.rows import GIVEN, Row
from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.fitness import UNSAID, Fitness, is_accuracy
from nas_ray.searchers.progressive.code import Code
from nas_ray.searchers.progressive.growth import Decisions, growth_of
from nas_ray.searchers.ranks import ranks
from nas_ray.terminal.ranges import SOME

if TYPE_CHECKING:
    from nas_ray.searchers.progressive.predictors import Predictor
    from nas_ray.spaces.base import SearchSpace

PREDICTORS = ("mlp", "lstm")
TARGETS = ("auto", "accuracy", "ranks")

FIRST_RATE, LATER_RATE = 0.01, 0.002
"""Adam's steps where all archs have one block, and later."""

ANEW = 0.25
"""A predictor is fitted anew where at least this share of the rows is new, as in every published stage."""

BIAS = 1.8
"""Of the predictor's output at first, where it predicts accuracies: the sigmoid of it is 0.86."""


class ProgressiveSearch(ArchSearcher):
    """Evaluates all archs of one block, and then from stage to stage archs with one block more.

    A stage: a predictor learns from every row so far; the `beam` best archs of the stage before are extended
    by every block; what comes out is predicted, and the best `beam` of it is evaluated, best first. Where
    archs cannot grow any more, the last expansion goes on with the next best, and the ones before when that
    is used up, until the budget or the space is spent.

    What a block is, a space of cells says itself (`BlockSpace`), and a smaller cell is an arch there. In
    other spaces it is a group of `CellSpace`, or one decision. An arch is then whole at every stage: what its
    later blocks would decide is drawn, anew for each arch, so that the predictor learns what each decision is
    worth, and the beam is the different beginnings of the best archs. The first stage has a random order.

    The evaluations of a stage are independent, as many as there are workers. At its end workers wait (`ask`
    returns None) until every row is there or cannot come any more; a cancelled evaluation is one arch fewer.
    No arch is asked for twice; one that was known before the search counts by its row. A failed one has the
    worst target, and is extended only where fewer than `beam` did not fail.

    Source: Liu, Zoph, Neumann, Shlens, Hua, Li, Fei-Fei, Yuille, Huang and Murphy, "Progressive Neural
    Architecture Search", ECCV 2018.
    Differs: goes on after the last stage; ranks instead of accuracies, where the fitness is not `valid_acc`
    alone; spaces without blocks; predictors are fitted anew to all rows where a quarter of them is new, which
    is each stage of the paper, and else go on from where they were.

    Args:
        space: see `ArchSearcher`; a `DecisionSpace` or a `SequenceSpace`.
        fitness: see `ArchSearcher`.
        seed: see `ArchSearcher`.
        beam: K, archs of a stage; the first has all of one block.
        predictor: `mlp` (mean embeddings) or `lstm` (embeddings in their order).
        ensemble: predictors whose mean counts; each of several learns from 4/5 of the rows.
        epochs: passes over the rows in a fit anew.
        targets: what is predicted: `accuracy`, the fitness in percent over 100; `ranks` of the fitness among
            all rows over their number; `auto`, the first where the fitness is `valid_acc` alone.

    Raises:
        UsageError: the archs of the space are no sequences of decisions, or an option is none of these.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        fitness: Fitness = UNSAID,
        seed: int = 0,
        beam: int = 256,
        predictor: str = "mlp",
        ensemble: int = 5,
        epochs: int = 50,
        targets: str = "auto",
    ) -> None:
        for name, value in (("beam", beam), ("ensemble", ensemble), ("epochs", epochs)):
            SOME.check(f"{name} of pnas", value)
        for kind, given, known in (
            ("predictor", predictor, PREDICTORS),
            ("kind of targets", targets, TARGETS),
        ):
            if given not in known:
                raise UsageError(unknown_name(kind, str(given), list(known)))
        super().__init__(space, fitness=fitness, seed=seed)
        self.beam, self.predictor, self.ensemble, self.epochs = beam, predictor, ensemble, epochs
        self.targets = targets
        self._growth = growth_of(space, "pnas")
        self._stage = 0  # blocks of the archs that were asked for last
        self._queue: deque[str] = deque()
        self._proposed: set[str] = set()
        self._fitted: Predictor | None = None
        self._known: list[Decisions] = []  # decisions of `history`, as far as they were needed
        self._learnt = 0  # rows that it saw last

    def ask(self) -> str | None:
        """Returns the next arch of the stage, None at its end as long as rows may come.

        Raises:
            StopIteration: nothing that could be grown is left.
        """
        if not self._queue:
            if self._in_flight.awaited:
                return None
            self._queue.extend(self._next_stage())
        arch = self._queue.popleft()
        self._proposed.add(arch)
        return arch

    def tell(self, arch: str, row: Row) -> None:
        """Remembers what it was given; `history` has all else."""
        if row.get(GIVEN):
            self._proposed.add(arch)

    def state(self) -> dict[str, Any]:
        """Returns stage, what is left of it, what was proposed, and what the predictor learnt."""
        return {
            "stage": self._stage,
            "queue": list(self._queue),
            "proposed": sorted(self._proposed),
            "fitted": None if self._fitted is None else self._fitted.state(),
            "learnt": self._learnt,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes what `state` returned."""
        self._stage, self._queue = state["stage"], deque(state["queue"])
        self._proposed = set(state["proposed"])
        self._learnt = state["learnt"]
        if state["fitted"] is not None:
            self._fitted = self._new_predictor([])
            self._fitted.load_state(state["fitted"])

    def _next_stage(self) -> list[str]:
        """Returns the archs of the next stage in their order.

        Raises:
            StopIteration: there are none.
        """
        worth = self._worth()
        known = [self.history[place]["arch"] for place in np.argsort(-worth, kind="stable")]
        stage = self._stage + 1
        while beginnings := self._growth.beginnings(stage - 1, known, self.beam):
            if found := self._grown(stage, beginnings, worth):
                self._stage = stage
                return found
            stage += 1
        for again in range(self._stage, 0, -1):
            beginnings = self._growth.beginnings(again - 1, known, self.beam)
            if found := self._grown(again, beginnings, worth):
                return found
        raise StopIteration

    def _worth(self) -> np.ndarray:
        """Returns the fitness of `history [rows]`, -inf where it is undefined."""
        worth = self.fitness_of(range(len(self.history))) if self.history else np.zeros(0)
        return np.where(np.isfinite(worth), worth, -np.inf)

    def _grown(self, blocks: int, beginnings: list[Decisions], worth: np.ndarray) -> list[str]:
        """Returns new archs of so many blocks in their order: the best, or all of one block."""
        candidates = self._growth.candidates(blocks, beginnings, self.rng)
        order = self._order(blocks, candidates, worth)
        most = self.beam if blocks > 1 else len(order)
        found, taken = list[str](), set(self._proposed)
        for place in order:
            arch = self._growth.arch(blocks, candidates[place], taken, self.rng)
            if arch is not None:
                found.append(arch)
                taken.add(arch)
                if len(found) == most:
                    break
        return found

    def _order(self, blocks: int, candidates: list[Decisions], worth: np.ndarray) -> np.ndarray:
        """Returns the places of candidates, the best first; in random order where they have one block."""
        if blocks == 1 or not self.history:
            return self.rng.permutation(len(candidates))
        known = self._known = self._known + [
            self._growth.decisions(row["arch"]) for row in self.history[len(self._known) :]
        ]
        new = 1 - self._learnt / len(known)
        if self._fitted is None or new >= ANEW:
            every, new = [*known, *candidates, *self._growth.every], 1.0
            self._fitted = self._new_predictor(every, int(self.rng.integers(2**63)))
        self._learnt = len(known)
        rate = FIRST_RATE if blocks == 2 else LATER_RATE
        targets, passes = targets_of(worth, self._are_accuracies), math.ceil(self.epochs * new)
        self._fitted.fit(known, targets, rate=rate, epochs=passes)
        return np.argsort(-self._fitted.predict(candidates), kind="stable")

    def _new_predictor(self, decisions: list[Decisions], seed: int = 0) -> Predictor:
        """Returns one that knows nothing, and can read `decisions`."""
        from nas_ray.searchers.progressive import predictors  # torch takes a second

        return predictors.PREDICTORS[self.predictor](
            Code(decisions, self._growth.slots, by_place=self._growth.by_place),
            members=self.ensemble,
            bias=BIAS if self._are_accuracies else 0.0,
            seed=seed,
        )

    @property
    def _are_accuracies(self) -> bool:
        if self.targets == "auto":
            return is_accuracy(self.fitness)
        return self.targets == "accuracy"


def targets_of(worth: np.ndarray, accuracy: bool) -> np.ndarray:
    """Returns what a predictor learns, `[rows]` from 0 to 1; 0 or the lowest rank for an undefined fitness.

    Args:
        worth: fitness `[rows]`, -inf where it is undefined.
        accuracy: whether that is percent, or anything that can be ranked.
    """
    if accuracy:
        return np.clip(worth / 100, 0.0, 1.0)
    return (ranks(worth) - 0.5) / max(1, len(worth))
