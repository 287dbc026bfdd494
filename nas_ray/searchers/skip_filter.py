"""REA inside a filter on the number of skip connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from nas_ray.errors import UsageError, unknown_name
from nas_ray.searchers.evolution import RegularizedEvolution
from nas_ray.searchers.fitness import UNSAID, Fitness
from nas_ray.searchers.skip_rules import SKIP, nearest_to_one, towards_output
from nas_ray.searchers.variation import Children
from nas_ray.spaces.filtered import FilteredSpace
from nas_ray.spaces.needs import cell_space

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace

MANY = 1_000_000
"""More skip connections than any cell has."""

RULES = ("described", "naswot_code", "synflow_code", "july_2022", "at_least_one")
"""What the filter means; `SkipRea` describes each."""

BOUNDED = ("described", "synflow_code")
"""The rules that the bounds belong to."""


@dataclass(frozen=True)
class SkipCount:
    """Accepts archs whose cell has between `minimum` and `maximum` operations `skip_connect`, both included.

    Raises:
        UsageError: the bounds are negative or in the wrong order.
    """

    minimum: int = 0
    maximum: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.minimum <= self.maximum:
            raise UsageError(
                f"The skip filter needs 0 <= min-skips <= max-skips, got min-skips={self.minimum} and "
                f"max-skips={self.maximum}."
            )

    def __call__(self, arch: str) -> bool:
        """Returns whether `arch` passes."""
        return self.minimum <= arch.count(SKIP) <= self.maximum


class SkipRea(RegularizedEvolution):
    """REA with a filter on the number of skip connections of the cell, in one of five meanings.

    - `described`: `min_skips` to `max_skips` skips in the first population and after every mutation.
    - `naswot_code`: no filter on the first population; a mutation gives exactly one skip.
    - `synflow_code`: `min_skips` to `max_skips` skips in the first population; mutation is free.
    - `july_2022`: exactly one skip in the first population; a mutation moves it to the edge from the input to
      the output and, once it is there, changes an edge into another node to an operation that is no skip
      (`towards_output`).
    - `at_least_one`: one skip or more in the first population and after every mutation.

    A parent without a child is replaced by a fresh random arch, so the search always goes on.

    Source: the course project "How Powerful are Skip Connections in Neural Architecture Search without
    Training" (2022): `described` is its text, `naswot_code` and `synflow_code` are its code for
    the two proxies, `july_2022` its last version; `at_least_one` is the natural reading of its question.
    Differs: its code draws until a child passes, here a child is drawn once among those that pass, which has
    the same distribution. For `naswot_code` the repetition never ends where the parent has three skips or
    more; here the child is then drawn among those nearest to one skip, so a skip is lost. Its mutation is
    `mutation="node"`; here uniform is the default.

    Args:
        space: see `ArchSearcher`; `july_2022` needs a `CellSpace`.
        fitness: see `ArchSearcher`.
        seed: see `ArchSearcher`.
        rule: what the filter means.
        min_skips: fewest skip connections allowed.
        max_skips: most skip connections allowed.
        options: population, sample, mutation, replacement and ageing of `RegularizedEvolution`.

    Raises:
        UsageError: unknown rule, bounds in the wrong order, or bounds for a rule that has none.
    """

    recombines: ClassVar[bool] = False

    def __init__(
        self,
        space: SearchSpace,
        *,
        fitness: Fitness = UNSAID,
        seed: int = 0,
        rule: str = "described",
        min_skips: int = 0,
        max_skips: int = 1,
        **options: Any,
    ) -> None:
        if rule not in RULES:
            raise UsageError(unknown_name("skip rule", rule, list(RULES)))
        bounds = SkipCount(min_skips, max_skips)
        if rule not in BOUNDED and bounds != SkipCount():
            raise UsageError(
                f"min-skips and max-skips belong to the skip rules {' and '.join(BOUNDED)}, got "
                f"min-skips={min_skips} and max-skips={max_skips} for {rule}; leave them out."
            )
        accept = {"july_2022": SkipCount(1, 1), "at_least_one": SkipCount(1, MANY)}.get(rule, bounds)
        start = space if rule == "naswot_code" else FilteredSpace(space, accept)
        inside = start if rule in ("described", "at_least_one") else space
        super().__init__(inside, fitness=fitness, seed=seed, **options)
        self.rule = rule
        self._start = start
        self._moves = cell_space(space, f"The skip rule {rule!r}") if rule == "july_2022" else None

    def first(self) -> str:
        """Returns a random arch that the rule allows at the start."""
        return self._start.sample(self.rng)

    def children(self, parent: str) -> Children:
        """Returns the children that the rule allows."""
        if self._moves is not None:
            return towards_output(self._moves, parent)
        children = super().children(parent)
        return nearest_to_one(children) if self.rule == "naswot_code" else children
