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
from nas_ray.spaces.base import FiniteSpace, lacking
from nas_ray.spaces.named import open_space
from nas_ray.spaces.nats_tss import NatsTss


def know(
    tables: list[Table],
    benchmark: str,
    scores_file: Sequence[Path],
    score_seconds: float,
    *,
    live: bool = False,
    space: FiniteSpace | None = None,
    datasets: Sequence[str] = tuple(DATASETS),
) -> Known:
    """Returns what `tables` need to know.

    Args:
        tables: what will be run.
        benchmark: where accuracy comes from.
        scores_file: stored scores.
        score_seconds: charged for them.
        live: whether searches are, so that no stored scores are needed.
        space: whose archs these are; NATS-TSS if None.
        datasets: those that are searched or reported.

    Raises:
        UsageError: the benchmark or the table of scores lacks something that is needed.
    """
    space = NatsTss() if space is None else space
    scores = score_sets([] if live else tables, scores_file, space)
    opened = {dataset: open_benchmark(benchmark, dataset, space) for dataset in datasets}
    accuracy: dict[tuple[str, str], np.ndarray] = {}
    seconds: dict[tuple[str, str], np.ndarray] = {}
    for dataset, source in opened.items():
        accuracy[dataset, TEST] = final_accuracy(source, benchmark, space)
        for name in {name for table in tables for name in table.trained}:
            assert source is not None  # or it would have no final accuracy
            found = trained(source, benchmark, space, name)
            accuracy[dataset, name] = np.array([evaluation.valid_acc for evaluation in found])
            seconds[dataset, name] = np.array([evaluation.seconds for evaluation in found])
    first = next(source for source in opened.values() if source is not None)
    return Known(scores, accuracy, seconds, first.acc_column, first.acc_source, score_seconds, space)


def trained(source: Benchmark, spec: str, space: FiniteSpace, name: str) -> list[Evaluation]:
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


def listed_space(name: str) -> FiniteSpace:
    """Returns the space of `--space`, for what needs a benchmark of all of its archs.

    Raises:
        UsageError: unknown, or one that cannot be listed.
    """
    space = open_space(name)
    if lacking(space, FiniteSpace) or not isinstance(space, FiniteSpace):
        raise UsageError(
            "--space must be one whose archs can be listed, as a benchmark has to hold all of them, got "
            f"{name}."
        )
    return space


def longest_held(benchmark: str, space: FiniteSpace | None = None) -> tuple[str, str]:
    """Returns what searches on `benchmark` select by where nothing is said, a key of `TRAINED`, and why.

    That is the 12-epoch accuracy, for which no reason is given, or where there is none the one of 200 epochs.

    Raises:
        UsageError: no such benchmark.
    """
    source = open_benchmark(benchmark, next(iter(DATASETS)), space)
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


def score_sets(tables: list[Table], paths: Sequence[Path], space: FiniteSpace) -> list[dict[str, np.ndarray]]:
    """Returns for each file `[archs]` for each score that `tables` need, and `skip`.

    Archs of NATS-TSS say the latter; other spaces have none.

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
    archs = list(space)
    skip = {"skip": np.array(list(map(mean_span, archs)))} if isinstance(space, NatsTss) else {}
    if not wanted:
        return [skip]
    return [{**{name: np.array(ScoreTable(path, name)(archs)) for name in wanted}, **skip} for path in paths]


def final_accuracy(benchmark: Benchmark | None, spec: str, space: FiniteSpace) -> np.ndarray:
    """Returns `[archs]` percent in the published order of `space`.

    Raises:
        UsageError: no benchmark, or one that cannot list its accuracies, or that is of another space.
    """
    values = None if benchmark is None else benchmark.all_test_acc()
    if values is None:
        raise UsageError(
            f"A table needs the accuracy of every arch, which --benchmark {spec} does not list; export it "
            "with nas-ray export-nats and give the file."
        )
    assert benchmark is not None
    if list(benchmark.archs) != list(space):
        raise UsageError(
            f"The benchmark {benchmark.name} must hold all archs of the space, and those of "
            f"{type(space).__name__} are others; give the --benchmark of this --space."
        )
    return values
