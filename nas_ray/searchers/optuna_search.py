"""Optuna as a searcher: any of its samplers makes the decisions of a space."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_ray.errors import UsageError, unknown_name
from nas_ray.process.plugins import resolve
from nas_ray.rows import GIVEN, Row
from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.fitness import UNSAID, Fitness
from nas_ray.searchers.sampling import MAX_REJECTIONS, Repeats
from nas_ray.searchers.variation import assembled
from nas_ray.spaces.needs import decision_space

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace

SAMPLERS = {"tpe": "TPESampler", "random": "RandomSampler", "nsga2": "NSGAIISampler"}
"""Optuna's class by our name of the sampler."""


class OptunaSearch(ArchSearcher):
    """Lets an Optuna sampler choose every decision of an arch as a categorical parameter.

    A failed evaluation is a failed trial of the study. Decisions that make no arch of a filtered space are
    pruned trials, and after a thousand of them in a row, as after a thousand known archs, the search ends.

    Source: Akiba, Sano, Yanase, Ohta and Koyama, "Optuna: A Next-generation Hyperparameter Optimization
    Framework", KDD 2019; `tpe`: Bergstra, Bardenet, Bengio and Kegl, "Algorithms for Hyper-Parameter
    Optimization", NeurIPS 2011.
    Differs: a study cannot take a value back, so a relative fitness is told as it is when the row arrives.

    Args:
        space: see `ArchSearcher`; a `DecisionSpace`.
        fitness: see `ArchSearcher`.
        seed: see `ArchSearcher`.
        sampler: `tpe`, `random`, `nsga2`, or a function from a seed to a sampler of Optuna, also as
            `module:function`.

    Raises:
        UsageError: Optuna is not installed, the sampler is unknown, or the space has no decisions.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        fitness: Fitness = UNSAID,
        seed: int = 0,
        sampler: str | Callable[[int], Any] = "tpe",
    ) -> None:
        super().__init__(space, fitness=fitness, seed=seed)
        self._decisions = decision_space(space, "optuna")
        self._names = [f"decision_{place:03d}" for place in range(len(self._decisions.choices()))]
        self._study = _study(sampler, int(self.rng.integers(2**31)))
        self._open: dict[str, deque[Any]] = {}  # arch -> trials of the study that wait for its row
        self._repeats = Repeats()

    def ask(self) -> str:
        """Returns the arch of the study's next trial.

        Raises:
            StopIteration: a long row of proposals were known or no archs of the space.
        """
        from optuna.trial import TrialState

        self._repeats.check()
        for _ in range(MAX_REJECTIONS):
            trial = self._study.ask()
            decisions = [
                trial.suggest_categorical(name, options)
                for name, options in zip(self._names, self._decisions.choices(), strict=True)
            ]
            arch = assembled(self._decisions, decisions)
            if arch is not None:
                self._open.setdefault(arch, deque()).append(trial)
                return arch
            self._study.tell(trial, state=TrialState.PRUNED)
        raise StopIteration

    def tell(self, arch: str, row: Row) -> None:
        """Ends the oldest open trial of `arch` with its fitness."""
        from optuna.trial import TrialState

        value = float(self.fitness_of([self.position(arch)])[0])
        if row.get(GIVEN):
            self._study.add_trial(self._given_trial(arch, value))
            return
        trial = self._open[arch].popleft()
        if np.isfinite(value):
            self._study.tell(trial, value)
        else:
            self._study.tell(trial, state=TrialState.FAIL)
        self._repeats.tell(row)

    def _given_trial(self, arch: str, value: float) -> Any:
        """Returns a finished trial of an arch that the study did not ask for."""
        import optuna

        options = dict(zip(self._names, self._decisions.choices(), strict=True))
        kinds: dict[str, Any] = {
            name: optuna.distributions.CategoricalDistribution(some) for name, some in options.items()
        }
        taken = dict(zip(self._names, self._decisions.decisions(arch), strict=True))
        return optuna.trial.create_trial(params=taken, distributions=kinds, value=value)


def _study(sampler: str | Callable[[int], Any], seed: int) -> Any:
    try:
        import optuna
    except ImportError as error:
        raise UsageError(
            "The searcher optuna needs the package optuna, which is missing; run pip install optuna."
        ) from error
    if callable(sampler) or ":" in sampler:
        make: Callable[[int], Any] = sampler if callable(sampler) else resolve("sampler", sampler, {})
        made = make(seed)
    elif sampler in SAMPLERS:
        made = getattr(optuna.samplers, SAMPLERS[sampler])(seed=seed)
    else:
        raise UsageError(unknown_name("sampler", sampler, list(SAMPLERS), plugin=True))
    with _quiet(optuna.logging):
        return optuna.create_study(direction="maximize", sampler=made)


@contextlib.contextmanager
def _quiet(logging: Any) -> Iterator[None]:
    """Keeps Optuna from printing that a study was made."""
    level = logging.get_verbosity()
    logging.set_verbosity(logging.WARNING)
    try:
        yield
    finally:
        logging.set_verbosity(level)
