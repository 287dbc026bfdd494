"""Chooses how archs of NATS-TSS are ranked, by validation accuracy on one half of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from nas_ray.reproduce.by_search import SPLIT_SEED, halves
from nas_ray.reproduce.choices import Choice, choices
from nas_ray.reproduce.record.rules import TopologyRule
from nas_ray.reproduce.record.shares import marks_of
from nas_ray.reproduce.record.stored import Scored, of_dataset, only
from nas_ray.searchers.ranks import ranks

MOST = 5
"""Scores that are added at most."""

TERMS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "single": lambda share: share,
    "rank_sum": lambda share: share,
    "log_rank_sum": np.log,
}
"""What is added of the rank of an arch as a share; only kinds that shares can fix (`shares`)."""


def candidates(names: Sequence[str]) -> Iterator[Choice]:
    """Yields every sum of up to `MOST` scores, as ranks and as logarithms of ranks; simple ones first."""
    for choice in choices(names, most=MOST):
        if choice.kind in TERMS and choice.prior == "none":
            yield choice


def ranked(
    found: Sequence[Scored],
    valid: Mapping[str, np.ndarray],
    names: Sequence[str],
    watched: Callable[[Sequence[Choice]], Iterable[Choice]] = iter,
) -> pd.DataFrame:
    """Returns a line per candidate, the best first; of equals the simpler one.

    Columns: `fitness`, `spearman` (mean over datasets of the means over initialisations) and one per dataset.

    Args:
        found: initialisations, of the archs that are chosen on alone.
        valid: validation accuracy `[archs]` by dataset.
        names: of scores.
        watched: gives the candidates one after the other, and may show how far that is.
    """
    truth = {dataset: centred(accuracy) for dataset, accuracy in valid.items()}
    known = [_shared(one, names) for one in found]
    place = {id(one): number for number, one in enumerate(found)}
    users = {dataset: [place[id(one)] for one in of_dataset(found, dataset)] for dataset in valid}
    used = sorted({number for numbers in users.values() for number in numbers})
    lines = []
    for choice in watched(list(candidates(names))):
        orders = {number: centred(_total(choice, known[number])) for number in used}
        rho = {
            dataset: float(np.mean([orders[number] @ truth[dataset] for number in numbers]))
            for dataset, numbers in users.items()
        }
        lines.append({"fitness": str(choice), "spearman": float(np.mean(list(rho.values()))), **rho})
    table = pd.DataFrame(lines).sort_values("spearman", ascending=False, kind="stable")
    return table.reset_index(drop=True)


def centred(values: np.ndarray) -> np.ndarray:
    """Returns the ranks of `values [n]` without their mean and of length 1; zeros where all are equal.

    The product of two of them is Spearman's correlation.
    """
    order = ranks(values)
    order = order - order.mean()
    length = float(np.linalg.norm(order))
    return np.asarray(order / length if length > 0 else order)


def _shared(one: Scored, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Returns the ranks of each score as shares, NaN where it is undefined."""
    shared = {}
    for name in names:
        values = np.asarray(one.scores[name], dtype=float)
        defined = np.isfinite(values)
        share = ranks(np.where(defined, values, -np.inf)) / len(values)
        shared[name] = np.where(defined, share, np.nan)
    return shared


def _total(choice: Choice, shared: Mapping[str, np.ndarray]) -> np.ndarray:
    total = np.sum([TERMS[choice.kind](shared[name]) for name in choice.names], axis=0)
    return np.where(np.isnan(total), -np.inf, total)


def parts(archs: Sequence[str]) -> dict[str, np.ndarray]:
    """Returns which archs `[archs]` are chosen on, which not, and all."""
    first = set(halves(archs)[0])
    chosen = np.array([arch in first for arch in archs])
    return {"chosen on": chosen, "apart": ~chosen, "all": np.ones(len(archs), dtype=bool)}


def choose_topologies(
    archs: Sequence[str],
    found: Sequence[Scored],
    valid: Mapping[str, np.ndarray],
    names: Sequence[str],
    watched: Callable[[Sequence[Choice]], Iterable[Choice]] = iter,
) -> tuple[TopologyRule, pd.DataFrame]:
    """Returns the rule that ranks the first half best, and a line per candidate (`ranked`).

    Args:
        archs: of nats-tss, all of them.
        found: initialisations.
        valid: validation accuracy `[archs]` by dataset, of which that of the other half is not looked at.
        names: of scores.
        watched: as for `ranked`.
    """
    mine = parts(archs)["chosen on"]
    half = [only(one, mine) for one in found]
    tried = ranked(half, {dataset: accuracy[mine] for dataset, accuracy in valid.items()}, names, watched)
    best = tried.iloc[0]
    sizes = sorted({one.image_size for one in half})
    used = best["fitness"].rpartition(":")[2].split(",")
    marks = {
        str(size): {
            name: marks_of(np.concatenate([one.scores[name] for one in half if one.image_size == size]))
            for name in used
        }
        for size in sizes
    }
    chosen = {
        "by": f"mean of Spearman's correlation with validation accuracy (200 epochs) on {', '.join(valid)}",
        "on": f"the {int(mine.sum())} archs of one half of the functions of the space (seed {SPLIT_SEED})",
        "among": f"{len(tried)} sums of up to {MOST} of {', '.join(names)}",
        "init_seeds": {str(s): [one.init_seed for one in half if one.image_size == s] for s in sizes},
        "spearman": {dataset: round(float(best[dataset]), 4) for dataset in valid},
    }
    return TopologyRule(str(best["fitness"]), marks, dict(found[0].nets), chosen), tried
