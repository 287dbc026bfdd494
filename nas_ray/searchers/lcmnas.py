"""LCMNAS: generations of archs, each layer of which is drawn from another parent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nas_ray.errors import UsageError, unknown_name
from nas_ray.rows import GIVEN, Row
from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.fitness import UNSAID, Fitness
from nas_ray.searchers.sampling import Repeats
from nas_ray.spaces.needs import ranked_space
from nas_ray.terminal.ranges import Range

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace

LARGEST: Final = 1_000_000
"""Largest population."""
RELEASED, DESCRIBED = "released", "described"
NONE, RANDOM_LAYER, RANDOM_MODEL = "none", "random-layer", "random-model"
ABLATIONS: Final = (NONE, RANDOM_LAYER, RANDOM_MODEL)
"""What is left to chance: nothing, what follows a layer, or from which parent that is taken."""
TRIES: Final = 20
"""Draws of a sample that is known, as described."""
ELITE = Range(0.0, 1.0, below=True)


class Lcmnas(ArchSearcher):
    """Evolution without mutation: each generation keeps its elite and samples all others anew.

    A space says how (`RankedSpace`): each layer of a child is drawn from another parent, the better its
    rank the likelier, and what a child is drawn from are the graphs of its parents' own nets; in a space of
    decisions they are decisions. The elite, `int(elite * population)` archs, is not evaluated again.

    The first generation is drawn by the space, in `macro` from the graphs of well-known nets. Given rows
    (`add`, `--start-from`) are seeds instead: it is drawn from these, and the best of them are its elite.

    A generation ends when all its samples are asked for. Those of the next have as parents the elite and what
    has arrived by then; a row that comes later joins the parents of the generation after that. So nothing
    waits, and with one evaluation in flight this is the published algorithm. A failed arch is no parent. A
    known arch is told its row at once and counts as a sample; the search ends after a thousand of them in a
    row.

    Source: Lopes and Alexandre, "Towards Less Constrained Macro-Neural Architecture Search", 2022, and its
    released code, with its defaults.
    Differs: seeds that no row was given of are ranked by the space, and none of them is in the elite; how
    cells are graphs is ours to say (`spaces/by_rank.py`). With `as=described` what the paper does not
    say is chosen: seeds that were given can stay in the elite, without them the first generation is a whole
    population, an arch is in a population once, a sample that is known is drawn again (at most 20 times), and
    in a space of decisions the worst parent has a chance.

    Args:
        space: see `ArchSearcher`; a `RankedSpace`, such as `macro`, or one of decisions or sequences.
        fitness: see `ArchSearcher`; a relative one is relative to everything evaluated at the end of a
            generation.
        seed: see `ArchSearcher`.
        population: archs of a generation, its elite included.
        elite: share that is kept.
        variant: `released` or `described`, `as=` on the command line; how a space draws is its own to say, as
            in `macro:as=described`.
        ablation: `random-layer`: what follows a layer is drawn uniformly from all that follows it in the
            parent; `random-model`: parents are ranked at random for each child; or `none`.

    Raises:
        UsageError: an option is out of range, or the space has no such parts.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        fitness: Fitness = UNSAID,
        seed: int = 0,
        population: int = 100,
        elite: float = 0.15,
        variant: str = RELEASED,
        ablation: str = NONE,
    ) -> None:
        if not 1 <= population <= LARGEST:
            raise UsageError(f"population must be from 1 to {LARGEST}, got {population}.")
        ELITE.check("The option elite of the searcher", elite)
        if variant not in (RELEASED, DESCRIBED):
            raise UsageError(unknown_name("variant of lcmnas", variant, [RELEASED, DESCRIBED]))
        if ablation not in ABLATIONS:
            raise UsageError(unknown_name("ablation", ablation, list(ABLATIONS)))
        super().__init__(space, fitness=fitness, seed=seed)
        self.population = population
        self.num_elite = int(elite * population)
        self.released = variant == RELEASED
        self.ablation = ablation
        self._from = ranked_space(space, type(self).__name__, least=0 if self.released else 1)
        self._seeds: list[int] = []  # places in history, as all of these
        self._parents: list[int] = []  # from the worst to the best
        self._elite: list[int] = []
        self._arrived: list[int] = []  # since the parents were taken
        self._known: set[str] = set()
        self._generation = 0
        self._left = 0  # samples of this generation to ask for
        self._repeats = Repeats()

    def ask(self) -> str | None:
        """Returns the next sample of this generation, or the first of the next.

        Raises:
            StopIteration: a long row of samples were known.
        """
        self._repeats.check()
        if self._left == 0:
            self._begin()
        self._left -= 1
        if not self._parents:
            return self.space.sample(self.rng)
        archs = [str(self.history[place]["arch"]) for place in self._parents]
        child = self._child(archs)
        for _ in range(0 if self.released else TRIES):
            if child not in self._known:
                break
            child = self._child(archs)
        return child

    def tell(self, arch: str, row: Row) -> None:
        """Adds the arch to those that the next generation is drawn from."""
        self._repeats.tell(row)
        self._known.add(arch)
        (self._seeds if row.get(GIVEN) else self._arrived).append(self.position(arch))

    def state(self) -> dict[str, Any]:
        """Returns all that `ask` and `tell` change."""
        return {
            "seeds": list(self._seeds),
            "parents": list(self._parents),
            "elite": list(self._elite),
            "arrived": list(self._arrived),
            "generation": self._generation,
            "left": self._left,
            "repeats": self._repeats.count,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Brings a new searcher to what `state` returned."""
        self._seeds, self._parents, self._elite, self._arrived = (
            [int(place) for place in state[name]] for name in ("seeds", "parents", "elite", "arrived")
        )
        self._generation, self._left = int(state["generation"]), int(state["left"])
        self._repeats.count = int(state["repeats"])
        self._known = {str(row["arch"]) for row in self.history}

    def _child(self, ranked: Sequence[str]) -> str:
        if self.ablation == RANDOM_MODEL:
            ranked = [ranked[place] for place in self.rng.permutation(len(ranked))]
        return self._from.drawn_from(ranked, self.rng, uniform=self.ablation == RANDOM_LAYER)

    def _begin(self) -> None:
        """Takes the parents of the next generation, or of the first."""
        self._generation += 1
        self._left = max(1, self.population - self.num_elite)
        if self._generation == 1:
            self._parents = self._ranked(self._seeds)
            self._elite = self._best(self._parents)
            if not self._parents and not self.released:
                self._left = self.population
        elif self._arrived:
            self._parents = self._ranked([*self._elite, *self._arrived])
            seeds = set(self._seeds) if self.released else set()
            self._elite = self._best([place for place in self._parents if place not in seeds])
            self._arrived = []

    def _ranked(self, places: Sequence[int]) -> list[int]:
        """Returns those of `places` that have a fitness, from the worst to the best."""
        taken = list(places if self.released else dict.fromkeys(places))
        if not taken:
            return []
        fitness = self.fitness_of(taken)
        return [taken[place] for place in np.argsort(fitness, kind="stable") if np.isfinite(fitness[place])]

    def _best(self, ranked: Sequence[int]) -> list[int]:
        return list(ranked[max(0, len(ranked) - self.num_elite) :])
