"""What searchers with a policy share: asks are drawn, tells become rewards, and so many of them an update."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nas_ray.errors import UsageError, unknown_name
from nas_ray.errors.checks import TEXT
from nas_ray.rows import GIVEN, Row
from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.controllers.depth import Depth
from nas_ray.searchers.controllers.paths import draw, path_of
from nas_ray.searchers.controllers.policies import POLICIES, make_policy
from nas_ray.searchers.controllers.policy import Net
from nas_ray.searchers.controllers.rewards import (
    AUTO,
    INVERSE_SQUARE,
    MOST,
    RANK,
    RAW,
    REWARDS,
    Baseline,
    rank_of,
    shaped,
)
from nas_ray.searchers.controllers.samples import Batch, Sample
from nas_ray.searchers.fitness import UNSAID, Fitness, is_accuracy
from nas_ray.searchers.sampling import MAX_REJECTIONS, Repeats
from nas_ray.spaces.needs import sequence_space
from nas_ray.terminal.ranges import ANY, MOMENTUM, RATE, SCALE, SOME, WEIGHT

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace, SequenceSpace

USE, DROP, CORRECT = "use", "drop", "correct"

RANGES = {
    "archs_per_update": ANY,
    "lr": RATE,
    "momentum": MOMENTUM,
    "entropy": WEIGHT,
    "c": SCALE,
    "max_age": ANY,
    "depth": ANY,
    "deepen_by": SOME,
    "deepen_every": SOME,
}


class Controller(ArchSearcher):
    """Draws archs from a policy and moves it towards those that were rewarded.

    Every `archs_per_update` rows that have come make an update, whatever else is in flight; so with k
    evaluations in flight a row may be k updates late when it comes.

    - A known arch is told its row at once, and counts as any other sample.
    - A failed arch has the smallest reward so far, as has one without a finite reward; before there is one
      nothing is learnt from it.
    - Rows that the search was given were not drawn, and nothing is learnt from them.
    - What makes no arch of a filtered space is drawn again, and nothing is learnt from that.

    The search ends after a thousand known archs in a row, as it does when the policy is certain.

    Args:
        space: see `ArchSearcher`; archs are decisions or sequences.
        fitness: see `ArchSearcher`.
        seed: see `ArchSearcher`.
        policy: `categorical`, a softmax for each decision, or `lstm`, a net that reads what was decided.
        archs_per_update: m, rows of an update; 0 takes that of the policy (`ARCHS`).
        lr: learning rate of Adam; 0 takes that of the policy (`RATES`).
        momentum: of the moving average of rewards that a reward is compared with.
        entropy: weight of the entropy of the policy, which is maximised beside the reward.
        reward: what of the fitness is the reward. `raw`: as it is; `cubed`: an accuracy in percent, as a
            share, cubed; `inverse_square`: c over the square of a perplexity; `rank`: the share of the rows
            so far that are worse, when the row comes. `auto`: `raw` where the fitness is `valid_acc`
            alone, else `rank`, as other scores may be of any size.
        c: of `inverse_square`.
        late: what to do with a row whose arch was drawn some updates ago. `use`: as any other; `drop`: none
            older than `max_age` updates, but in the baseline; others as the subclass says.
        max_age: see `late`.
        depth: layers at the beginning of archs that grow, in a `LayeredSpace`; 0 leaves length to the space.
        deepen_by: layers more, ...
        deepen_every: ... after every so many samples, as long as the space has such archs.

    Raises:
        UsageError: an unknown name, a number out of range, or a space without what is needed.

    Attributes:
        learner: the policy.
        updates: made so far.
    """

    NAME: ClassVar[str]
    NET: ClassVar[Net]
    RATES: ClassVar[dict[str, float]]
    ARCHS: ClassVar[dict[str, int]]
    LATE: ClassVar[tuple[str, ...]] = (USE, DROP)

    def __init__(
        self,
        space: SearchSpace,
        *,
        fitness: Fitness = UNSAID,
        seed: int = 0,
        policy: str = "categorical",
        archs_per_update: int = 0,
        lr: float = 0.0,
        momentum: float = 0.9,
        entropy: float = 0.0,
        reward: str = AUTO,
        c: float = INVERSE_SQUARE,
        late: str = USE,
        max_age: int = 10,
        depth: int = 0,
        deepen_by: int = 2,
        deepen_every: int = 1600,
    ) -> None:
        names = {"policy": (policy, POLICIES), "reward": (reward, REWARDS), "way of late": (late, self.LATE)}
        for word, (name, known) in names.items():
            TEXT.check(f"{word} of {self.NAME}", name)
            if name not in known:
                raise UsageError(unknown_name(word, name, list(known)))
        numbers = {
            "archs_per_update": archs_per_update, "lr": lr, "momentum": momentum, "entropy": entropy, "c": c,
            "max_age": max_age, "depth": depth, "deepen_by": deepen_by, "deepen_every": deepen_every,
        }  # fmt: skip
        for option, number in numbers.items():
            RANGES[option].check(f"{option} of {self.NAME}", number)
        super().__init__(space, fitness=fitness, seed=seed)
        self.archs_per_update = archs_per_update or self.ARCHS[policy]
        self.entropy, self.reward, self.c, self.late, self.max_age = entropy, reward, c, late, max_age
        self._sequences = sequence_space(space, self.NAME)
        self._depth = Depth(space, depth, deepen_by, deepen_every) if depth else None
        self.learner = make_policy(
            policy, self._sequences, net=self.NET, lr=lr or self.RATES[policy], seed=seed
        )
        self.updates = 0
        self._baseline, self._worst = Baseline(momentum), np.inf
        # By the number of its evaluation each sample whose row has not come; those of cancelled ones stay, as
        # they go out again when the search is resumed.
        self._drawn: dict[int, Sample] = {}
        self._told: list[Sample] = []  # since the last update
        self._repeats = Repeats()

    @abstractmethod
    def weights(self, batch: Batch, logs: np.ndarray) -> np.ndarray:
        """Returns the weight `[decisions of all samples]` of the gradient of each logarithm in `logs`."""

    def ask(self) -> str:
        """Returns an arch that the policy draws.

        Raises:
            StopIteration: a long row of archs were known, or none was an arch of the space.
        """
        self._repeats.check()
        space = self._drawn_from
        for _ in range(MAX_REJECTIONS):
            drawn = draw(space, self.learner.begin(), self.rng)
            try:
                arch = space.assemble(drawn.decisions)
            except UsageError:
                continue
            self._drawn[self.num_asked] = Sample(drawn.path, drawn.logs, self.updates)
            return arch
        raise StopIteration

    def tell(self, arch: str, row: Row) -> None:
        """Learns from the sample of this evaluation, once `archs_per_update` rows have come."""
        self._repeats.tell(row)
        if row.get(GIVEN):
            return
        sample = self._drawn.pop(row["trial"])
        reward = self._reward(arch)
        if not np.isfinite(reward):
            return
        self._worst = min(self._worst, reward)
        advantage = min(max(reward - self._baseline.add(reward), -MOST), MOST)
        if self.late == DROP and self.updates - sample.updates > self.max_age:
            return
        self._told.append(Sample(sample.path, sample.logs, sample.updates, advantage))
        if len(self._told) >= self.archs_per_update:
            batch, self._told = Batch(self._told), []
            self._learn(batch)
            self.updates += 1

    def log_chance(self, arch: str) -> float:
        """Returns the logarithm of the chance with which the policy draws the decisions of `arch`."""
        space = self._drawn_from
        return float(self.learner.logs([path_of(space, space.decisions(arch))]).sum())

    @property
    def _drawn_from(self) -> SequenceSpace:
        """The archs that are drawn now."""
        return self._depth.space(self.num_asked) if self._depth else self._sequences

    def _learn(self, batch: Batch) -> None:
        self.learner.climb(batch.paths, partial(self.weights, batch), self.entropy)

    def _reward(self, arch: str) -> float:
        """Returns the reward of the row of `arch` as of now, the worst so far if it failed or has none."""
        place, kind = self.position(arch), self.reward
        if kind == AUTO:
            kind = RAW if is_accuracy(self.fitness) else RANK
        if kind == RANK:
            values = self.fitness_of(range(len(self.history)))
            return rank_of(values, place) if np.isfinite(values[place]) else self._worst
        fitness = float(self.fitness_of([place])[0])
        reward = shaped(kind, fitness, self.c) if np.isfinite(fitness) else np.nan
        return reward if np.isfinite(reward) else self._worst

    def state(self) -> dict[str, Any]:
        """Returns all that asks and tells change."""
        return {
            "policy": self.learner.state(),
            "updates": self.updates,
            "baseline": self._baseline.state(),
            "worst": float(self._worst),
            "out": [(trial, sample.state()) for trial, sample in self._drawn.items()],
            "told": [sample.state() for sample in self._told],
            "repeats": self._repeats.count,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes what `state` returned."""
        self.learner.load_state(state["policy"])
        self._baseline.load_state(state["baseline"])
        self.updates, self._worst = state["updates"], state["worst"]
        self._drawn = {trial: Sample.of(sample) for trial, sample in state["out"]}
        self._told = list(map(Sample.of, state["told"]))
        self._repeats.count = state["repeats"]
