"""LCMNAS on cells: its evolution and its estimation, with parts left out, on look-ups of NATS-TSS."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from nas_ray.reproduce.measures import SHORT
from nas_ray.reproduce.tables import Setting, Table

EVALUATIONS: Final = 300
POPULATION: Final = 25
"""The default of the released code; its README runs 100."""
SCORE: Final = "lcmnas"
RAW = f"mixed_raw=0.25:{SCORE},{SHORT}"
"""As released: three quarters of the score and a quarter of the accuracy in percent."""
IMAGES: Final = 32
"""Of the stored scores; those of the released code are of 256, and so an eighth as large."""
RAW_OF_256 = f"mixed_raw={256 / (256 + 3 * IMAGES):.3f}:{SCORE},{SHORT}"
"""The same ranking as `RAW` would give if scores of 32 images were an eighth as large."""


def mixed(kind: str = "mixed", score: str = SCORE) -> str:
    """Returns the same mixture of standardised terms, or of another kind or with another proxy."""
    return f"{kind}=0.25:{score},{SHORT}"


def _lcmnas(title: str, by: str, variant: str, **options: Any) -> Setting:
    given = {"population": POPULATION, "variant": variant, **options}
    return Setting(title, "lcmnas", by, given, evaluations=EVALUATIONS)


def _variant(variant: str, mixture: str) -> tuple[Setting, ...]:
    return (
        _lcmnas(f"as {variant}", mixture, variant),
        _lcmnas(f"as {variant}, without the proxy", SHORT, variant),
    )


def _rows() -> tuple[Setting, ...]:
    rows = [
        *_variant("released", RAW),
        _lcmnas("as released, score as large as of 256 images", RAW_OF_256, "released"),
        *_variant("described", mixed()),
        _lcmnas("as described, mixture of ranks", mixed("mixed_ranks"), "described"),
        _lcmnas("as described, SynFlow as the proxy", mixed(score="synflow"), "described"),
        _lcmnas("as described, the proxy alone", SCORE, "described"),
        _lcmnas("as described, random layers", mixed(), "described", ablation="random-layer"),
        _lcmnas("as described, random models", mixed(), "described", ablation="random-model"),
        Setting("REA by 12 epochs", "rea", SHORT, evaluations=EVALUATIONS),
        Setting("random search by 12 epochs", "random_search", SHORT, evaluations=EVALUATIONS),
    ]
    drawn = {"as released", "as described", "REA by 12 epochs", "random search by 12 epochs"}
    return tuple(replace(row, drawn=row.title in drawn) for row in rows)


TABLES = (
    Table(
        "lcmnas",
        f"LCMNAS on cells, {EVALUATIONS} evaluations: as released, as described, and with parts left out",
        "Lopes and Alexandre, 'Towards Less Constrained Macro-Neural Architecture Search', 2022",
        (
            "Its authors' code for cells is not released, nor are figures; here a node of a graph is an "
            "operation, and what follows it is the operation on the next edge, in the order of the arch.",
            "The accuracy is that after 12 epochs on 25,000 images (CIFAR-10), of images that are held out; "
            "the released code trains 4 epochs on 4,000 images and validates on a quarter of the same.",
            "As released the mixture is 0.75 times the score plus 0.25 times the accuracy in percent; as "
            "described both are standardised over all archs evaluated so far.",
            f"The score is at most 10,000 / images: 312.5 for the {IMAGES} images here, 39.06 for the 256 of "
            "the released code; one row weighs it as if it were that of 256.",
            "Evaluations count samples of known archs, which cost nothing.",
        ),
        _rows(),
        in_all=False,
    ),
)
