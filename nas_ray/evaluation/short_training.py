"""Short training as performance estimation: a row per epoch, so that a scheduler can stop early."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from nas_ray.errors import UsageError, failure
from nas_ray.evaluation.base import Evaluator
from nas_ray.evaluation.movable import MovableTraining
from nas_ray.evaluation.proxy_scores import quiet_trainer
from nas_ray.evaluation.training_checkpoints import TrainingCheckpoints
from nas_ray.images.identity import joined_sha256
from nas_ray.images.splits import NetImages
from nas_ray.process.seeded import seeded
from nas_ray.rows import DIVERGED, Failure, Row, failed
from nas_ray.runs.folder import fingerprint
from nas_ray.runs.journal import is_row
from nas_ray.spaces.base import SearchSpace
from nas_ray.training.recipes import Recipe
from nas_ray.training.settings import Recipes
from nas_ray.training.training_data import (
    KeptImages,
    balancing_weights,
    split_indices,
    training_loader,
    validation_loader,
)
from nas_ray.training.training_module import TrainingModule

COLUMNS = ("valid_acc", "train_acc", "valid_loss", "train_loss")


class ShortTraining(MovableTraining):
    """Trains archs for a few epochs and reports `valid_acc`, in percent, after each of them.

    A row has `valid_acc`, `train_acc`, `valid_loss`, `train_loss` (means over the recipe's seeds),
    `valid_acc_std` where there are several, `epochs` so far, `seconds` and `seconds_per_epoch`, `curve` (the
    `valid_acc` of all epochs) and `error`. On one device and with one number of threads rows are equal for
    equal arguments, whatever was trained before and however often the training was interrupted: order and
    augmentation of an epoch depend on seed and epoch alone. The test images are never seen.

    Args:
        space: how an arch becomes a net; the settings of a point of a `Product` change its recipe.
        num_classes: outputs of the net.
        images: the training split; the recipe's `valid_fraction` of it is held out for `valid_acc`.
        recipe: how nets are trained.
        until: epochs to train for; the schedule is that of the whole recipe. None means all.
        init_seed: seed of the first net's initialisation, order and augmentation; the next seeds follow.
        split_seed: seed of the split.
        checkpoints: folder of unfinished trainings, which all workers must see; None for none.
        keep_checkpoints: leave them when an arch is done, for a later training to a higher `until`.
        accelerator: Lightning's name of the device, `cpu` or `gpu`.
        scores: evaluates an arch before it is trained, such as `ProxyScores`; its columns join the rows.

    Raises:
        UsageError: `until` is no epoch of the recipe, settings do not fit it, or too few images to split.
    """

    def __init__(
        self,
        space: SearchSpace,
        num_classes: int,
        images: NetImages,
        recipe: Recipe,
        *,
        until: int | None = None,
        init_seed: int = 0,
        split_seed: int = 0,
        checkpoints: Path | None = None,
        keep_checkpoints: bool = False,
        accelerator: str = "cpu",
        scores: Evaluator | None = None,
    ) -> None:
        self.recipe_of = Recipes(space, recipe)
        self.until = recipe.epochs if until is None else until
        if not 1 <= self.until <= recipe.epochs:
            raise UsageError(f"A training of {recipe.epochs} epochs cannot stop after {self.until}.")
        if not recipe.valid_fraction:
            raise UsageError("A search by valid_acc needs held-out images; give valid_fraction above 0.")
        self.space = space
        self.num_classes = num_classes
        self.images = images
        self.recipe = recipe
        self.init_seed = init_seed
        self.checkpoints = checkpoints
        self.keep_checkpoints = keep_checkpoints
        self.accelerator = accelerator
        self.scores = scores
        self.train_indices, self.valid_indices = split_indices(images.labels, recipe, split_seed)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of what is trained on: all images with their labels, their size, and which are used."""
        return joined_sha256(self.images.sha256, self.earlier_fingerprint)

    @cached_property
    def earlier_fingerprint(self) -> str:
        """What runs of before told images by: which, their labels, and the first of them."""
        first = self.images.resized(int(self.train_indices[0])).numpy()
        return fingerprint(self.train_indices, self.valid_indices, self.images.labels, first)

    def __call__(self, arch: str, report: Callable[[Row], None]) -> None:
        """Reports one row per epoch; the last one counts."""
        for row in self.epochs(arch):
            report(row)

    def epochs(self, arch: str) -> Iterator[Row]:
        """Yields a row after each epoch, from the checkpoint of `arch` on; a failure is the last row.

        Closing the iterator stops the training; its checkpoint stays.
        """
        row: Row = {}
        try:
            before = self._scores_of(arch)
            if before.get("error"):
                yield {**before, "valid_acc": math.nan}
                return
            start = time.perf_counter()
            modules, row = self._begun(arch)
            seconds = float((row or before).get("seconds", 0.0)) + time.perf_counter() - start
            last = self.last_epoch(arch)
            if row.get("epochs", 0) >= last:
                yield row
            for epoch in range(row.get("epochs", 0), last):
                start = time.perf_counter()
                results = [self.train_epoch(module, epoch, seed) for seed, module in enumerate(modules)]
                seconds += time.perf_counter() - start
                row = self._row(before, results, epoch + 1, seconds, row)
                self._save(arch, modules, row)
                yield row
                if row["error"]:
                    return
        except Exception as error:
            yield {**row, "valid_acc": math.nan, **failed([failure(error)])}

    def last_epoch(self, arch: str) -> int:
        """Returns the epoch after which `arch` is done; `until` but for points with fewer epochs."""
        return min(self.until, self.recipe_of(arch).epochs)

    def forget(self, arch: str) -> None:
        """Removes the checkpoint of `arch`; the driver calls it when the row is safe."""
        if self._store is not None and not self.keep_checkpoints:
            self._store.remove(arch)

    def _scores_of(self, arch: str) -> Row:
        rows: list[Row] = []
        if self.scores is not None:
            self.scores(arch, rows.append)
        return rows[-1] if rows else {}

    def new_module(self, arch: str, seed: int) -> TrainingModule:
        """Returns the untrained module of `arch`, equal for equal seeds."""
        recipe = self.recipe_of(arch)
        with seeded(seed):
            net = self.space.build(arch, self.num_classes)
        return TrainingModule(
            net,
            recipe,
            num_classes=self.num_classes,
            steps_per_epoch=len(training_loader(self._train, recipe, seed)),
            class_weights=self._class_weights if recipe.class_weights else None,
        )

    def train_epoch(
        self, module: TrainingModule, epoch: int, number: int, *, validate: bool = True
    ) -> dict[str, float]:
        """Trains the net of seed `init_seed + number` for epoch `epoch` (from 0) and returns its results."""
        seed, recipe = self.init_seed + number, module.recipe
        trainer = quiet_trainer(self.accelerator, recipe)
        with seeded((seed * 100_003 + epoch) % 2**64):  # dropout
            trainer.fit(
                module,
                training_loader(self._train.augmented_by(recipe), recipe, seed, epoch),
                validation_loader(self._valid) if validate else None,
            )
        return dict(module.results)

    def _row(
        self, before: Row, results: Sequence[dict[str, float]], epochs: int, seconds: float, last: Row
    ) -> Row:
        means = {name: float(np.mean([result[name] for result in results])) for name in COLUMNS}
        several = [result["valid_acc"] for result in results]
        spread = {"valid_acc_std": float(np.std(several, ddof=1))} if len(several) > 1 else {}
        curve = [*filter(None, str(last.get("curve", "")).split()), f"{means['valid_acc']:.4f}"]
        lost = not math.isfinite(means["train_loss"])
        return {
            **before,
            **means,
            **spread,
            **({"valid_acc": math.nan} if lost else {}),
            "epochs": epochs,
            "seconds": seconds,
            "seconds_per_epoch": (seconds - before.get("seconds", 0.0)) / epochs,
            "curve": " ".join(curve),
            **failed([Failure(f"the training diverged in epoch {epochs}", DIVERGED)] if lost else []),
        }

    def _save(self, arch: str, modules: Sequence[TrainingModule], row: Row) -> None:
        if self._store is not None and not row["error"]:
            self._store.save(arch, {"row": row, "states": [module.state() for module in modules]})

    def _begun(self, arch: str, damaged: bool = False) -> tuple[list[TrainingModule], Row]:
        """Returns modules and row where the checkpoint of `arch` ends; a damaged one is a new start."""
        state = None if self._store is None or damaged else self._store.load(arch)
        count = self.recipe_of(arch).seeds
        modules = [self.new_module(arch, self.init_seed + number) for number in range(count)]
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

    @cached_property
    def _store(self) -> TrainingCheckpoints | None:
        if self.checkpoints is None:
            return None
        seen = (self.fingerprint, self.earlier_fingerprint)
        identity, earlier = (json.dumps([asdict(self.recipe), self.init_seed, of]) for of in seen)
        return TrainingCheckpoints(self.checkpoints, identity, earlier)

    @cached_property
    def _class_weights(self) -> list[float]:
        return balancing_weights(self.images.labels[self.train_indices], self.num_classes)

    @cached_property
    def _device(self) -> torch.device:
        return quiet_trainer(self.accelerator, self.recipe).strategy.root_device

    @cached_property
    def _train(self) -> KeptImages:
        return KeptImages(self.images, self.train_indices, self.recipe, self._device)

    @cached_property
    def _valid(self) -> KeptImages:
        return KeptImages(self.images, self.valid_indices, None, self._device)
