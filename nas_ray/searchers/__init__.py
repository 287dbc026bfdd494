"""Search strategies on the ask/tell base; none of this imports Ray or torch."""

from __future__ import annotations

from nas_ray.rows import Row
from nas_ray.searchers.area import Area, Warmup
from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.cheap_score import CheapScore, ScoreTable
from nas_ray.searchers.combined import (
    LogRankSum,
    Mixed,
    MixedRanks,
    MixedRaw,
    NormalisedSum,
    RankSum,
)
from nas_ray.searchers.controllers.ppo import Ppo
from nas_ray.searchers.controllers.reinforce import Reinforce
from nas_ray.searchers.evolution import RegularizedEvolution
from nas_ray.searchers.fitness import Fitness, Single, parse_fitness
from nas_ray.searchers.freerea import FreeRea
from nas_ray.searchers.lcmnas import Lcmnas
from nas_ray.searchers.local_search import LocalSearch
from nas_ray.searchers.move import Move
from nas_ray.searchers.naswot_search import NaswotSearch
from nas_ray.searchers.nsga2 import Nsga2
from nas_ray.searchers.optuna_search import OptunaSearch
from nas_ray.searchers.pareto import Negated, pareto_front
from nas_ray.searchers.pareto_local_search import ParetoLocalSearch
from nas_ray.searchers.predictor import PredictorSearch
from nas_ray.searchers.progressive import ProgressiveSearch
from nas_ray.searchers.random_search import RandomSearch
from nas_ray.searchers.random_weights import RandomWeights
from nas_ray.searchers.recipes.two_point import WrsTwoPoint
from nas_ray.searchers.recipes.wrs import Wrs
from nas_ray.searchers.skip_filter import SkipCount, SkipRea
from nas_ray.spaces.filtered import FilteredSpace

SEARCHERS: dict[str, type[ArchSearcher]] = {
    "random_search": RandomSearch,
    "rea": RegularizedEvolution,
    "skip_rea": SkipRea,
    "freerea": FreeRea,
    "local_search": LocalSearch,
    "naswot_search": NaswotSearch,
    "area": Area,
    "warmup": Warmup,
    "move": Move,
    "nsga2": Nsga2,
    "pareto_local_search": ParetoLocalSearch,
    "random_weights": RandomWeights,
    "predictor": PredictorSearch,
    "pnas": ProgressiveSearch,
    "lcmnas": Lcmnas,
    "optuna": OptunaSearch,
    "reinforce": Reinforce,
    "ppo": Ppo,
    "wrs": Wrs,
    "wrs_two_point": WrsTwoPoint,
}

__all__ = [
    "SEARCHERS",
    "ArchSearcher",
    "Area",
    "CheapScore",
    "FilteredSpace",
    "Fitness",
    "FreeRea",
    "Lcmnas",
    "LocalSearch",
    "LogRankSum",
    "Mixed",
    "MixedRanks",
    "MixedRaw",
    "Move",
    "NaswotSearch",
    "Negated",
    "NormalisedSum",
    "Nsga2",
    "OptunaSearch",
    "ParetoLocalSearch",
    "Ppo",
    "PredictorSearch",
    "ProgressiveSearch",
    "RandomSearch",
    "RandomWeights",
    "RankSum",
    "RegularizedEvolution",
    "Reinforce",
    "Row",
    "ScoreTable",
    "Single",
    "SkipCount",
    "SkipRea",
    "Warmup",
    "Wrs",
    "WrsTwoPoint",
    "pareto_front",
    "parse_fitness",
]
