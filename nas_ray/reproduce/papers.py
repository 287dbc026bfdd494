"""Tables of papers: NASWOT, the 12,000-second protocol of NATS-Bench, FreeREA."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nas_ray.reproduce import published
from nas_ray.reproduce.measures import SHORT
from nas_ray.reproduce.tables import Setting, Table


def _naswot() -> tuple[Setting, ...]:
    largest = max(published.NASWOT)
    return tuple(
        Setting(
            f"NASWOT, N = {size}", "random_search", "naswot", evaluations=size,
            published=(figures,), drawn=size == largest,
        )
        for size, figures in published.NASWOT.items()
    )  # fmt: skip


def _budget(title: str, searcher: str, figures: tuple[published.Figures, ...], **options: Any) -> Setting:
    return Setting(
        title, searcher, SHORT, options, seconds=published.BUDGET_SECONDS,
        searched_on="cifar10", published=figures,
    )  # fmt: skip


def _budgets() -> tuple[Setting, ...]:
    rows = [
        _budget("random search, none twice", "random_search", published.RANDOM_12000),
        # a first population without end is random search with repeats
        _budget("random search, with repeats", "rea", published.RANDOM_12000, population=1_000_000),
    ]
    rows[1] = replace(rows[1], drawn=False)
    for mutation in ("node", "uniform"):
        for replacement in (True, False):
            title = f"REA, {mutation} mutation, tournament {'with' if replacement else 'without'} replacement"
            options = {"mutation": mutation, "replacement": replacement}
            row = _budget(title, "rea", published.REA_12000, population=10, sample=3, **options)
            rows.append(replace(row, drawn=replacement))
    reinforce = _budget("REINFORCE", "reinforce", published.REINFORCE_12000)
    policies = [
        replace(reinforce, title="REINFORCE, known archs paid again", paid_again=True),
        reinforce,
        replace(reinforce, title="REINFORCE, learning rate .01", options={"lr": 0.01}),
        _budget("REINFORCE, LSTM", "reinforce", (), policy="lstm"),
        _budget("PPO", "ppo", (), policy="categorical"),
        _budget("PPO, LSTM", "ppo", ()),
        _budget("PNAS, K = 32", "pnas", (), beam=32),
    ]
    return (*rows, *(replace(row, drawn=row is reinforce) for row in policies))


FREEREA = Setting(
    "FreeREA", "freerea", "freerea", seconds=published.FREEREA_SECONDS, published=published.FREEREA
)

TABLES = (
    Table(
        "naswot",
        "NASWOT search, N = 10, 100, 1000",
        "Mellor et al., 'Neural Architecture Search without Training', ICML 2021",
        ("The paper scores 128 images; every run there has its own initialisation.",),
        _naswot(),
    ),
    Table(
        "12000s",
        "random search, REA and REINFORCE for 12,000 seconds of 12-epoch training",
        "Dong et al., 'NATS-Bench', TPAMI 2021",
        (
            "Every search runs on CIFAR-10 (12-epoch validation accuracy) and its net is reported on all "
            "three datasets; other tables search each dataset by itself.",
            "An arch costs 12 * train + valid seconds; one that was evaluated before costs nothing again, "
            "and the evaluation that passes the limit counts.",
            "The released code pays for known archs again and takes one of the two seeds at random; a row of "
            "REINFORCE says what the first changes. Its commands have a learning rate of .01, ours has .1. "
            "LSTMs learn at the rates of their papers, which are for thousands of archs.",
            "In PNAS a node of the cell is a block, and what later nodes do is drawn.",
        ),
        _budgets(),
    ),
    Table(
        "freerea",
        "FreeREA for 45 seconds of scores",
        "Cavagnero et al., 'FreeREA: Training-Free Evolution-based Architecture Search', WACV 2023",
        ("The paper takes the mean of three initialisations by kaiming_normal.",),
        (
            FREEREA,
            replace(
                FREEREA, title="random search by FreeREA's score", searcher="random_search", published=()
            ),
        ),
    ),
)
