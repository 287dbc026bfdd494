"""One entry of a contestant on a set of images: its search, and the training of the net that it found."""

from __future__ import annotations

import math
import re
import shutil
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from nas_ray.drivers.plan import PROCESS, Plan
from nas_ray.evaluation.base import placed
from nas_ray.evaluation.limits import Costs
from nas_ray.evaluation.movable import CHECKPOINTS
from nas_ray.evaluation.on_images import limited_on
from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.images.image_args import open_image_args
from nas_ray.images.image_data import ImageDataModule
from nas_ray.rows import ERROR, Row, final_arch
from nas_ray.search.arguments import AnySearchArgs
from nas_ray.search.contest.args import StudyArgs
from nas_ray.search.contest.contestants import Contestant
from nas_ray.search.contest.sets import ImageSet
from nas_ray.search.experiment import prepare
from nas_ray.search.run_experiment import run_experiment
from nas_ray.spaces.base import SearchSpace, fitted_space
from nas_ray.spaces.found import space_of_found
from nas_ray.spaces.named import open_space
from nas_ray.spaces.product import arch_space
from nas_ray.spaces.settings import arch_of
from nas_ray.training.recipes import parse_recipe
from nas_ray.training.whole_task import WholeTask

KEYS = ("set", "contestant", "seed", "protocol")
TRAINED = "valid_acc"
"""What a training on all images calls its accuracy, which is of the test images (`WholeTask`)."""
NO_NET = "the search found no net"


@dataclass(frozen=True)
class Entry:
    """What is to be done.

    Attributes:
        args: what all have in common.
        folder: of searches and unfinished trainings.
        image_set: where.
        contestant: who.
        seed: of the search, its weights and images, and of the training.
        protocol: what tells its row from those of other settings.
    """

    args: StudyArgs
    folder: Path
    image_set: ImageSet
    contestant: Contestant
    seed: int
    protocol: str

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What its row is found by."""
        return self.image_set.label, self.contestant.name, self.seed, self.protocol

    @property
    def place(self) -> Path:
        """Its own folder."""
        where = re.sub(r"[^A-Za-z0-9.]+", "-", self.image_set.label).strip("-")
        return self.folder / "entries" / where / f"{self.contestant.name}-seed-{self.seed}-{self.protocol}"


@dataclass(frozen=True)
class Found:
    """What a contestant brings to the final training.

    Attributes:
        arch: canonical string; None where a search found none.
        space: of its net.
        evaluations: that led to it.
        seconds: of the search.
        why: there is no arch.
    """

    arch: str | None
    space: SearchSpace
    evaluations: int = 0
    seconds: float = 0.0
    why: str | None = None


def carry_out(entry: Entry) -> dict[str, Any]:
    """Returns the row of an entry; where no net was found or trained it says why, and has no accuracy."""
    images = opened(entry.image_set, entry.args.batch_size)
    found = looked_for(entry, images)
    row: dict[str, Any] = {
        **dict(zip(KEYS, entry.key, strict=True)),
        "space": entry.contestant.space,
        "searcher": entry.contestant.searcher,
        "arch": found.arch,
        "evaluations": found.evaluations,
        "search_seconds": found.seconds,
        "guess": 100.0 / images.num_classes,
    }
    nothing = dict.fromkeys(("params", "flops", "test_acc", "epochs", "train_seconds"), math.nan)
    if found.arch is None:
        return {**row, **nothing, ERROR: found.why}
    params, flops = costs_of(found.arch, found.space, images)
    told = trained(entry, found.space, found.arch, images)
    return {
        **row,
        "params": params,
        "flops": flops,
        "test_acc": told.get(TRAINED, math.nan),
        "epochs": float(told.get("epochs", math.nan)),
        "train_seconds": told.get("seconds", math.nan),
        ERROR: told.get(ERROR),
    }


def costs_of(arch: str, space: SearchSpace, images: ImageDataModule) -> tuple[float, float]:
    """Returns the parameters of the net of an arch, and its multiply-adds for one image.

    Raises:
        UsageError: no such arch.
    """
    return Costs(space, images.num_classes, (3, images.image_size, images.image_size))(arch)


@lru_cache(maxsize=8)
def opened(image_set: ImageSet, batch_size: int) -> ImageDataModule:
    """Returns the images of a set, opened once in a process.

    Raises:
        UsageError: they cannot be used.
    """
    return open_image_args(image_set.args, batch_size=batch_size, batch_seed=0)


def looked_for(entry: Entry, images: ImageDataModule) -> Found:
    """Returns what the search of an entry found, or the net that needs none."""
    contestant, args = entry.contestant, entry.args
    if contestant.searcher:
        return _searched(entry)
    space = fitted_space(open_space(contestant.space), images.image_size)
    if contestant.arch:
        return Found(contestant.arch, space)
    within = limited_on(images, space, args.max_params, args.max_flops)
    return Found(within.sample(np.random.default_rng((entry.seed, 2))), space)


def search_args(entry: Entry) -> AnySearchArgs:
    """Returns what `nas-ray search` would be given for the search of an entry."""
    contestant, args, images = entry.contestant, entry.args, entry.image_set.args
    return AnySearchArgs(
        space=contestant.space,
        searcher=contestant.searcher,
        searcher_args=contestant.searcher_args,
        proxies=contestant.proxies,
        fitness=contestant.fitness,
        fidelity=contestant.fidelity,
        images=images.images,
        dataset=images.dataset,
        image_size=images.image_size,
        batch_size=args.batch_size,
        seed=entry.seed,
        init_seed=entry.seed,
        batch_seed=entry.seed,
        num_samples=args.num_samples,
        time_budget_s=args.time_budget_s,
        max_params=args.max_params,
        max_flops=args.max_flops,
        benchmark="none",
        driver=PROCESS,
    )


def _searched(entry: Entry) -> Found:
    args = search_args(entry)
    experiment = prepare("search", args, args.searcher)
    outcome = run_experiment(experiment, Plan(driver=PROCESS), entry.place / "search")
    space = arch_space(space_of_found(experiment.space))
    rows = outcome.rows
    seconds = float(rows["finished_at"].max()) if len(rows) else 0.0
    if outcome.best is None:
        errors = rows[ERROR].dropna().tolist() if ERROR in rows else []
        return Found(None, space, len(rows), seconds, ": ".join([NO_NET, *errors[:1]]))
    return Found(arch_of(final_arch(outcome.best)), space, len(rows), seconds)


def final_training(entry: Entry, space: SearchSpace, images: ImageDataModule) -> ShortTraining:
    """Returns the training of what an entry found.

    Raises:
        UsageError: no such recipe, or images that cannot be trained on.
    """
    recipe = parse_recipe(entry.args.recipe)
    return ShortTraining.of_task(space, WholeTask(images), recipe, init_seed=entry.seed)


def trained(entry: Entry, space: SearchSpace, arch: str, images: ImageDataModule) -> Row:
    """Returns the last row of the training of an arch, which goes on after the last epoch that is kept."""
    evaluate = placed(final_training(entry, space, images), "cpu", entry.place)
    rows: list[Row] = []
    began = time.perf_counter()
    evaluate(arch, rows.append)
    return {"seconds": time.perf_counter() - began, **rows[-1]}


def tidy(entry: Entry) -> None:
    """Removes the checkpoints of an entry whose row is safe; its search stays."""
    shutil.rmtree(entry.place / CHECKPOINTS, ignore_errors=True)
