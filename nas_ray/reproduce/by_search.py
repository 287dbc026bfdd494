"""Fitnesses judged by what searches with them find among some archs of NATS-TSS, on stored scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nas_ray.drivers.simulation import simulate
from nas_ray.reproduce.choices import choices
from nas_ray.reproduce.statistics import ranks
from nas_ray.rows import Row
from nas_ray.searchers.evolution import RegularizedEvolution
from nas_ray.searchers.fitness import Combined, Single, parse_fitness
from nas_ray.spaces.canonical import canonical_form
from nas_ray.spaces.filtered import FilteredSpace
from nas_ray.spaces.nats_tss import NatsTss

SPLIT_SEED = 15
"""Draws the half on which the default of the searches is chosen."""

BUDGETS = (150, 300)
"""Evaluations after which a search is asked for its answer."""

TOP = 0.01
"""The share of the archs that counts as the top."""


def halves(archs: Sequence[str], seed: int = SPLIT_SEED) -> tuple[list[str], list[str]]:
    """Returns two parts of `archs`; no arch of one computes the function of an arch of the other.

    Args:
        archs: of nats-tss; each part keeps their order.
        seed: draws half of the functions (`canonical_form`) for the first part.
    """
    forms = [canonical_form(arch) for arch in archs]
    different = sorted(set(forms))
    drawn = np.random.default_rng(seed).permutation(len(different))
    first = {different[place] for place in drawn[: len(different) // 2]}
    parts: tuple[list[str], list[str]] = ([], [])
    for arch, form in zip(archs, forms, strict=True):
        parts[form not in first].append(arch)
    return parts


def fitnesses(names: Sequence[str]) -> list[str]:
    """Returns what is tried: each score, and each sum of two and three in each kind; simple ones first."""
    return [str(choice) for choice in choices(names) if choice.prior == "none"]


class Stored:
    """`parse_fitness(text)` on rows that say only where their scores stand, which is far faster.

    Args:
        text: of the fitness.
        scores: `[archs]` by name.
    """

    def __init__(self, text: str, scores: Mapping[str, np.ndarray]) -> None:
        fitness = parse_fitness(text, list(scores))
        assert isinstance(fitness, (Single, Combined))
        self.relative = fitness.relative
        self._combined = fitness if isinstance(fitness, Combined) else None
        columns = np.array([scores[name] for name in fitness.names], dtype=float)
        self._columns = np.where(np.isfinite(columns), columns, -np.inf)

    def __call__(self, rows: Sequence[Row]) -> np.ndarray:
        """Returns the fitness of `rows`, relative to them."""
        columns = self._columns[:, [row["place"] for row in rows]]
        if self._combined is None:
            return np.asarray(columns[0])
        defined = np.asarray(np.isfinite(columns).all(axis=0))
        fitness = np.full(len(rows), -np.inf)
        if defined.any():
            fitness[defined] = self._combined.combine(columns, defined)
        return fitness


@dataclass(frozen=True)
class Ground:
    """The archs that are searched among.

    Attributes:
        archs: of nats-tss.
        scores: `[archs]` by name, one mapping per initialisation; a search takes that of its seed, counted
            round.
    """

    archs: Sequence[str]
    scores: Sequence[Mapping[str, np.ndarray]]

    @cached_property
    def place(self) -> dict[str, int]:
        """Where each arch stands."""
        return {arch: place for place, arch in enumerate(self.archs)}

    @cached_property
    def space(self) -> NatsTss | FilteredSpace:
        """The space that searches move in: neighbours outside are none."""
        whole = NatsTss()
        return whole if len(self.archs) == len(whole) else FilteredSpace(whole, self.place.__contains__)

    def found(self, text: str, seed: int, budgets: Sequence[int] = BUDGETS) -> list[int]:
        """Returns the places of the archs that one search answers after each of `budgets`.

        The search is `rea` at its defaults with one evaluation in flight.
        """
        fitness, place = Stored(text, self.scores[seed % len(self.scores)]), self.place
        searcher = RegularizedEvolution(self.space, fitness=fitness, seed=seed)

        def evaluate(arch: str, report: Callable[[Row], None]) -> None:
            report({"place": place[arch], "seconds": 0.0, "error": None})

        rows = simulate(searcher, evaluate, num_samples=max(budgets))
        visited = [place[arch] for arch in rows["arch"]]
        answers = []
        for count in budgets:
            known = list(dict.fromkeys(visited[:count]))
            values = fitness([{"place": one} for one in known])
            answers.append(known[int(np.argmax(values))])
        return answers

    def searched(self, text: str, seeds: int) -> np.ndarray:
        """Returns the places `[seeds, budgets]` of the answers of searches with the seeds 0, 1 and so on."""
        return np.array([self.found(text, seed) for seed in range(seeds)])


def judged(found: np.ndarray, accuracy: np.ndarray) -> list[dict[str, float]]:
    """Returns for each budget what answers are worth.

    `accuracy`, `deviation` (percent, over seeds), `rank` (median, 1 = best of all archs), `top` (share of
    seeds whose answer is among the best hundredth).

    Args:
        found: places `[seeds, budgets]`.
        accuracy: `[archs]` percent.
    """
    rank = ranks(accuracy)
    return [
        {
            "accuracy": float(accuracy[places].mean()),
            "deviation": float(accuracy[places].std()),
            "rank": float(np.median(rank[places])),
            "top": float((rank[places] <= TOP * len(accuracy)).mean()),
        }
        for places in found.T
    ]
