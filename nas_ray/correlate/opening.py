"""Which archs are compared, and what is known of their accuracy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from nas_ray.benchmarks import Benchmark, open_benchmark
from nas_ray.benchmarks.trained_archs import trained_archs
from nas_ray.errors import UsageError
from nas_ray.proxies import of_space
from nas_ray.spaces import FiniteSpace, NatsSss, NatsTss
from nas_ray.spaces.named import make_space
from nas_ray.spaces.options import named_options
from nas_ray.spaces.settings import named_space


def suited(names: Iterable[str], space: str) -> list[str]:
    """Returns the names of proxies without those for the nets of other spaces than `space` names."""
    return of_space(names, named_options(named_space(space)[0])[0])


def open_all(benchmark: str, datasets: Sequence[str], name: str) -> tuple[FiniteSpace, dict[str, Benchmark]]:
    """Returns the space of the archs that are compared, and the benchmark of each dataset.

    Raises:
        UsageError: no accuracy is known, or for different archs.
    """
    space = make_space(name)
    if isinstance(space, (NatsTss, NatsSss)):
        sized = space if isinstance(space, NatsSss) else None
        found = {dataset: open_benchmark(benchmark, dataset, sized) for dataset in datasets}
        opened = {dataset: one for dataset, one in found.items() if one is not None}
        if len(opened) < len(found):
            raise UsageError(
                "Correlations need a benchmark; --benchmark none has no accuracy to compare with."
            )
        return space, opened
    path = Path(benchmark).expanduser()
    if not path.is_file():
        raise UsageError(
            f"No benchmark knows the archs of {name}; give a table of trained ones with --benchmark, with "
            f"the columns arch and {datasets[0]}_test_acc_EPOCHS, got {benchmark}."
        )
    tables = {dataset: trained_archs(path, dataset, space) for dataset in datasets}
    return tables[datasets[0]][0], {dataset: table for dataset, (_, table) in tables.items()}
