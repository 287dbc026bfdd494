"""Trainings epoch by epoch: rows, checkpoints and going on, whatever is trained and however."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np

from nas_ray.errors import UsageError, failure
from nas_ray.errors.checks import CALLABLE, check_all, whole
from nas_ray.evaluation.base import EVALUATOR, Evaluator, changed
from nas_ray.evaluation.movable import MovableTraining
from nas_ray.evaluation.training_checkpoints import TrainingCheckpoints, TrainingStore
from nas_ray.process.seeded import seeded
from nas_ray.rows import DIVERGED, Failure, Row, failed
from nas_ray.runs.journal import is_row
from nas_ray.training.epoch_module import EpochModule, ModuleFactory, all_finished

E = TypeVar("E", bound="EpochTraining")

_GIVEN = {
    "factory": CALLABLE.or_none,
    "epochs": whole(1),
    "until": whole(0).or_none,
    "seeds": whole(1),
    "scores": EVALUATOR.or_none,
}


class EpochTraining(MovableTraining):
    """Trains what a factory makes of archs and reports a row after each epoch; `ShortTraining` is one kind.

    A row has what `EpochModule.train_epoch` returns (means over the seeds), the spread of the metric as
    `METRIC_std` where there are several seeds, `epochs` so far, `seconds` and `seconds_per_epoch`, `curve`
    (the metric after all epochs) and `error`. Modules are made, and epochs run, from seeds of their own, so
    that rows are equal for equal arguments, however often a training was interrupted.

    Args:
        factory: `(arch, seed) -> module`; what it needs travels to the workers with it. None where a subclass
            has its own `new_module`.
        epochs: of a whole training.
        kind: tells these trainings from all others, with their settings and data: a checkpoint of another
            kind is not gone on from.
        metric_column: what says how good an arch is; larger is better, or smaller where a minus stands before
            it, as in `-valid_nats`.
        until: epochs to train for; None means all.
        seeds: modules per arch.
        init_seed: seed of the first module; the next seeds follow.
        checkpoints: folder of unfinished trainings, which all workers must see; None for none.
        keep_checkpoints: leave them when an arch is done, for a later training to a higher `until`.
        scores: evaluates an arch before it is trained, such as `ProxyScores`; its columns join the rows.

    Raises:
        UsageError: `until` is none of the epochs, or nothing makes modules.
    """

    def __init__(
        self,
        factory: ModuleFactory | None,
        *,
        epochs: int,
        kind: str,
        metric_column: str = "valid_acc",
        until: int | None = None,
        seeds: int = 1,
        init_seed: int = 0,
        checkpoints: Path | None = None,
        keep_checkpoints: bool = False,
        scores: Evaluator | None = None,
    ) -> None:
        if factory is None and type(self).new_module is EpochTraining.new_module:
            raise UsageError(f"{type(self).__name__} needs a factory of modules, or a method new_module.")
        given = {"factory": factory, "epochs": epochs, "until": until, "seeds": seeds, "scores": scores}
        check_all(_GIVEN, given)
        self.until = epochs if until is None else until
        if not 1 <= self.until <= epochs:
            raise UsageError(f"A training of {epochs} epochs cannot stop after {self.until}.")
        self.factory = factory
        self.accelerator = "cpu"
        self.kind = kind
        self.metric_column = metric_column
        self.seeds = seeds
        self.init_seed = init_seed
        self.checkpoints = checkpoints
        self.keep_checkpoints = keep_checkpoints
        self.scores = scores
        self.store: TrainingStore | None = None

    def __call__(self, arch: str, report: Callable[[Row], None]) -> None:
        """Reports one row per epoch; the last one counts."""
        for row in self.epochs(arch):
            report(row)

    def epochs(self, arch: str) -> Generator[Row, None, None]:
        """Yields a row after each epoch, from the checkpoint of `arch` on; a failure is the last row.

        Closing the iterator stops the training; its checkpoint stays.
        """
        row: Row = {}
        try:
            before = self._scores_of(arch)
            if before.get("error"):
                yield {**before, self.column: math.nan}
                return
            start = time.perf_counter()
            modules, row = self._begun(arch)
            seconds = float((row or before).get("seconds", 0.0)) + time.perf_counter() - start
            last = self.last_epoch(arch)
            done = row.get("epochs", 0)
            if done >= last or (done and all_finished(modules)):
                yield row
                return
            for epoch in range(done, last):
                start = time.perf_counter()
                results = [self._trained(module, epoch, number) for number, module in enumerate(modules)]
                seconds += time.perf_counter() - start
                row = self._row(before, results, epoch + 1, seconds, row)
                self._save(arch, modules, row)
                yield row
                if row["error"] or all_finished(modules):
                    return
        except Exception as error:
            yield {**row, self.column: math.nan, **failed([failure(error)])}

    @property
    def column(self) -> str:
        """The column that says how good an arch is."""
        return self.metric_column.removeprefix("-")

    def new_module(self, arch: str, seed: int) -> EpochModule:
        """Returns the untrained module of `arch`, equal for equal states of torch's generator."""
        assert self.factory is not None  # else a subclass has a method of its own
        return self.factory(arch, seed)

    @property
    def fingerprint(self) -> str:
        """What tells these trainings from others."""
        return self.kind

    def last_epoch(self, arch: str) -> int:
        """Returns the epoch after which `arch` is done, at most `until`."""
        return self.until

    def seeds_of(self, arch: str) -> int:
        """Returns how many modules of `arch` are trained."""
        return self.seeds

    def forget(self, arch: str) -> None:
        """Removes the checkpoint of `arch`; the driver calls it when the row is safe."""
        if self._store is not None and not self.keep_checkpoints:
            self._store.remove(arch)

    def identities(self) -> tuple[str, str | None]:
        """Returns what a checkpoint must say to be gone on from, and what one of before says in its place."""
        return json.dumps([self.kind, self.seeds, self.init_seed]), None

    def kept_in(self: E, store: TrainingStore | None) -> E:
        """Returns the same with its state in `store` instead of in a folder; a driver with its own asks."""
        return changed(self, store=store, checkpoints=None)

    def _scores_of(self, arch: str) -> Row:
        rows: list[Row] = []
        if self.scores is not None:
            self.scores(arch, rows.append)
        return rows[-1] if rows else {}

    def _trained(self, module: EpochModule, epoch: int, number: int) -> Mapping[str, float | str]:
        """Trains the module of seed `init_seed + number` for epoch `epoch` and returns its results."""
        with seeded(((self.init_seed + number) * 100_003 + epoch) % 2**64):  # dropout
            return module.train_epoch(epoch)

    def _row(
        self,
        before: Row,
        results: Sequence[Mapping[str, float | str]],
        epochs: int,
        seconds: float,
        last: Row,
    ) -> Row:
        column = self.column
        if column not in results[0]:
            raise KeyError(f"an epoch must return the column {column}, but it has {', '.join(results[0])}")
        texts = {name: value for name, value in results[0].items() if isinstance(value, str)}
        numbers = [name for name in results[0] if name not in texts]
        means = {name: float(np.mean([float(result[name]) for result in results])) for name in numbers}
        several = [float(result[column]) for result in results]
        spread = {f"{column}_std": float(np.std(several, ddof=1))} if len(several) > 1 else {}
        curve = [*filter(None, str(last.get("curve", "")).split()), f"{means[column]:.4f}"]
        lost = not all(math.isfinite(means.get(name, 0.0)) for name in ("train_loss", column))
        return {
            **before,
            **means,
            **texts,
            **spread,
            **({column: math.nan} if lost else {}),
            "epochs": epochs,
            "seconds": seconds,
            "seconds_per_epoch": (seconds - before.get("seconds", 0.0)) / epochs,
            "curve": " ".join(curve),
            **failed([Failure(f"the training diverged in epoch {epochs}", DIVERGED)] if lost else []),
        }

    def _save(self, arch: str, modules: Sequence[EpochModule], row: Row) -> None:
        if self._store is not None and not row["error"]:
            self._store.save(arch, {"row": row, "states": [module.state() for module in modules]})

    def _begun(self, arch: str, damaged: bool = False) -> tuple[list[EpochModule], Row]:
        """Returns modules and row where the checkpoint of `arch` ends; a damaged one is a new start."""
        state = None if self._store is None or damaged else self._store.load(arch)
        modules = [self._made(arch, self.init_seed + number) for number in range(self.seeds_of(arch))]
        if state is None:
            return modules, {}
        try:
            for module, saved in zip(modules, state["states"], strict=True):
                module.load_state(saved)
            if not is_row(state["row"]) or not isinstance(state["row"]["epochs"], int):
                return self._begun(arch, damaged=True)
        except Exception:  # a file may hold anything
            return self._begun(arch, damaged=True)
        return modules, dict(state["row"])

    def _made(self, arch: str, seed: int) -> EpochModule:
        with seeded(seed):
            return self.new_module(arch, seed)

    @cached_property
    def _store(self) -> TrainingStore | None:
        if self.store is not None:
            return self.store
        return None if self.checkpoints is None else TrainingCheckpoints(self.checkpoints, *self.identities())
