"""How a benchmark is opened, by name or by path."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from nas_ray.benchmarks.base import Benchmark
from nas_ray.benchmarks.names import unknown_benchmark
from nas_ray.benchmarks.nats import NatsBenchmark
from nas_ray.benchmarks.nats_directory import (
    FOLDERS,
    default_directory,
    find_archives,
    official_directories,
)
from nas_ray.benchmarks.nb201 import NB201Benchmark
from nas_ray.benchmarks.table import TableBenchmark
from nas_ray.errors import UsageError
from nas_ray.errors.checks import PATH, TEXT, check_all
from nas_ray.images.datasets import OWN, get_dataset
from nas_ray.spaces.base import FiniteSpace
from nas_ray.spaces.nats_sss import NatsSss
from nas_ray.spaces.nats_tss import NatsTss, to_ops


def explain_auto() -> tuple[str, str]:
    """Returns what `auto` stands for here, `nats` or `nb201`, and one phrase that says why.

    The official directory counts when it is complete; a partly unpacked or damaged one is passed over.
    """
    directory = default_directory()
    if not os.path.exists(directory):
        return "nb201", f"there is no official directory {directory}"
    try:
        find_archives(directory)
    except UsageError as error:
        return "nb201", f"the official directory {directory} cannot be used: {error}"
    return "nats", f"the official directory {directory} is complete"


def _open_auto(dataset: str) -> Benchmark:
    return _open_nats(dataset) if explain_auto()[0] == "nats" else NB201Benchmark(dataset)


def _open_for_sizes(spec: str, dataset: str) -> Benchmark | None:
    """Returns the benchmark `spec` of the size space, which no package of tables holds."""
    directory = default_directory(FOLDERS[NatsSss])
    if spec == "nb201":
        raise UsageError(
            "The benchmark nb201 holds nats-tss alone; for nats-sss give --benchmark none, or an official "
            f"directory {directory.name}, or a table of it."
        )
    if spec == "none" or (spec == "auto" and not directory.exists()):
        return None
    return NatsBenchmark(directory, dataset)


def _open_nats(dataset: str) -> Benchmark:
    return NatsBenchmark(default_directory(), dataset)


def _open_none(dataset: str) -> None:
    return None


BENCHMARKS: dict[str, Callable[[str], Benchmark | None]] = {
    "auto": _open_auto,
    "nats": _open_nats,
    "nb201": NB201Benchmark,
    "none": _open_none,
}
"""Openers by name, each called with a dataset; a path stands for an official directory or a table file."""


def open_benchmark(spec: str, dataset: str, space: FiniteSpace | None = None) -> Benchmark | None:
    """Returns the benchmark that `spec` names, or None for `none`.

    Args:
        spec: `auto` (the official directory if a complete one is installed, else `nb201`), `nb201`, `nats`
            (the official directory under `TORCH_HOME`, else `~/.torch`), `none`, the path of an official
            directory, or the path of a table file.
        space: the space that is searched; None for NATS-TSS. For NATS-SSS `auto` is its official directory,
            if installed, else None, and None it is for archs that are not those of NATS-TSS.
        dataset: published name of the dataset; no benchmark knows images of one's own, `own`.

    Raises:
        UsageError: unknown name or dataset, or files that cannot be used.
    """
    check_all({"spec": PATH, "dataset": TEXT}, {"spec": spec, "dataset": dataset})
    spec = os.fspath(spec)
    if dataset == OWN:
        if spec in ("auto", "none"):
            return None
        raise UsageError(
            f"No benchmark knows the accuracy on your own images; leave --benchmark {spec} out, or name the "
            "dataset that these images are of with --dataset."
        )
    get_dataset(dataset)
    if spec == "auto" and not _published(space):
        return None
    if spec in BENCHMARKS:
        sized = isinstance(space, NatsSss)
        return _open_for_sizes(spec, dataset) if sized else BENCHMARKS[spec](dataset)
    path = os.path.expanduser(spec)
    if os.path.isdir(path) or official_directories(Path(path)):
        return _fitting(NatsBenchmark(path, dataset), space)
    if os.path.exists(path):
        return TableBenchmark(path, dataset, space=space if isinstance(space, NatsSss) else None)
    raise unknown_benchmark(spec)


def _published(space: FiniteSpace | None) -> bool:
    """Returns whether a space is one of NATS-Bench or has its archs, whatever else stands behind an `@`."""
    if space is None or isinstance(space, (NatsSss, NatsTss)):
        return True
    try:
        to_ops(next(iter(space)).partition("@")[0])
    except (StopIteration, UsageError):
        return False
    return True


def _fitting(benchmark: NatsBenchmark, space: FiniteSpace | None) -> NatsBenchmark:
    wanted = NatsSss.name if isinstance(space, NatsSss) else NatsTss.name
    if benchmark.space.name != wanted:
        raise UsageError(
            f"The directory {benchmark.directory} holds {benchmark.space.name}, but {wanted} is searched; "
            f"give --space {benchmark.space.name}, or another --benchmark."
        )
    return benchmark
