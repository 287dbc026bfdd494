"""Published figures, as data: percent on CIFAR-10, CIFAR-100 and ImageNet16-120, in this order."""

from __future__ import annotations

from dataclasses import dataclass

Triple = tuple[float, float, float]

PUBLISHED, RECOMPUTED = "published", "recomputed"


@dataclass(frozen=True)
class Figures:
    """What a source says about one row of a table.

    Attributes:
        means: accuracy in percent on the three datasets.
        stds: standard deviations over the runs; None where the source gives none.
        runs: number of runs; None where the source gives none.
        kind: `published`, or `recomputed`: not by the authors, from their data or on the complete table.
        seconds: what a run took on each dataset, in the source's words; empty where it does not say.
    """

    means: Triple
    stds: Triple | None = None
    runs: int | None = None
    kind: str = PUBLISHED
    seconds: tuple[str, str, str] = ("", "", "")


def _alike(seconds: str) -> tuple[str, str, str]:
    return (seconds,) * 3


def _rows(
    means: dict[int, Triple], stds: dict[int, Triple], runs: int, seconds: dict[int, str]
) -> dict[int, Figures]:
    return {size: Figures(means[size], stds[size], runs, seconds=(seconds[size], "", "")) for size in means}


# "How Powerful are Skip Connections in Neural Architecture Search without Training" (course project, 2022).
SKIPS_NASWOT_RANDOM = _rows(
    {
        50: (92.89, 69.51, 40.85),
        100: (92.51, 69.93, 41.82),
        200: (92.96, 69.99, 43.01),
        400: (93.04, 69.77, 43.62),
    },
    {50: (0.71, 1.07, 4.14), 100: (1.20, 1.48, 3.77), 200: (0.68, 1.20, 2.76), 400: (0.78, 1.36, 2.22)},
    30,
    {50: "19.0", 100: "38.4", 200: "76.3", 400: "154.8"},
)
SKIPS_12_EPOCHS = _rows(
    {
        50: (93.54, 70.61, 44.47),
        100: (93.79, 71.06, 45.25),
        200: (93.84, 71.65, 45.55),
        400: (93.95, 72.20, 45.78),
    },
    {50: (0.46, 1.36, 1.46), 100: (0.33, 1.08, 0.85), 200: (0.26, 0.89, 0.97), 400: (0.24, 0.61, 0.74)},
    30,
    {50: "10,970", 100: "22,068", 200: "43,675", 400: "87,665"},
)
SKIPS_REA = {
    "naswot plain": Figures((92.44, 69.69, 44.01), (1.11, 1.57, 3.08), 10, seconds=_alike("50-60")),
    "naswot filter": Figures((92.55, 70.06, 42.68), (1.16, 0.67, 3.91), 10, seconds=_alike("46-56")),
    "synflow plain": Figures((93.49, 69.70, 42.82), (0.49, 2.42, 3.16), 10, seconds=_alike("88-107")),
    "synflow filter": Figures((93.36, 70.83, 43.68), (0.69, 1.02, 1.84), 10, seconds=_alike("89-104")),
}
SKIPS_JULY = {
    "naswot plain": Figures((92.64, 69.25, 43.32), (0.95, 1.95, 3.29), 15, seconds=_alike("45-54")),
    "naswot forced": Figures((93.01, 70.62, 45.06), (1.16, 2.33, 1.07), 15, seconds=_alike("41-50")),
    "synflow plain": Figures((93.51, 70.45, 43.52), (0.49, 1.91, 2.45), 15, seconds=_alike("144-165")),
    "synflow forced": Figures((94.18, 72.74, 46.26), (0.27, 1.16, 0.31), 15, seconds=_alike("144-169")),
}
SKIPS_RECOMPUTED = {
    "naswot plain": Figures((92.83, 69.99, 44.72), None, 1000, RECOMPUTED),
    "synflow plain": Figures((93.78, 71.49, 42.41), None, 1000, RECOMPUTED),
    "at least one": Figures((94.15, 72.89, 45.73), (0.40, 1.18, 1.35), 1000, RECOMPUTED),
    "july": Figures((94.14, 72.71, 45.97), None, 1000, RECOMPUTED),
    "random inside": Figures((94.14, 72.70, 46.16), None, 1000, RECOMPUTED),
}
SKIP_COUNTS = (4096, 6144, 3840, 1280, 240, 24, 1)
SKIP_COUNT_MEANS = (85.96, 87.56, 87.95, 86.60, 82.73, 74.96, 54.30)  # CIFAR-10, recomputed
TOP_WITH_SKIP_TO_OUTPUT: Triple = (93, 91, 60)  # of 100, recomputed

# "NAS MachineLearningDeepLearning" (course project); accuracy is 12-epoch validation unless said otherwise.
AVERAGE_RANDOM = {
    "naswot": Figures((67.6, 41.4, 22.5), runs=30),
    "synflow": Figures((70.3, 41.6, 23.4), runs=30),
}
AVERAGE_REA = {
    "naswot": Figures((75.37, 47.41, 26.54), runs=10),
    "synflow": Figures((75.31, 46.65, 24.46), runs=10),
}
FAIR_VALID = {
    "random": Figures((75.34, 47.75, 26.86), None, 30, RECOMPUTED),
    "rea": Figures((76.71, 48.80, 29.25), None, 10, RECOMPUTED),
}
FAIR_TEST = {
    "random": Figures((93.01, 70.03, 44.24), None, 30, RECOMPUTED),
    "rea": Figures((92.71, 70.32, 45.52), None, 10, RECOMPUTED),
}

# Mellor et al., "Neural Architecture Search without Training", ICML 2021.
NASWOT = {
    10: Figures((92.44, 68.62, 41.31), seconds=_alike("3")),
    100: Figures((92.81, 69.48, 43.10), seconds=_alike("30")),
    1000: Figures((92.96, 69.98, 44.44), seconds=_alike("306")),
}

# Dong et al., "NATS-Bench", TPAMI 2021.
BUDGET_SECONDS = 12_000.0
RANDOM_12000 = (
    Figures((93.70, 71.04, 44.57), (0.36, 1.07, 1.25), seconds=_alike("12,000")),
    Figures((93.78, 71.21, 44.86), (0.32, 1.04, 1.22), 500, RECOMPUTED),
)
REA_12000 = (
    Figures((93.92, 71.84, 45.54), (0.30, 0.99, 1.03), seconds=_alike("12,000")),
    Figures((93.94, 71.91, 45.43), (0.40, 1.23, 1.29), 500, RECOMPUTED),
)
REINFORCE_12000 = (Figures((93.85, 71.71, 45.24), (0.37, 1.09, 1.18), seconds=_alike("12,000")),)

# Cavagnero et al., "FreeREA: Training-Free Evolution-based Architecture Search", WACV 2023.
FREEREA_SECONDS = 45.0
FREEREA_VISITED = (206, 242)
"""Fewest and most archs that a re-run with measured seconds visited in that time."""
SCORE_SECONDS = round(2 * FREEREA_SECONDS / sum(FREEREA_VISITED), 2)
FREEREA = (
    Figures((94.36, 73.51, 46.34), (0.0, 0.0, 0.0), seconds=_alike("45")),
    Figures((94.35, 73.51, 46.34), (0.06, 0.0, 0.0), 30, RECOMPUTED),
)
