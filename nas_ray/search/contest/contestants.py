"""Who takes part in a contest: a search of a space, a random net of one, or a net that is given; light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from nas_ray.errors import UsageError, unknown_name


@dataclass(frozen=True)
class Contestant:
    """What is trained at the end, and how it is found.

    Attributes:
        name: in tables and folders.
        space: of its archs, with options.
        searcher: finds an arch within the budget; none for an arch that is given or drawn.
        searcher_args: its options as `name=value`.
        arch: what is trained without a search; none for an arch that is drawn.
        proxies: scores that the search computes, as `nas-ray search` takes them.
        fitness: what it maximises; None for the default.
        fidelity: recipe of the short trainings that it judges by; None for scores alone.
    """

    name: str
    space: str
    searcher: str = ""
    searcher_args: tuple[str, ...] = ()
    arch: str = ""
    proxies: tuple[str, ...] = ("default",)
    fitness: str | None = None
    fidelity: str | None = None


TSS: Final = "nats-tss:channels=16,cells=1"
"""Cells of NATS-TSS in nets with as many multiply-adds as ResNet-20 at most."""
SHORT: Final = "epochs:1:data_fraction=0.25"
"""How searches that train judge an arch."""
EVOLUTION: Final = ("population=10", "sample=3")
"""Of searches that see tens of archs, not hundreds."""

CONTESTANTS: Final = {
    one.name: one
    for one in (
        Contestant("random-macro", "macro", "random_search", fidelity=SHORT),
        Contestant("random-tss", TSS, "random_search"),
        Contestant("rea-tss", TSS, "rea", EVOLUTION),
        Contestant("rea-tss-trained", TSS, "rea", EVOLUTION, fidelity=SHORT),
        Contestant("one-macro-net", "macro"),
        Contestant("one-tss-net", TSS),
        Contestant("resnet-20", "hand-designed", arch="resnet-20"),
    )
}
"""The contestants of `nas-ray contest` by name, a line each."""


def contestants_of(names: Sequence[str]) -> list[Contestant]:
    """Returns contestants by their names.

    Raises:
        UsageError: none, an unknown one, or one twice.
    """
    listed = [name for text in names for name in text.replace(",", " ").split()]
    if not listed:
        raise UsageError("A contest needs a contestant at least, got none; name one such as resnet-20.")
    for name in listed:
        if name not in CONTESTANTS:
            raise UsageError(unknown_name("contestant", name, list(CONTESTANTS)))
    if len(set(listed)) < len(listed):
        raise UsageError(f"The contestants must all be different, got {' '.join(listed)}.")
    return [CONTESTANTS[name] for name in listed]
