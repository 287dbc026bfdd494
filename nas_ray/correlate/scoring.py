"""Scores a list of archs into a folder, on Ray, never one twice."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console

from nas_ray.correlate.parts import Part, join_parts, new_part, read_parts
from nas_ray.drivers.progress import SearchProgress
from nas_ray.drivers.resources import Plan
from nas_ray.drivers.tune_search import tune_search
from nas_ray.evaluation.proxy_scores import ProxyScores
from nas_ray.proxies import Proxy
from nas_ray.runs.folder import JOURNAL, fingerprint
from nas_ray.runs.journal import Journal
from nas_ray.searchers import Single
from nas_ray.searchers.given import GivenArchs


def score_archs(
    folder: Path,
    archs: Sequence[str],
    evaluator: ProxyScores,
    plan: Plan,
    *,
    console: Console,
    settings: Mapping[str, object] | None = None,
) -> pd.DataFrame:
    """Returns one row per arch with a column per score, `NAME_seconds`, and `error`.

    Scores that `folder` holds are not computed again, so an interrupted call goes on, and a call with one
    more proxy or more archs computes what is new alone. A proxy of the same name whose code has changed is
    another proxy.

    Args:
        folder: of one minibatch and initialisation.
        archs: what to score.
        evaluator: with the proxies wanted; those that are known are left out.
        plan: what runs where; Ray must be initialised.
        console: for progress.
        settings: what the minibatch was made from, in the words of the user.

    Raises:
        UsageError: the folder holds scores of another minibatch or initialisation, or is damaged.
    """
    same: dict[str, object] = {
        **(settings or {}),
        "init_seed": evaluator.init_seed,
        "num_classes": evaluator.num_classes,
        "minibatch_sha256": fingerprint(evaluator.inputs, evaluator.targets),
    }
    parts = read_parts(folder, same)
    for names, todo in missing(parts, archs, evaluator.proxies).items():
        proxies = {name: evaluator.proxies[name] for name in names}
        fitting = [part for part in parts if part.fits(proxies)]
        _score(fitting[-1] if fitting else new_part(folder, proxies, same), todo, evaluator, plan, console)
    return join_parts(read_parts(folder, same), archs, evaluator.proxies)


def missing(
    parts: Sequence[Part], archs: Sequence[str], proxies: Mapping[str, Proxy]
) -> dict[tuple[str, ...], list[str]]:
    """Returns which archs are to be scored with which proxies."""
    known = {name: set[str]() for name in proxies}
    for part in parts:
        for name in part.holds(proxies):
            known[name] |= part.scored(name)
    todo: dict[tuple[str, ...], list[str]] = {}
    for arch in archs:
        names = tuple(name for name in proxies if arch not in known[name])
        if names:
            todo.setdefault(names, []).append(arch)
    return todo


def _score(part: Part, todo: Sequence[str], evaluator: ProxyScores, plan: Plan, console: Console) -> None:
    """Scores archs with the proxies of `part` and adds them to its journal."""
    proxies = {name: evaluator.proxies[name] for name in part.proxies}
    scoring = ProxyScores(
        evaluator.space,
        evaluator.num_classes,
        evaluator.inputs,
        evaluator.targets,
        proxies,
        init_seed=evaluator.init_seed,
        accelerator=plan.accelerator,
        timed=True,
    )
    searcher = GivenArchs(evaluator.space, fitness=Single((next(iter(proxies)),)), archs=todo)
    with (
        SearchProgress(console, len(todo), searcher.fitness, None) as progress,
        contextlib.closing(Journal(part.folder / JOURNAL)) as journal,
    ):
        tune_search(
            searcher,
            scoring,
            folder=part.folder,
            journal=journal,
            max_concurrent=plan.max_concurrent,
            cpus_per_trial=plan.cpus_per_trial,
            gpus_per_trial=plan.gpus_per_trial,
            on_event=progress,
        )
