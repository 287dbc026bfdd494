"""What a search is, whoever runs it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nas_ray.benchmarks import Benchmark
from nas_ray.drivers.connection import check_search
from nas_ray.drivers.plan import Budget
from nas_ray.errors.checks import instance
from nas_ray.evaluation.base import Evaluator
from nas_ray.runs.folder import fingerprint
from nas_ray.searchers import ArchSearcher, Fitness
from nas_ray.searchers.pareto import column_of, objectives_of
from nas_ray.spaces import FiniteSpace, Product, SearchSpace, arch_of
from nas_ray.spaces.base import SPACE
from nas_ray.spaces.found import space_of_found
from nas_ray.spaces.needs import index_of, label_of
from nas_ray.spaces.product import arch_space

MINIBATCH = "minibatch_sha256"
"""The key of the hash of the minibatch in `run.json`."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What is searched, how, and how far.

    Attributes:
        space: whose archs these are; the searcher may look at a part of it.
        searcher: a fresh one, which also says what is maximised.
        evaluator: turns an arch into a row.
        budget: what may be spent.
        benchmark: accuracy of the best arch, if there is one.
        scores: columns of the rows that are scores; empty means those that the fitness names.
        name: of the experiment, as `run.json` has it.
    """

    space: SearchSpace
    searcher: ArchSearcher
    evaluator: Evaluator
    budget: Budget
    benchmark: Benchmark | None = None
    scores: tuple[str, ...] = ()
    name: str = "experiment"

    def __post_init__(self) -> None:
        SPACE.check("space", self.space)
        check_search(self.searcher, self.evaluator)
        instance(Budget, "a Budget").check("budget", self.budget)
        if not self.scores:
            object.__setattr__(self, "scores", tuple(getattr(self.fitness, "names", ())))

    @property
    def fitness(self) -> Fitness:
        """What is maximised."""
        return self.searcher.fitness

    @property
    def objectives(self) -> list[str]:
        """What is maximised at once, such as `-flops`; none where it is one thing or no text says it."""
        given = objectives_of(self.searcher.objectives)
        return list(map(str, given)) if all(map(column_of, given)) else []

    @property
    def seen(self) -> dict[str, str]:
        """Hashes of what archs are judged on, by their key in `run.json`; a resumed run must see the same."""
        arrays = [getattr(self.evaluator, name, None) for name in ("inputs", "targets")]
        given = [array for array in arrays if isinstance(array, np.ndarray)]
        return {MINIBATCH: fingerprint(*given)} if len(given) == len(arrays) else {}

    @property
    def source(self) -> str:
        """Where the minibatch comes from, for people."""
        return "its evaluator"

    def label(self, arch: str) -> str:
        """Returns a short name of `arch`: its label, its published number with its settings, or itself."""
        if called := self.called(arch):
            return called
        index = self.index(arch)
        return arch if index is None else f"#{index}{self._settings(arch)}"

    def index(self, arch: str) -> int | None:
        """Returns the published number of `arch`, None where its space has none."""
        space = self.final_space
        asked = space is not self.space and not (isinstance(space, FiniteSpace) and arch in space)
        return None if asked else index_of(space, arch)

    @property
    def final_space(self) -> SearchSpace:
        """The space of what is found: another than `space` where that one has settings of a method."""
        return space_of_found(self.space)

    def called(self, arch: str) -> str | None:
        """Returns what the space calls `arch` for people, with its settings; None where it has no names."""
        settings = self._settings(arch)
        called = label_of(arch_space(self.final_space), arch.removesuffix(settings))
        return f"{called}{settings}" if called else None

    def _settings(self, arch: str) -> str:
        """Returns what stands behind the arch of a point."""
        return arch.removeprefix(arch_of(arch)) if isinstance(self.space, Product) else ""
