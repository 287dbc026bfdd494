"""Search strategies: Ray Tune `Searcher`s on the ask/tell base."""

from __future__ import annotations

from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.evolution import RegularizedEvolution
from nas_ray.searchers.fitness import Fitness, LogRankSum, NormalisedSum, RankSum, Row, Single, parse_fitness
from nas_ray.searchers.random_search import RandomSearch
from nas_ray.searchers.skip_filter import FilteredSpace, SkipCount, SkipRea

SEARCHERS: dict[str, type[ArchSearcher]] = {
    "random_search": RandomSearch,
    "rea": RegularizedEvolution,
    "skip_rea": SkipRea,
}

__all__ = [
    "SEARCHERS",
    "ArchSearcher",
    "FilteredSpace",
    "Fitness",
    "LogRankSum",
    "NormalisedSum",
    "RandomSearch",
    "RankSum",
    "RegularizedEvolution",
    "Row",
    "Single",
    "SkipCount",
    "SkipRea",
    "parse_fitness",
]
