"""What `nas-ray score-space` is asked to do, checked before Ray starts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from nas_ray.benchmarks import Benchmark, open_benchmark
from nas_ray.drivers.resources import Plan, Request, check_request, request_of
from nas_ray.drivers.weights import check_weights
from nas_ray.errors import UsageError
from nas_ray.images.datasets import OWN
from nas_ray.images.image_args import open_image_args
from nas_ray.images.image_data import ImageDataModule
from nas_ray.runs.folder import check_local, fingerprint
from nas_ray.score_space.arch_list import wanted_archs
from nas_ray.score_space.args import ScoreArgs
from nas_ray.score_space.chunk_store import EXPERIMENT
from nas_ray.score_space.classes import Classes
from nas_ray.score_space.score_columns import ScoreColumns, score_columns
from nas_ray.shared_weights.precision import PRECISIONS
from nas_ray.shared_weights.scorer import ChunkScorer
from nas_ray.shared_weights.supernet import check_supernet
from nas_ray.spaces import NatsTss
from nas_ray.terminal.console import say
from nas_ray.terminal.ranges import check_ranges


@dataclass(frozen=True)
class Job:
    """Everything that scoring needs, checked before Ray starts."""

    args: ScoreArgs
    out: Path
    space: NatsTss
    archs: list[str]
    columns: ScoreColumns
    classes: Classes
    images: ImageDataModule
    benchmark: Benchmark | None
    request: Request

    def scorer(self, names: Sequence[str], plan: Plan, together: int) -> ChunkScorer:
        """Returns what turns a chunk into scores by the proxies `names`, at most `together` archs at once."""
        inputs, targets = (tensor.numpy() for tensor in self.images.minibatch())
        device = "cuda" if plan.gpus_per_trial else "cpu"
        return ChunkScorer(
            self.space,
            self.images.num_classes,
            inputs,
            targets,
            {name: self.columns.proxies[name] for name in names},
            columns=self.columns.of(names),
            init_seed=self.args.init_seed,
            device=device,
            together=together,
            precision=self.args.precision,
        )

    @property
    def identity(self) -> dict[str, Any]:
        """What a score depends on beside arch and proxy."""
        return {
            "experiment": EXPERIMENT,
            "space": self.space.name,
            "channels": self.space.channels,
            "cells": self.space.cells,
            "num_classes": self.images.num_classes,
            "init_seed": self.args.init_seed,
            "precision": self.args.precision,
            "minibatch_sha256": fingerprint(*(tensor.numpy() for tensor in self.images.minibatch())),
            **({"dataset": OWN} if self.args.dataset == OWN else {}),
        }


def prepare(args: ScoreArgs, console: Console) -> Job:
    """Returns the job that `args` describe.

    Raises:
        UsageError: anything in `args` that cannot work.
    """
    check_ranges(args)
    if args.precision not in PRECISIONS:
        raise UsageError(f"--precision must be one of {', '.join(PRECISIONS)}, got {args.precision!r}.")
    columns = score_columns(args.proxies)
    share = args.gpus_per_worker
    request = request_of(args, gpus_per_trial=share, share_option="--gpus-per-worker")
    check_request(request)
    images = open_image_args(args, batch_size=args.batch_size, batch_seed=args.batch_seed)
    images.minibatch()  # told here if there are too few different images
    space = NatsTss(args.channels, args.cells).for_image_size(images.image_size)
    check_supernet(space)
    check_weights(space, request)
    archs, repeats = wanted_archs(space, args.archs, args.num_archs, seed=args.seed)
    if repeats:
        say(console, f"{args.archs} repeats archs {repeats:,} times; each is scored once.")
    benchmark = open_benchmark(args.benchmark, args.dataset)
    out = args.out or Path("runs") / f"score-{args.dataset}-{time.strftime('%Y%m%d-%H%M%S')}"
    check_local(out)
    classes = Classes(archs, args.once_per_class)
    return Job(args, out, space, archs, columns, classes, images, benchmark, request)
