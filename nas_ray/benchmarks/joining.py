"""A benchmark's accuracy beside the rows of any table with archs, such as that of a Tuner of Ray."""

from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd

from nas_ray.benchmarks.base import BENCHMARK_PREFIX, Benchmark, rank_among
from nas_ray.benchmarks.opening import open_benchmark
from nas_ray.errors import UsageError, printable
from nas_ray.rows import arch_first, final_archs
from nas_ray.spaces.nats_sss import NatsSss
from nas_ray.spaces.nats_tss import NatsTss
from nas_ray.spaces.settings import arch_of

CONFIG_ARCH = "config/arch"
"""What Ray Tune calls the arch of a config in its tables."""
RANK = f"{BENCHMARK_PREFIX}rank"
ADDED = (f"{BENCHMARK_PREFIX}valid_acc", f"{BENCHMARK_PREFIX}test_acc", RANK, "acc_source")


def add_accuracy(
    table: pd.DataFrame,
    benchmark: Benchmark | str,
    *,
    dataset: str | None = None,
    column: str | None = None,
    epochs: int | None = None,
) -> pd.DataFrame:
    """Returns a table with what a benchmark knows of its archs, for reports; searchers must not see it.

    New columns: `benchmark_valid_acc` and, where the benchmark has test images, `benchmark_test_acc`, in
    percent; `benchmark_rank` among all archs of the benchmark by the test accuracy, else by the other, 1 for
    the best; and `acc_source`, which says what that accuracy is. An arch that the benchmark does not hold, or
    a trial that left none, has none of them. Rows, their order and their index stay;
    archs and accuracy are the first columns.

    Args:
        table: `results.get_dataframe()` of a Tuner, or rows of a search.
        benchmark: an open one, or what `open_benchmark` takes, such as `nb201` or the path of a table.
        dataset: of the benchmark, where it is not open yet; None is cifar10.
        column: that has the archs; None for `arch` (of a one-shot search: `found`), else `config/arch`.
        epochs: schedule of the validation accuracy; None for the longest of the benchmark.

    Raises:
        UsageError: no such column, a benchmark that is none, that cannot be used, or that holds none of the
            archs.
    """
    if not isinstance(table, pd.DataFrame):
        raise UsageError(
            f"Accuracy is added to a pandas.DataFrame, got {type(table).__name__}; give "
            "results.get_dataframe() of a Tuner, or the rows of a search."
        )
    opened = _opened(benchmark, dataset)
    archs = _archs_of(table, column).map(arch_of, na_action="ignore")
    wanted = list(archs.dropna().unique())
    final = {arch: _known(opened.test_acc, arch) for arch in wanted}
    if not any(map(math.isfinite, final.values())):
        shown = f", such as {printable(wanted)[0]}" if wanted else ""
        raise UsageError(
            f"The benchmark must hold archs of the table, and {opened.acc_source} has none of its "
            f"{len(wanted)}{shown}; give the benchmark of their space."
        )
    made = table.drop(columns=[name for name in ADDED if name in table])  # of another benchmark
    only_valid = opened.acc_column == "valid_acc"
    valid = final if only_valid and epochs is None else _validation(opened, final, epochs)
    if valid:
        made[f"{BENCHMARK_PREFIX}valid_acc"] = archs.map(valid).astype(float)
    if not only_valid:
        made[f"{BENCHMARK_PREFIX}{opened.acc_column}"] = archs.map(final).astype(float)
    everything = opened.all_test_acc()
    ranks = {arch: rank_among(everything, value) for arch, value in final.items()}
    made[RANK] = archs.map(ranks).astype("Int64")
    made["acc_source"] = archs.map(
        lambda arch: opened.acc_source if math.isfinite(final[arch]) else None, "ignore"
    )
    return arch_first(made)


def _opened(benchmark: Benchmark | str, dataset: str | None) -> Benchmark:
    if not isinstance(benchmark, str) and dataset not in (None, getattr(benchmark, "dataset", dataset)):
        raise UsageError(f"The benchmark is open for another dataset than {dataset!r}; leave dataset out.")
    opened = open_benchmark(benchmark, dataset or "cifar10") if isinstance(benchmark, str) else benchmark
    if not isinstance(opened, Benchmark):
        raise UsageError(
            "A benchmark is needed that is open, or the name or path of one, such as 'nb201', got "
            f"{printable([benchmark])[0]}."
        )
    return opened


def _archs_of(table: pd.DataFrame, column: str | None) -> pd.Series[str]:
    """Returns the archs of a table, undefined where a trial of Tune left none."""
    names = [column] if column is not None else ["arch", CONFIG_ARCH]
    held = [name for name in names if name in table]
    if not held:
        raise UsageError(
            f"The table must have archs in a column {' or '.join(names)}, and has "
            f"{', '.join(printable(table.columns)) or 'none'}; name theirs as column=."
        )
    archs = final_archs(table) if held[0] == "arch" else table[held[0]]
    for name in held[1:]:  # a trial that failed before it reported has a config alone
        archs = archs.where(archs.notna(), table[name])
    return archs.map(str, na_action="ignore")


def _validation(benchmark: Benchmark, final: dict[str, float], epochs: int | None) -> dict[str, float]:
    """Returns the validation accuracy of the archs that are held; nothing where the source has none."""
    held = [arch for arch, value in final.items() if math.isfinite(value)]
    last = (NatsTss.schedules[-1], NatsSss.schedules[-1])
    for schedule in last if epochs is None else (epochs,):
        try:
            return {arch: benchmark.query(arch, schedule).valid_acc for arch in held}
        except UsageError:
            if epochs is not None:
                raise
    return {}


def _known(look_up: Callable[[str], float], arch: str) -> float:
    try:
        return float(look_up(arch))
    except UsageError:
        return math.nan
