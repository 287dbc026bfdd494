"""Who takes part in a contest: a search of a space, a random net of one, or a net that is given; light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from nas_ray.errors import UsageError, unknown_name
from nas_ray.terminal.lists import parted


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
"""Cells of NATS-TSS in nets with about as many multiply-adds as ResNet-20."""
SHORT: Final = "epochs:1:data_fraction=0.25"
"""How contestants train an arch in their search, all alike."""
FAULT: Final = f"{SHORT},valid_on_training_images=true"
"""The same as LCMNAS's released code measures it."""
MIXED: Final = "mixed=0.25:lcmnas,valid_acc"
"""LCMNAS's estimate as described: three parts of the score and one of the short training, standardised."""
AS_RELEASED: Final = "mixed_raw=0.25:lcmnas,valid_acc"
EVOLUTION: Final = ("population=10", "sample=3")
"""Of searches that see tens of archs, not hundreds."""
GENERATIONS: Final = "population=10"


def _lcmnas(name: str, ablation: str) -> Contestant:
    options = (GENERATIONS, "as=described", f"ablation={ablation}")
    return Contestant(name, "macro:as=described", "lcmnas", options, fitness=MIXED, fidelity=SHORT)


CONTESTANTS: Final = {
    one.name: one
    for one in (
        Contestant("lcmnas-released", "macro", "lcmnas", (GENERATIONS,), fitness=AS_RELEASED, fidelity=FAULT),
        _lcmnas("lcmnas-described", "none"),
        _lcmnas("lcmnas-random-layer", "random-layer"),
        _lcmnas("lcmnas-random-model", "random-model"),
        Contestant("random-macro", "macro:as=described", "random_search", fitness=MIXED, fidelity=SHORT),
        Contestant("rea-macro", "macro:as=described", "rea", EVOLUTION, fitness=MIXED, fidelity=SHORT),
        Contestant("rea-grammar", "grammar", "rea", EVOLUTION, fitness=MIXED, fidelity=SHORT),
        Contestant("rea-tss", TSS, "rea", EVOLUTION, fitness=MIXED, fidelity=SHORT),
        Contestant("rea-tss-untrained", TSS, "rea", EVOLUTION),
        Contestant("one-macro-net", "macro:as=described"),
        Contestant("one-grammar-net", "grammar"),
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
    listed = parted(names)
    if not listed:
        raise UsageError("A contest needs a contestant at least, got none; name one such as resnet-20.")
    for name in listed:
        if name not in CONTESTANTS:
            raise UsageError(unknown_name("contestant", name, list(CONTESTANTS)))
    if len(set(listed)) < len(listed):
        raise UsageError(f"The contestants must all be different, got {' '.join(listed)}.")
    return [CONTESTANTS[name] for name in listed]
