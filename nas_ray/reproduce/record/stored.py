"""Scores of whole spaces as `score-space` left them, and what archs of NATS-TSS say themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.images.datasets import get_dataset
from nas_ray.proxies.clear_paths import POOLING
from nas_ray.reproduce.known import mean_span
from nas_ray.runs.folder import read_run
from nas_ray.searchers.cheap_score import ScoreTable
from nas_ray.spaces.nats_tss import NatsTss, to_ops
from nas_ray.spaces.plans import plan_cell

COUNTED = ("params", "num_conv", "skip", "live_ops", "clear_paths")
"""Scores that are counted from the arch here, whatever a table says."""


@dataclass(frozen=True)
class Scored:
    """One initialisation.

    Attributes:
        dataset: for which nets were made.
        image_size: of its images, in pixels.
        init_seed: of the weights.
        nets: their `channels` and `cells`.
        scores: `[archs]` by name, those of `COUNTED` among them.
    """

    dataset: str
    image_size: int
    init_seed: int
    nets: Mapping[str, int]
    scores: Mapping[str, np.ndarray]


def counted_scores(space: NatsTss) -> dict[str, np.ndarray]:
    """Returns `[archs]` by name of `COUNTED`: the values of the proxies, of parameters the order."""
    ones, threes = np.array([space.cost_class(arch) for arch in space], dtype=float).T
    plans = [plan_cell(to_ops(arch)) for arch in space]
    convolutions = [sum(op.startswith("nor_conv") for op in plan.ops) for plan in plans]
    pools = [plan.ops.count(POOLING) for plan in plans]
    return {
        "params": ones + 9 * threes,
        "num_conv": ones + threes,
        "skip": np.array([mean_span(arch) for arch in space]),
        "live_ops": np.array(convolutions, dtype=float) - np.array(pools, dtype=float),
        "clear_paths": np.array([sum(POOLING not in path for path in p.paths) for p in plans], dtype=float),
    }


def scored(paths: Sequence[Path], names: Sequence[str]) -> list[Scored]:
    """Returns what tables of scores hold of `names`, each beside the `run.json` of its folder.

    Raises:
        UsageError: no table, one that is no whole space, or a folder that does not say of which nets it is.
    """
    if not paths:
        raise UsageError("Stored scores are needed, got no --scores-file; give those of nas-ray score-space.")
    space = NatsTss()
    counted = counted_scores(space)
    measured = [name for name in names if name not in counted]
    found = []
    for path in paths:
        run = read_run(path.parent)
        missing = [word for word in ("dataset", "init_seed", "channels", "cells") if word not in run]
        if missing:
            raise UsageError(
                f"The folder of {path} must be one of nas-ray score-space, whose run.json says {missing[0]}; "
                "give the scores.parquet there."
            )
        info = get_dataset(run["dataset"])
        nets = {"channels": int(run["channels"]), "cells": int(run["cells"])}
        scores = {name: np.array(ScoreTable(path, name)(space.archs)) for name in measured}
        found.append(Scored(info.name, info.image_size, int(run["init_seed"]), nets, {**counted, **scores}))
    _check_different(found)
    return found


def _check_different(found: Sequence[Scored]) -> None:
    if len({tuple(one.nets.items()) for one in found}) > 1:
        raise UsageError(
            "Stored scores must be of nets of one size; leave out those of other channels or cells."
        )
    known = [(one.dataset, one.init_seed) for one in found]
    for dataset, seed in known:
        if known.count((dataset, seed)) > 1:
            raise UsageError(
                f"Several tables must be several initialisations, got two of {dataset} with --init-seed "
                f"{seed}; leave one out."
            )


def of_dataset(found: Sequence[Scored], dataset: str) -> list[Scored]:
    """Returns the initialisations for a dataset: its own, else those for images of the same size.

    Raises:
        UsageError: there is neither.
    """
    own = [one for one in found if one.dataset == dataset]
    size = get_dataset(dataset).image_size
    same = own or [one for one in found if one.image_size == size]
    if not same:
        raise UsageError(
            f"Scores of nets for images of {size} pixels are needed for {dataset}; give a table of "
            f"nas-ray score-space --dataset {dataset} with --scores-file as well."
        )
    return same


def only(one: Scored, mine: np.ndarray) -> Scored:
    """Returns an initialisation with the archs `mine [archs]` alone."""
    scores = {name: values[mine] for name, values in one.scores.items()}
    return Scored(one.dataset, one.image_size, one.init_seed, one.nets, scores)
