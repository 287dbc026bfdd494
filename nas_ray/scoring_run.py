"""Scores a list of archs into a folder, on Ray, never one twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console

from nas_ray.benchmarks import Benchmark
from nas_ray.errors import UsageError
from nas_ray.evaluate import ProxyScores
from nas_ray.journal import FILE_NAME, read_journal, rows_of
from nas_ray.progress import SearchProgress
from nas_ray.proxies import Proxy
from nas_ray.resources import Plan
from nas_ray.runs import FILE_NAME as RUN_FILE
from nas_ray.runs import fingerprint, read_run, write_json
from nas_ray.search import tune_search
from nas_ray.searchers import Single
from nas_ray.searchers.given import GivenArchs
from nas_ray.spaces.base import FiniteSpace


def choose_archs(
    space: FiniteSpace, count: int, *, seed: int, accuracy: np.ndarray | None = None, strata: int = 10
) -> list[str]:
    """Returns `count` different archs of `space` in a seeded order; 0 means all, in the published order.

    Args:
        space: where they come from.
        count: how many.
        seed: of the draw.
        accuracy: `[len(space)]`; if given, each of `strata` equal groups by accuracy gives the same number.
        strata: number of groups.

    Raises:
        UsageError: the space is smaller than `count`.
    """
    archs = list(space)
    if not 0 <= count <= len(archs):
        raise UsageError(f"--num-archs must be from 0 to {len(archs)}, the size of the space, got {count}.")
    if count == 0:
        return archs
    rng = np.random.default_rng(seed)
    if accuracy is None:
        return [archs[i] for i in rng.choice(len(archs), size=count, replace=False)]
    groups = [rng.permutation(group) for group in np.array_split(np.argsort(accuracy, kind="stable"), strata)]
    turns = [group[turn] for turn in range(max(map(len, groups))) for group in groups if turn < len(group)]
    return [archs[i] for i in turns[:count]]


def score_archs(
    folder: Path,
    archs: Sequence[str],
    evaluator: ProxyScores,
    plan: Plan,
    *,
    console: Console,
) -> pd.DataFrame:
    """Returns one row per arch with a column per score, `NAME_seconds`, and `error`.

    Scores that `folder` holds are not computed again, so an interrupted call goes on, and a call with one
    more proxy computes that one alone. Each call adds a subfolder with its journal.

    Args:
        folder: of one dataset.
        archs: what to score.
        evaluator: with the proxies wanted; those that are known are left out.
        plan: what runs where; Ray must be initialised.
        console: for progress.

    Raises:
        UsageError: the folder holds scores of another minibatch or initialisation.
    """
    same = {
        "minibatch_sha256": fingerprint(evaluator.inputs, evaluator.targets),
        "init_seed": evaluator.init_seed,
        "num_classes": evaluator.num_classes,
    }
    parts = sorted(folder.glob(f"*/{RUN_FILE}"))
    for path in parts:
        _check_same(path.parent, same)
    wanted = dict(evaluator.proxies)
    for path in parts:  # finish what was begun, unless every score in it is known by now
        names = [name for name in read_run(path.parent)["proxies"] if name in wanted]
        _complete(path.parent, archs, evaluator, {name: wanted.pop(name) for name in names}, plan, console)
    if wanted:
        part = folder / f"{len(parts):03d}"
        part.mkdir(parents=True)
        write_json(part / RUN_FILE, {"format": 1, "proxies": list(wanted), **same})
        _complete(part, archs, evaluator, wanted, plan, console)
    return join_parts(folder, archs)


def _check_same(part: Path, same: Mapping[str, object]) -> None:
    stored = read_run(part)
    for name, value in same.items():
        if stored.get(name) != value:
            raise UsageError(
                f"The folder {part} holds scores with {name} {stored.get(name)}, but now it is {value}; "
                "choose another --out."
            )


def _complete(
    part: Path,
    archs: Sequence[str],
    evaluator: ProxyScores,
    proxies: Mapping[str, Proxy],
    plan: Plan,
    console: Console,
) -> None:
    """Scores the archs that the journal of `part` does not have, with the proxies that it has."""
    known = {row["arch"] for row in _rows(part)}
    todo = [arch for arch in archs if arch not in known]
    if not todo or not proxies:
        return
    scoring = ProxyScores(
        evaluator.space,
        evaluator.num_classes,
        evaluator.inputs,
        evaluator.targets,
        proxies,
        init_seed=evaluator.init_seed,
        accelerator="gpu" if plan.gpus_per_trial else "cpu",
        timed=True,
    )
    first = next(iter(proxies))
    searcher = GivenArchs(evaluator.space, fitness=Single((first,)), archs=todo)
    with SearchProgress(console, len(todo), searcher.fitness, str) as progress:
        tune_search(
            searcher,
            scoring,
            folder=part,
            max_concurrent=plan.max_concurrent,
            cpus_per_trial=plan.cpus_per_trial,
            gpus_per_trial=plan.gpus_per_trial,
            on_event=progress,
        )


def _rows(part: Path) -> list[dict[str, object]]:
    return rows_of(read_journal(part / FILE_NAME)) if (part / FILE_NAME).exists() else []


def join_parts(folder: Path, archs: Sequence[str]) -> pd.DataFrame:
    """Returns the scores of all parts of `folder`, joined on `arch`, in the order of `archs`."""
    table = pd.DataFrame({"arch": list(archs)})
    for part in sorted(path.parent for path in folder.glob(f"*/{FILE_NAME}")):
        rows = pd.DataFrame(_rows(part)).drop_duplicates("arch", keep="last")
        new = [
            name
            for name in rows
            if name not in table and name not in ("trial", "finished_at", "worker", "reused")
        ]
        table = table.merge(rows[["arch", *new]], on="arch", how="left")
    return table


def benchmark_accuracy(benchmark: Benchmark) -> dict[str, float]:
    """Returns the accuracy of every arch in percent.

    Raises:
        UsageError: the benchmark cannot be read as a whole.
    """
    everything = benchmark.all_test_acc()
    if everything is None:
        raise UsageError(
            "Correlations need the accuracy of many archs at once: export the official directory with "
            "experiments/export_nats.py and give that table as --benchmark."
        )
    return dict(zip(benchmark.archs, everything.tolist(), strict=True))
