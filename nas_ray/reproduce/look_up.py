"""What tables need to know of the whole space, read from a benchmark and from stored scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nas_ray.benchmarks import Benchmark, Evaluation, open_benchmark
from nas_ray.errors import UsageError
from nas_ray.images.datasets import DATASETS
from nas_ray.reproduce.known import Known, mean_span
from nas_ray.reproduce.measures import LONG, SHORT, TEST, TRAINED
from nas_ray.reproduce.tables import Table
from nas_ray.searchers.cheap_score import ScoreTable
from nas_ray.spaces.nats_tss import NatsTss


def know(
    tables: list[Table],
    benchmark: str,
    scores_file: Sequence[Path],
    score_seconds: float,
    *,
    live: bool = False,
) -> Known:
    """Returns what `tables` need to know, without stored scores where searches are live.

    Raises:
        UsageError: the benchmark or the table of scores lacks something that is needed.
    """
    space = NatsTss()
    scores = score_sets([] if live else tables, scores_file, space)
    opened = {dataset: open_benchmark(benchmark, dataset) for dataset in DATASETS}
    accuracy: dict[tuple[str, str], np.ndarray] = {}
    seconds: dict[tuple[str, str], np.ndarray] = {}
    for dataset, source in opened.items():
        accuracy[dataset, TEST] = final_accuracy(source, benchmark)
        for name in {name for table in tables for name in table.trained}:
            assert source is not None  # or it would have no final accuracy
            found = trained(source, benchmark, space, name)
            accuracy[dataset, name] = np.array([evaluation.valid_acc for evaluation in found])
            seconds[dataset, name] = np.array([evaluation.seconds for evaluation in found])
    first = next(source for source in opened.values() if source is not None)
    return Known(scores, accuracy, seconds, first.acc_column, first.acc_source, score_seconds)


def trained(source: Benchmark, spec: str, space: NatsTss, name: str) -> list[Evaluation]:
    """Returns what the benchmark says of a schedule, a key of `TRAINED`, for every arch.

    Raises:
        UsageError: it holds no such schedule.
    """
    try:
        return [source.query(arch, TRAINED[name]) for arch in space]
    except UsageError as error:
        raise UsageError(
            f"Searches by {name} need a benchmark with {TRAINED[name]}-epoch accuracy, which --benchmark "
            f"{spec} does not hold ({error}) Give --benchmark TABLE, as nas-ray export-nats writes it, or "
            "search by stored scores."
        ) from error


def longest_held(benchmark: str) -> tuple[str, str]:
    """Returns what searches on `benchmark` select by where nothing is said, a key of `TRAINED`, and why.

    That is the 12-epoch accuracy, for which no reason is given, or where there is none the one of 200 epochs.

    Raises:
        UsageError: no such benchmark.
    """
    source = open_benchmark(benchmark, next(iter(DATASETS)))
    if source is None:
        return SHORT, ""
    try:
        source.query(source.archs[0], TRAINED[SHORT])
    except UsageError:
        return LONG, (
            f"The benchmark {source.name} holds no accuracy after {TRAINED[SHORT]} epochs, so searches "
            f"maximise {LONG}, the validation accuracy after {TRAINED[LONG]}; give --benchmark TABLE with "
            f"{SHORT} to search by that."
        )
    return SHORT, ""


def score_sets(tables: list[Table], paths: Sequence[Path], space: NatsTss) -> list[dict[str, np.ndarray]]:
    """Returns for each file `[archs]` for each score that `tables` need, and `skip`, which the arch says.

    Raises:
        UsageError: no file, a missing column, or a missing arch.
    """
    wanted = {name: f"The table {table.name}" for table in tables for name in table.scores}
    if wanted and not paths:
        raise UsageError(
            f"{next(iter(wanted.values()))} needs stored scores ({', '.join(wanted)}), got no --scores-file; "
            "give the one that nas-ray score-space writes."
        )
    wanted.pop("skip", None)
    skip = {"skip": np.array([mean_span(arch) for arch in space])}
    if not wanted:
        return [skip]
    return [
        {**{name: np.array(ScoreTable(path, name)(space.archs)) for name in wanted}, **skip} for path in paths
    ]


def final_accuracy(benchmark: Benchmark | None, spec: str) -> np.ndarray:
    """Returns `[archs]` percent in the published order.

    Raises:
        UsageError: no benchmark, or one that cannot list its accuracies.
    """
    values = None if benchmark is None else benchmark.all_test_acc()
    if values is None:
        raise UsageError(
            f"A table needs the accuracy of every arch, which --benchmark {spec} does not list; export it "
            "with nas-ray export-nats and give the file."
        )
    return values
