"""One arch: its scores, the accuracy of a short training, and that of a longer one."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from nas_ray.correlate.estimates.args import EstimatesArgs
from nas_ray.correlate.opening import suited
from nas_ray.errors import UsageError
from nas_ray.evaluation.base import Evaluator, placed
from nas_ray.evaluation.on_images import limited_on, scores_on, training_on
from nas_ray.evaluation.proxy_scores import ProxyScores
from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.images.image_args import open_image_args
from nas_ray.images.image_data import ImageDataModule
from nas_ray.proxies.identity import identity
from nas_ray.proxies.plugin import resolve_proxies, score_names
from nas_ray.report.correlation import BASELINES
from nas_ray.rows import ERROR, Row
from nas_ray.spaces.base import SearchSpace, fitted_space
from nas_ray.spaces.named import open_space
from nas_ray.training.recipes import parse_recipe
from nas_ray.training.whole_task import WholeTask

SHORT, LONG = "valid_acc", "test_acc"
"""Columns of the accuracies: after the short training, and after the longer one."""
MOST_DRAWS = 1_000
"""Draws after which a space is found to have too few archs, for each of them."""


@dataclass(frozen=True)
class World:
    """What all archs have in common.

    Attributes:
        images: both splits.
        space: of the archs, for the size of the images and within the limits.
        scores: evaluates an arch without training.
        short: trains it for a short time.
        long: trains it for longer, on all training images, and judges on the test images.
    """

    images: ImageDataModule
    space: SearchSpace
    scores: ProxyScores
    short: ShortTraining
    long: ShortTraining


@lru_cache(maxsize=1)
def world_of(args: EstimatesArgs) -> World:
    """Returns what `args` describe, made once in a process.

    Raises:
        UsageError: anything in `args` that cannot work.
    """
    images = open_image_args(args, batch_size=args.batch_size, batch_seed=args.batch_seed)
    space = fitted_space(open_space(args.space), images.image_size)
    within = limited_on(images, space, args.max_params, args.max_flops)
    proxies = resolve_proxies([*dict.fromkeys([*args.names, *suited(BASELINES, args.space)])])
    short = training_on(images, space, parse_recipe(args.short), init_seed=args.init_seed)
    long = ShortTraining.of_task(
        space, WholeTask(images), parse_recipe(args.long), init_seed=args.init_seed + 1
    )
    return World(images, within, scores_on(images, space, proxies, init_seed=args.init_seed), short, long)


def drawn(args: EstimatesArgs, world: World) -> list[str]:
    """Returns different archs of the space; more of them begin with fewer.

    Raises:
        UsageError: the space has not so many.
    """
    rng = np.random.default_rng(args.seed)
    archs: dict[str, None] = {}
    for _ in range(args.num_archs * MOST_DRAWS):
        archs[world.space.sample(rng)] = None
        if len(archs) == args.num_archs:
            return list(archs)
    raise UsageError(
        f"--num-archs must be at most what {MOST_DRAWS:,} draws for each find in the space, {len(archs)} "
        f"archs, got {args.num_archs}; lower it."
    )


SCORES = "scores"
PARTS = (SCORES, "short", "long")
"""What is found out of an arch; each can be made again without the others."""
KEYS = ("arch", "protocol")


def protocols(args: EstimatesArgs, world: World) -> dict[str, str]:
    """Returns for each part what rows must have in common to stand in one table."""
    proxies = {name: identity(name, proxy) for name, proxy in world.scores.proxies.items()}
    nets = [args.space, world.images.image_size, world.images.num_classes, world.images.sha256]
    same = {
        SCORES: [proxies, args.batch_size, args.batch_seed, args.init_seed],
        "short": world.short.identities()[0],
        "long": world.long.identities()[0],
    }
    texts = {part: json.dumps([nets, facts]) for part, facts in same.items()}
    return {part: hashlib.sha256(text.encode()).hexdigest()[:12] for part, text in texts.items()}


@dataclass(frozen=True)
class Piece:
    """One part of one arch.

    Attributes:
        args: how.
        folder: where an unfinished training is kept.
        part: of `PARTS`.
        arch: canonical string.
        protocol: of the row.
    """

    args: EstimatesArgs
    folder: Path
    part: str
    arch: str
    protocol: str

    @property
    def key(self) -> tuple[str, str]:
        """What its row is found by."""
        return self.arch, self.protocol


def judge(piece: Piece) -> tuple[Piece, dict[str, Any]]:
    """Returns the row of a part of an arch: its scores, or the accuracy of a training.

    A failure is a row with an error, and NaN.
    """
    world = world_of(piece.args)
    row: dict[str, Any] = dict(zip(KEYS, piece.key, strict=True))
    if piece.part == SCORES:
        told = _last(world.scores, piece.arch)
        row |= {name: told.get(name, math.nan) for name in score_names(world.scores.proxies)}
    else:
        told = _last(_kept(piece), piece.arch)
        row |= {"accuracy": told.get(SHORT, math.nan), "epochs": told.get("epochs", 0)}
    return piece, {**row, "seconds": float(told.get("seconds", math.nan)), ERROR: told.get(ERROR)}


def forget(piece: Piece) -> None:
    """Removes the unfinished training of a part whose row is safe."""
    if piece.part != SCORES:
        _kept(piece).forget(piece.arch)


def _kept(piece: Piece) -> ShortTraining:
    """Returns the training of a part, which keeps its epochs in the folder."""
    world = world_of(piece.args)
    made = placed(world.short if piece.part == "short" else world.long, "cpu", piece.folder / piece.part)
    assert isinstance(made, ShortTraining)
    return made


def _last(evaluate: Evaluator, arch: str) -> Row:
    rows: list[Row] = []
    evaluate(arch, rows.append)
    return rows[-1]
