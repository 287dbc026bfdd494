"""What is asked of a proxy: one call on one net and one minibatch, and what is to be seen of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

WHOLE: Final = "whole"
REVERSED, SHUFFLED = "reversed", "shuffled"
EQUAL, ZEROS, ONE_CLASS = "equal", "zeros", "one class"
DEGENERATE: Final = (EQUAL, ZEROS, ONE_CLASS)
ORDERS: Final = (REVERSED, SHUFFLED)
PAIR: Final = 2
"""The images of the smallest minibatch in which there is something to compare."""
FEW, FEWER, FEWEST = 12, 6, 3
"""Archs that are scored again and again, those with half precision twice, and those of a single question."""
SEEDS: Final = 3
"""Initialisations, and minibatches."""


def first(images: int) -> str:
    """Returns the name of the minibatch of the first so many images."""
    return f"first {images}"


@dataclass(frozen=True)
class Piece:
    """One call.

    Attributes:
        arch: whose net it is.
        images: what the minibatch holds, one of the names above.
        init_seed: of the weights.
        batch_seed: draws the minibatch.
        draws: seed of the global random states before the call.
        again: counts calls that are equal in all else.
        double: in float64.
        zeroed: all weights are zero.
        branch: a branch without effect stands beside the net.
        facts: what is known of the net is told as well.
        watched: whole numbers that leave their range are looked for.
        batched: scores of one supernet are compared with those of plain nets.
    """

    arch: str
    images: str = WHOLE
    init_seed: int = 0
    batch_seed: int = 0
    draws: int = 0
    again: int = 0
    double: bool = False
    zeroed: bool = False
    branch: bool = False
    facts: bool = False
    watched: bool = False
    batched: bool = False


@dataclass(frozen=True)
class Facts:
    """What is known of a net without a proxy.

    Attributes:
        params: its parameters.
        live_ops: operations that count, where its space tells; else None.
        path: whether its outputs depend on the images.
        dead: whether some of its weights have no effect on the outputs.
        forward_s: seconds of one forward pass of the minibatch.
    """

    params: int
    live_ops: float | None
    path: bool
    dead: bool
    forward_s: float


@dataclass(frozen=True)
class Answer:
    """What one call gave, and what it did besides.

    Attributes:
        values: scores by column; empty where it raised.
        error: why there are none, in a line; else None.
        named: whether that error names the proxy, as a refusal does.
        kind: type of what was returned, such as `float` or `torch.int32`.
        seconds: it took.
        settings: of the process, that it changed and whose change would change other scores.
        random: global random states that it changed.
        net: parts of the net that it changed.
        batch: whether it changed images or labels.
        overflow: what left its range, in words; else None.
        facts: of the net, where they were asked for.
        wrong: largest relative difference of batched scores; None where they were not asked for.
        ended: how it ended the process or its time; else None.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None
    named: bool = False
    kind: str = ""
    seconds: float = 0.0
    settings: tuple[str, ...] = ()
    random: tuple[str, ...] = ()
    net: tuple[str, ...] = ()
    batch: bool = False
    overflow: str | None = None
    facts: Facts | None = None
    wrong: float | None = None
    ended: str | None = None


def sizes(batch: int) -> list[int]:
    """Returns the smaller minibatches that are tried, such as 2, 4 and 8 of 16."""
    return sorted({PAIR, max(PAIR, batch // 4), batch // 2})


def all_pieces(archs: Sequence[str], batch: int, apart: Sequence[str], batched: bool) -> list[Piece]:
    """Returns every call, the most telling ones first.

    Args:
        archs: that are drawn.
        batch: images of a minibatch.
        apart: archs without a path from images to outputs, where the space is known to have one.
        batched: whether there is a supernet to compare with.
    """
    few, fewer, fewest = archs[:FEW], archs[:FEWER], archs[:FEWEST]
    found = [Piece(arch, facts=True) for arch in archs]
    found += [Piece(arch, again=1) for arch in fewest]
    found += [Piece(arch, draws=1) for arch in fewest]
    found += [Piece(arch, images=first(size)) for size in sizes(batch) for arch in few]
    found += [Piece(arch, images=kind) for kind in DEGENERATE for arch in fewest]
    found += [Piece(arch, zeroed=True) for arch in fewest]
    found += [Piece(arch, branch=True) for arch in fewest]
    found += [Piece(arch, facts=True) for arch in apart]
    found += [Piece(arch, init_seed=seed) for seed in range(1, SEEDS) for arch in few]
    found += [Piece(arch, batch_seed=seed) for seed in range(1, SEEDS) for arch in few]
    found += [Piece(arch, images=order, double=True) for order in (WHOLE, *ORDERS) for arch in fewer]
    found += [Piece(arch, images=order) for order in ORDERS for arch in fewest]
    found += [Piece(arch, watched=True) for arch in archs]
    found += [Piece(arch, batched=True) for arch in fewest if batched]
    return found
