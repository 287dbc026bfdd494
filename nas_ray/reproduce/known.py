"""What is known of every arch before anything is searched: accuracy, stored scores, seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from nas_ray.benchmarks import Benchmark, Evaluation, open_benchmark
from nas_ray.errors import UsageError
from nas_ray.images.datasets import DATASETS
from nas_ray.reproduce.tables import SHORT, TEST, Table
from nas_ray.rows import Row
from nas_ray.searchers.cheap_score import ScoreTable
from nas_ray.spaces.nats_tss import NatsTss, skip_spans, to_ops


@dataclass(frozen=True)
class Known:
    """Columns over all archs of NATS-TSS in the published order.

    Attributes:
        scores: sets of stored scores, each of its own initialisation: `[archs]` for each score, and `skip`.
            A run takes the set of its seed, counted round.
        accuracy: `[archs]` percent for each `(dataset, TEST or SHORT)`.
        seconds: `[archs]` seconds of 12 epochs for each dataset.
        test_column: what the benchmark calls its final accuracy, `test_acc` or `valid_acc`.
        source: one phrase that says where the final accuracy on the first dataset comes from.
        score_seconds: charged for the scores of one arch.
    """

    scores: Sequence[Mapping[str, np.ndarray]]
    accuracy: Mapping[tuple[str, str], np.ndarray]
    seconds: Mapping[str, np.ndarray]
    test_column: str = TEST
    source: str = ""
    score_seconds: float = 0.0

    @cached_property
    def space(self) -> NatsTss:
        """The space whose archs these are."""
        return NatsTss()

    @cached_property
    def place(self) -> dict[str, int]:
        """The published index of every arch; looked up, not parsed."""
        return {arch: index for index, arch in enumerate(self.space)}

    def of(self, dataset: str, measure: str, archs: Sequence[str | None]) -> np.ndarray:
        """Returns `[archs]` percent, NaN where there is no arch."""
        column = self.accuracy[dataset, measure]
        return np.array([column[self.place[a]] if isinstance(a, str) else np.nan for a in archs])

    def evaluator(self, by: str, dataset: str, seed: int) -> Callable[[str, Callable[[Row], None]], None]:
        """Returns an evaluator that looks up what the search with `seed` selects by, and what it costs."""
        if by == SHORT:
            columns = {"valid_acc": self.accuracy[dataset, SHORT], "seconds": self.seconds[dataset]}
        else:
            scores = self.scores[seed % len(self.scores)]
            columns = {**scores, "seconds": np.full(len(self.space), self.score_seconds)}

        place = self.place

        def evaluate(arch: str, report: Callable[[Row], None]) -> None:
            index = place[arch]
            report({**{name: float(column[index]) for name, column in columns.items()}, "error": None})

        return evaluate


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
    seconds: dict[str, np.ndarray] = {}
    for dataset, source in opened.items():
        accuracy[dataset, TEST] = final_accuracy(source, benchmark)
        if source is not None and any(table.short_training for table in tables):
            short = short_training(source, benchmark, space)
            accuracy[dataset, SHORT] = np.array([evaluation.valid_acc for evaluation in short])
            seconds[dataset] = np.array([evaluation.seconds for evaluation in short])
    first = next(source for source in opened.values() if source is not None)
    return Known(scores, accuracy, seconds, first.acc_column, first.acc_source, score_seconds)


def short_training(source: Benchmark, spec: str, space: NatsTss) -> list[Evaluation]:
    """Returns what the benchmark says of 12 epochs, for every arch.

    Raises:
        UsageError: it holds no such schedule.
    """
    try:
        return [source.query(arch, 12) for arch in space]
    except UsageError as error:
        raise UsageError(
            f"Searches by {SHORT} need a benchmark with 12-epoch accuracy, which --benchmark {spec} does not "
            f"hold ({error}) Give --benchmark TABLE, as nas-ray export-nats writes it, or search by "
            "stored scores."
        ) from error


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


def mean_span(arch: str) -> float:
    """Returns how many nodes the skip connections of `arch` reach ahead on average, 0 without any."""
    spans = skip_spans(to_ops(arch))
    return sum(spans) / len(spans) if spans else 0.0


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
