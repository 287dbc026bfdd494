"""How well a rule ranks: Spearman and Kendall with intervals over initialisations, and regret at budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import kendalltau

from nas_ray.report.intervals import over_seeds
from nas_ray.reproduce.record.choosing import centred

PUBLISHED = {
    "nats-tss": {
        "spearman": {"cifar10": 0.919, "cifar100": 0.919, "ImageNet16-120": 0.906},
        "kendall": {"cifar10": 0.750, "cifar100": 0.753, "ImageNet16-120": 0.743},
    }
}
"""The best published aggregate without labels, on the whole space.

Source: Tybl and Neumann, "Training-free Neural Architecture Search through Variance of Knowledge of Deep
Network Weights", CVPR 2025.
"""

BUDGETS = (0.10, 0.25, 0.50, 0.75)
"""Budgets of parameters, as quantiles over the archs that are judged."""


def lines_of(
    who: str, sets: Mapping[str, Sequence[np.ndarray]], truth: Mapping[str, np.ndarray]
) -> list[dict[str, object]]:
    """Returns a line per dataset: `score`, `dataset`, `initialisations`, and both correlations.

    Columns `spearman` and `kendall` are means over initialisations, `_low` and `_high` the ends of their 95 %
    t intervals: what other initialisations would give, on these archs. One initialisation has no interval.

    Args:
        who: what is judged.
        sets: by dataset the values `[archs]` of each initialisation.
        truth: accuracy `[archs]` by dataset.
    """
    lines = []
    for dataset, values in sets.items():
        line: dict[str, object] = {"score": who, "dataset": dataset, "initialisations": len(values)}
        accuracy = truth[dataset]
        order = centred(accuracy)
        found = {
            "spearman": [float(centred(one) @ order) for one in values],
            "kendall": [float(kendalltau(one, accuracy).statistic) for one in values],
        }
        for name, numbers in found.items():
            interval = over_seeds(numbers)
            ends = {f"{name}_low": interval.low, f"{name}_high": interval.high}
            line |= {name: interval.mean, **ends}
        lines.append(line)
    return lines


def regret(
    values: Mapping[str, np.ndarray], accuracy: np.ndarray, params: np.ndarray
) -> list[dict[str, object]]:
    """Returns a line per budget and score: the arch that it likes best within the budget, and what it costs.

    Columns: `budget` (quantile), `params` (the most allowed), `archs_within`, `score`, `place` (of the arch
    chosen), `accuracy` and `regret` (accuracy of the best arch within minus that), in percent and points. Of
    archs of equal value the first is taken.

    Args:
        values: `[archs]` by score.
        accuracy: `[archs]` in percent.
        params: `[archs]`.
    """
    lines = []
    for budget in BUDGETS:
        most = float(np.quantile(params, budget, method="inverted_cdf"))
        within = np.flatnonzero(params <= most)
        best = float(accuracy[within].max())
        for who, scores in values.items():
            place = int(within[np.argmax(scores[within])])
            found = float(accuracy[place])
            line: dict[str, object] = {
                "budget": budget,
                "params": most,
                "archs_within": len(within),
                "score": who,
            }
            lines.append({**line, "place": place, "accuracy": found, "regret": best - found})
    return lines
