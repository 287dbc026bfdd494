"""Optuna as a searcher: any of its samplers makes the decisions of a space."""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_ray.errors import UsageError, unknown_name
from nas_ray.process.plugins import resolve
from nas_ray.rows import GIVEN, Row
from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.fitness import UNSAID, Fitness
from nas_ray.searchers.recipes.coordinates import settings_in
from nas_ray.searchers.recipes.parameters import Decided, Mixed, Parameters
from nas_ray.searchers.sampling import MAX_REJECTIONS, Repeats
from nas_ray.spaces.base import DecisionSpace, lacking

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace

SAMPLERS = {
    "tpe": "TPESampler",
    "random": "RandomSampler",
    "nsga2": "NSGAIISampler",
    "gp": "GPSampler",
    "cmaes": "CmaEsSampler",
}
"""Optuna's class by our name of the sampler."""
NEEDED = {"cmaes": "cmaes"}
"""The package that a sampler needs beside Optuna's own."""


class OptunaSearch(ArchSearcher):
    """Lets an Optuna sampler choose every decision of an arch, and settings, as parameters.

    Decisions and choices are categorical. A range is a whole number, the place of a value on its scale, so
    that what is evaluated is what the sampler said. A setting that depends on another is asked for where it
    is there.

    A failed evaluation is a failed trial of the study. Decisions that make no arch of a filtered space are
    pruned trials, and after a thousand of them in a row, as after a thousand known archs, the search ends.

    Source: Akiba, Sano, Yanase, Ohta and Koyama, "Optuna: A Next-generation Hyperparameter Optimization
    Framework", KDD 2019; `tpe`: Bergstra, Bardenet, Bengio and Kegl, "Algorithms for Hyper-Parameter
    Optimization", NeurIPS 2011.
    Differs: a study cannot take a value back, so a relative fitness is told as it is when the row arrives.

    Args:
        space: see `ArchSearcher`; of archs with decisions, of settings, or both.
        fitness: see `ArchSearcher`.
        seed: see `ArchSearcher`.
        sampler: `tpe`, `gp` (a Gaussian process), `cmaes` (ranges alone; choices are drawn), `random`,
            `nsga2`, or a function from a seed to a sampler of Optuna, also as
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
        self._parameters: Parameters = (
            Mixed(space) if settings_in(space) and lacking(space, DecisionSpace) else Decided(space)
        )
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
            arch = self._parameters.chosen(trial)
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

        taken, kinds = self._parameters.given(arch)
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
        made = _named(optuna, sampler, seed)
    else:
        raise UsageError(unknown_name("sampler", sampler, list(SAMPLERS), plugin=True))
    with _quiet(optuna.logging):
        return optuna.create_study(direction="maximize", sampler=made)


def _named(optuna: Any, sampler: str, seed: int) -> Any:
    """Returns a sampler of Optuna.

    Raises:
        UsageError: it needs a package that is missing.
    """
    needed = NEEDED.get(sampler)
    if needed is not None and importlib.util.find_spec(needed) is None:
        raise UsageError(
            f"The sampler {sampler} of optuna needs the package {needed}, which is missing; run pip install "
            f"{needed}."
        )
    kind = getattr(optuna.samplers, SAMPLERS[sampler])
    known = inspect.signature(kind).parameters
    quiet = {name: False for name in ("warn_independent_sampling",) if name in known}  # it is documented here
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a sampler is experimental
        return kind(seed=seed, **quiet)


@contextlib.contextmanager
def _quiet(logging: Any) -> Iterator[None]:
    """Keeps Optuna from printing that a study was made."""
    level = logging.get_verbosity()
    logging.set_verbosity(logging.WARNING)
    try:
        yield
    finally:
        logging.set_verbosity(level)
