"""What is known of every arch before anything is searched: accuracy, stored scores, seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from nas_ray.benchmarks.costs import Costs
from nas_ray.reproduce.measures import TEST, TRAINED, trained_for
from nas_ray.reproduce.statistics import ranks
from nas_ray.rows import Row
from nas_ray.spaces.base import FiniteSpace
from nas_ray.spaces.nats_tss import NatsTss, skip_spans, to_ops


@dataclass(frozen=True)
class Known:
    """Columns over all archs of a space in the published order.

    Attributes:
        scores: sets of stored scores, each of its own initialisation: `[archs]` for each score, and `skip`.
            A run takes the set of its seed, counted round.
        accuracy: `[archs]` percent for each `(dataset, TEST or a key of TRAINED)`.
        seconds: `[archs]` seconds of training for each `(dataset, key of TRAINED)`.
        test_column: what the benchmark calls its final accuracy, `test_acc` or `valid_acc`.
        source: one phrase that says where the final accuracy on the first dataset comes from.
        score_seconds: charged for the scores of one arch.
        space: the space whose archs these are.
        costs: what searchers and rows have of each arch beside what is evaluated.
    """

    scores: Sequence[Mapping[str, np.ndarray]]
    accuracy: Mapping[tuple[str, str], np.ndarray]
    seconds: Mapping[tuple[str, str], np.ndarray]
    test_column: str = TEST
    source: str = ""
    score_seconds: float = 0.0
    space: FiniteSpace = field(default_factory=NatsTss)
    costs: Costs | None = None

    @cached_property
    def place(self) -> dict[str, int]:
        """The published index of every arch; looked up, not parsed."""
        return {arch: index for index, arch in enumerate(self.space)}

    @cached_property
    def ranks(self) -> dict[tuple[str, str], np.ndarray]:
        """The rank `[archs]` of every arch by each accuracy, 1 for the best."""
        return {key: ranks(column) for key, column in self.accuracy.items()}

    def of(self, dataset: str, measure: str, archs: Sequence[str | None]) -> np.ndarray:
        """Returns `[archs]` percent, NaN where there is no arch."""
        column = self.accuracy[dataset, measure]
        return np.array([column[self.place[a]] if isinstance(a, str) else np.nan for a in archs])

    def evaluator(self, by: str, dataset: str, seed: int) -> Callable[[str, Callable[[Row], None]], None]:
        """Returns an evaluator that looks up what the search with `seed` selects by, and what it costs."""
        if by in TRAINED:
            columns = {"valid_acc": self.accuracy[dataset, by], "seconds": self.seconds[dataset, by]}
        else:
            scores = self.scores[seed % len(self.scores)]
            short = {name: self.accuracy[dataset, name] for name in trained_for(by)}
            spent = np.full(len(self.space), self.score_seconds)
            spent = spent + sum((self.seconds[dataset, name] for name in short), start=np.zeros(len(spent)))
            columns = {**scores, **short, "seconds": spent}

        place = self.place

        def evaluate(arch: str, report: Callable[[Row], None]) -> None:
            index = place[arch]
            report({**{name: float(column[index]) for name, column in columns.items()}, "error": None})

        return evaluate


def mean_span(arch: str) -> float:
    """Returns how many nodes the skip connections of `arch` reach ahead on average, 0 without any."""
    spans = skip_spans(to_ops(arch))
    return sum(spans) / len(spans) if spans else 0.0
