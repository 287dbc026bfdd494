"""Trials for a `tune.Tuner` of anybody's: one arch of the config, and rows that are flat."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ray import tune

from nas_ray.drivers.work import work_for
from nas_ray.errors import UsageError, printable
from nas_ray.evaluation.base import placed
from nas_ray.evaluation.proxy_scores import ProxyScores
from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.evaluation.training_checkpoints import LastState
from nas_ray.rows import ERROR, ERROR_KIND
from nas_ray.searchers.messages import rows_of
from nas_ray.spaces.base import FiniteSpace, SearchSpace

Failures = Literal["row", "raise"]
RAISE = "raise"

OF_RAY = "__"
"""How entries of a config begin that Ray adds, such as the `__trial_index__` of its `Repeater`."""


class EvaluationFailed(RuntimeError):
    """An arch could not be evaluated; says why."""


@dataclass(frozen=True)
class Work:
    """What the trials of a tuner have in common; it travels to the workers once.

    Attributes:
        evaluator: scores or trains.
        columns: of scores, which a row has also where the evaluation failed.
        key: of the arch in the config.
        failures: `row` or `raise`.
        timeout_s: seconds that an evaluation may take.
    """

    evaluator: ProxyScores | ShortTraining
    columns: Sequence[str]
    key: str
    failures: Failures
    timeout_s: float | None


class PlainTrial(tune.Trainable, ABC):  # type: ignore[misc]  # Ray ships no types
    """Evaluates the arch of a config with as many threads, and on the device, that its resources name.

    What is wrong with a config is raised by the first step, since a worker that raises before is lost for
    the trials that would reuse it.
    """

    _wrong: UsageError | None = None

    def setup(self, config: dict[str, Any], work: Work | None = None) -> None:
        """Takes what all trials share, and the first config."""
        assert work is not None
        self.shared = work
        resources = self.trial_resources
        self.resources: Mapping[str, float] = resources.required_resources if resources else {}
        accelerator = "gpu" if self.resources.get("GPU") else "cpu"
        self.evaluator = placed(work.evaluator, accelerator, None)
        self._take(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Takes the config of the next trial."""
        self._take(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Returns the row of the arch, or the row after one more epoch.

        Raises:
            UsageError: the config has no arch of the space, or settings that are none.
            EvaluationFailed: what else failed, where `failures` is `raise`.
        """
        if self._wrong is not None:
            raise self._wrong
        result = self.work.step()
        (row,) = rows_of(result)
        if row.get(ERROR) and self.shared.failures == RAISE:
            raise EvaluationFailed(row[ERROR])
        missing = dict.fromkeys(self.shared.columns, math.nan)
        undefined = {  # nobody's algorithm may take them for the smallest
            name: math.nan
            for name in missing
            if isinstance(value := row.get(name), float) and not math.isfinite(value)
        }
        return {"arch": self.arch, **missing, ERROR_KIND: None, **row, **undefined, "done": result["done"]}

    def _take(self, config: Mapping[str, Any]) -> None:
        import torch

        torch.set_num_threads(max(1, int(self.resources.get("CPU", 1))))
        self._wrong = None
        try:
            self.arch = arch_in(config, self.shared.key, self.shared.evaluator.space)
            self._begin(settings_in(config, self.shared.key))
        except UsageError as error:
            self._wrong = error

    @abstractmethod
    def _begin(self, settings: Mapping[str, Any]) -> None:
        """Prepares the evaluation of `self.arch`."""

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Saves what `load_checkpoint` needs."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Goes on from what was saved."""


class ProxyTrial(PlainTrial):
    """Scores an arch in one step, so that there is nothing to go on from."""

    def _begin(self, settings: Mapping[str, Any]) -> None:
        if settings:
            shown = ", ".join(printable(settings))
            raise UsageError(
                f"A score depends on the arch alone, and the config has {shown} beside it; leave that out, "
                "or train the archs with nas_ray.training_trial."
            )
        self.work = work_for(self.evaluator, self.shared.timeout_s)
        self.work.take([self.arch])


class TrainingTrial(PlainTrial):
    """Trains an arch, an epoch per step; a checkpoint goes on with equal numbers."""

    store: LastState

    def _begin(self, settings: Mapping[str, Any]) -> None:
        assert isinstance(self.evaluator, ShortTraining)
        training = self.evaluator.with_settings(settings)
        self.store = LastState(training.identities()[0])
        self.work = work_for(training.kept_in(self.store), self.shared.timeout_s)
        self.work.take([self.arch])

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Writes the state after the last epoch."""
        self.store.write(Path(checkpoint_dir))

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Goes on after the epoch that was saved.

        Raises:
            UsageError: a checkpoint that cannot be read, or of another training.
        """
        if self._wrong is None:
            self.store.read(Path(checkpoint), self.arch)
            self.work.take([self.arch])


def arch_in(config: Mapping[str, Any], key: str, space: SearchSpace) -> str:
    """Returns the arch of a config.

    Raises:
        UsageError: there is none, or none of the space as far as a space can be asked.
    """
    if key not in config:
        held = ", ".join(printable(config)) or "nothing"
        raise UsageError(
            f"The config of a trial must have its arch as {key!r}, and has {held}; put it into param_space, "
            "or name another key."
        )
    arch = config[key]
    shown = printable([arch])[0]
    if not isinstance(arch, str):
        raise UsageError(f"The arch of a config must be a text, got {shown} of type {type(arch).__name__}.")
    if isinstance(space, FiniteSpace) and arch not in space:
        raise UsageError(
            f"The arch of a config must be one of the space, got '{shown}'; an arch there reads "
            f"{next(iter(space))}."
        )
    return arch


def settings_in(config: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Returns what a config has beside the arch, without what Ray adds."""
    return {name: value for name, value in config.items() if name != key and not name.startswith(OF_RAY)}
