"""Many scores made of stored ones, each judged by the validation accuracy of the arch it likes best."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from nas_ray.searchers.combined import Combined, LogRankSum, NormalisedSum, RankSum
from nas_ray.searchers.skip_rules import SKIP
from nas_ray.spaces.nats_tss import EDGES, to_ops

KINDS: dict[str, type[Combined]] = {
    "normalised_sum": NormalisedSum,
    "rank_sum": RankSum,
    "log_rank_sum": LogRankSum,
}

MOST = 3
"""Scores that are combined at most, where nothing else is said."""


def _skip_to_output(ops: Sequence[str]) -> bool:
    return ops[EDGES.index((0, EDGES[-1][1]))] == SKIP


PRIORS: dict[str, Callable[[Sequence[str]], bool]] = {
    "none": lambda ops: True,
    "skip on 0->3": _skip_to_output,
    "one skip, on 0->3": lambda ops: _skip_to_output(ops) and ops.count(SKIP) == 1,
}
"""What is believed of good cells before any score: no score says it, it comes from looking at this space."""


@dataclass(frozen=True)
class Choice:
    """One score that could be maximised.

    Attributes:
        names: the stored scores in it.
        kind: how they are combined, a key of `KINDS`; `single` for one alone.
        prior: a key of `PRIORS`; only these archs compete.
    """

    names: tuple[str, ...]
    kind: str
    prior: str

    def __str__(self) -> str:
        score = self.names[0] if self.kind == "single" else f"{self.kind}:{','.join(self.names)}"
        return score if self.prior == "none" else f"{score}, {self.prior}"


def choices(names: Sequence[str], most: int = MOST) -> Iterator[Choice]:
    """Yields every combination of up to `most` scores, simple ones first."""
    for size in range(1, min(most, len(names)) + 1):
        for chosen in combinations(names, size):
            for kind in ["single"] if size == 1 else KINDS:
                for prior in PRIORS:
                    yield Choice(chosen, kind, prior)


def judge(
    archs: Sequence[str], sets: Sequence[Mapping[str, np.ndarray]], valid: np.ndarray
) -> tuple[pd.DataFrame, dict[Choice, list[int]]]:
    """Returns a line per choice, the best first, and the places of the archs that it likes best.

    Columns: `score`, `valid_acc` (percent, mean over the sets), `archs` (different ones over the sets). Of
    equals the simpler choice is first.

    Args:
        archs: all that compete, of nats-tss.
        sets: stored scores `[archs]` by name, one mapping per initialisation.
        valid: validation accuracy `[archs]` in percent.
    """
    ops = [to_ops(arch) for arch in archs]
    allowed = {name: np.array([keep(cell) for cell in ops]) for name, keep in PRIORS.items()}
    found = {
        choice: [best(choice, scores, allowed[choice.prior]) for scores in sets]
        for choice in choices(list(sets[0]))
        if allowed[choice.prior].any()
    }
    lines = [
        {"score": str(choice), "valid_acc": float(valid[places].mean()), "archs": len(set(places))}
        for choice, places in found.items()
    ]
    table = pd.DataFrame(lines).sort_values("valid_acc", ascending=False, kind="stable")
    ordered = list(found.items())
    return table.reset_index(drop=True), dict(ordered[place] for place in table.index)


def best(choice: Choice, scores: Mapping[str, np.ndarray], allowed: np.ndarray) -> int:
    """Returns the place of the arch with the highest score among those `allowed`; undefined is worst."""
    places = np.flatnonzero(allowed)
    columns = np.array([scores[name][places] for name in choice.names], dtype=float)
    columns = np.where(np.isfinite(columns), columns, -np.inf)
    if choice.kind == "single":
        return int(places[np.argmax(columns[0])])
    defined = np.isfinite(columns).all(axis=0)
    values = KINDS[choice.kind](choice.names).combine(columns, defined)
    return int(places[np.flatnonzero(defined)[np.argmax(values)]])
