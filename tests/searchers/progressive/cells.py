"""Progressive search on small cells, driven by hand."""

from __future__ import annotations

from typing import Any

from nas_ray.searchers import ProgressiveSearch, Single
from nas_ray.searchers.fitness import Fitness
from tests.searchers.toy import Cells


class OwnCells(Cells):
    """The same as part of the package, since what is kept around foreign code takes longer than a fit."""

    __module__ = "nas_ray"


CELLS = OwnCells()
QUICK: dict[str, Any] = {"epochs": 2, "ensemble": 2}


def worth_of(arch: str) -> float:
    """An additive score: b is better than a, and the latest input the best."""
    return sum({"b": 1.0, "a": 0.3}.get(text, 0.0) + 0.1 * (text in "34") for text in arch)


def searcher(space: Any = CELLS, fitness: Fitness | None = None, seed: int = 0, **options: Any) -> Any:
    made = ProgressiveSearch(
        space, fitness=fitness or Single(("x",)), seed=seed, **{"beam": 6, **QUICK, **options}
    )
    made.attach()
    return made


def ask(search: Any, name: str = "t") -> Any:
    config = search.suggest(name)
    return config["arch"] if isinstance(config, dict) else config


def tell(search: Any, arch: str, name: str = "t", **row: Any) -> None:
    search.on_trial_complete(name, row or {"x": worth_of(arch)})


def run(search: Any, count: int) -> list[str]:
    asked = []
    for _ in range(count):
        asked.append(ask(search))
        tell(search, asked[-1])
    return asked


def run_lengths(search: Any, count: int) -> list[str]:
    asked = []
    for _ in range(count):
        asked.append(ask(search))
        tell(search, asked[-1], x=float(len(asked[-1])))
    return asked
