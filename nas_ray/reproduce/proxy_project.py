"""The tables of "NAS MachineLearningDeepLearning" (course project), whose accuracy is 12-epoch validation."""

from __future__ import annotations

from typing import Any

from nas_ray.reproduce import published
from nas_ray.reproduce.measures import SHORT, TEST
from nas_ray.reproduce.published import Figures
from nas_ray.reproduce.skip_project import NAMES
from nas_ray.reproduce.tables import Setting, Table

SOURCE = "course project 'NAS MachineLearningDeepLearning'"
SIZES = (10, 100, 1000)
POOL, CHILDREN, TOURNAMENT = 64, 1000, 20

ONE_BEST = (
    "1,064 evaluations find the one best arch of the stored scores in every run, and theirs are of several "
    "initialisations, each with a best arch of its own"
)
ABOUT = "the source's averages are rounded and stand for all N together"


def random_search(by: str, size: int, **changes: Any) -> Setting:
    """Returns the project's random search."""
    return Setting(
        f"{NAMES[by]}, random search, N = {size}", "random_search", by, evaluations=size, **changes
    )


def rea(by: str, **changes: Any) -> Setting:
    """Returns the project's evolution: pool 64, tournament 20, 1000 children."""
    options = {"population": POOL, "sample": TOURNAMENT}
    return Setting(f"{NAMES[by]}, REA", "rea", by, options, evaluations=POOL + CHILDREN, **changes)


def _averages() -> tuple[Setting, ...]:
    rows: list[Setting] = []
    how: dict[str, Any] = {"answer": "average", "measure": SHORT}
    for by in NAMES:
        for size in SIZES:
            drawn = size == SIZES[-1] and by == "naswot"
            figures = (published.AVERAGE_RANDOM[by],)
            rows.append(random_search(by, size, published=figures, no_comparison=ABOUT, drawn=drawn, **how))
        rows.append(rea(by, published=(published.AVERAGE_REA[by],), **how))
    return tuple(rows)


def _fair(measure: str, figures: dict[str, Figures]) -> tuple[Setting, ...]:
    naswot = [
        random_search(
            "naswot", size, measure=measure, drawn=size == SIZES[-1],
            published=(figures["random"],) if size == SIZES[-1] else (),
        )
        for size in SIZES
    ]  # fmt: skip
    return (
        *naswot,
        rea("naswot", measure=measure, published=(figures["rea"],), no_comparison=ONE_BEST),
        random_search("synflow", SIZES[-1], measure=measure),
        rea("synflow", measure=measure),
    )


FEW = "The recomputed figures rest on 30 (random search) and 10 (REA) searches of the source."

TABLES = (
    Table(
        "proxies-average",
        "12-epoch accuracy averaged over every sampled net, as the source did",
        SOURCE,
        (
            "An average over all sampled nets says what was sampled, not what a search finds: by it no "
            "random search can be better than another, whatever its proxy.",
            "The source's averages have no standard deviation, and its mutation may be another than ours, "
            "which is uniform.",
        ),
        _averages(),
    ),
    Table(
        "proxies-fair",
        "12-epoch accuracy of the net that each search returns",
        SOURCE,
        (FEW,),
        _fair(SHORT, published.FAIR_VALID),
    ),
    Table(
        "proxies-fair-test",
        "test accuracy after 200 epochs of the net that each search returns",
        SOURCE,
        (FEW,),
        _fair(TEST, published.FAIR_TEST),
    ),
)
