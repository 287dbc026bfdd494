"""The rules of the grammar, each with its chance, as data: what a symbol may become and which it becomes of.

A symbol stands for a chain of a type: what it takes and gives. Four symbols derive themselves and each other:
chains on maps and on tokens, those that keep the type and those that change it. Their rules are here, layers
are in `layers.py`, and whole nets in `derivation.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np

from nas_ray.spaces.grammar.shapes import Shape
from nas_ray.spaces.grammar.terms import MAP, TOKENS, WIDTHS, Branch, Chain, Leaf, Routed, normal

KEEP_MAPS, CHANGE_MAPS = "keep maps", "change maps"
KEEP_TOKENS, CHANGE_TOKENS = "keep tokens", "change tokens"


class Deriving(Protocol):
    """What a rule derives chains with."""

    rng: np.random.Generator

    def chain(self, takes: Shape, gives: Shape) -> Chain:
        """Returns a random chain of a type."""

    def layers(self, takes: Shape, gives: Shape) -> Chain:
        """Returns a few random layers of a type."""


@dataclass(frozen=True)
class Rule:
    """One way to derive a symbol.

    Attributes:
        chance: of 100.
        uses: the symbols that it derives, each as often as it does.
        make: from takes and gives to the chain; None where the rule is none for these, and layers stand.
    """

    chance: float
    uses: tuple[str, ...]
    make: Callable[[Deriving, Shape, Shape], Chain | None]


def symbol_of(takes: Shape, gives: Shape) -> str:
    """Returns the symbol of a type."""
    if takes.tokens:
        return KEEP_TOKENS if takes == gives else CHANGE_TOKENS
    return KEEP_MAPS if takes == gives else CHANGE_MAPS


def near_widths(width: int, most: int = 512) -> list[int]:
    """Returns other widths, from a quarter to four times as many channels and at most `most`."""
    return [other for other in WIDTHS if other != width and width <= 4 * other <= 4 * min(4 * width, most)]


def _layers(deriving: Deriving, takes: Shape, gives: Shape) -> Chain:
    return deriving.layers(takes, gives)


def _two(deriving: Deriving, takes: Shape, gives: Shape) -> Chain:
    return (*deriving.chain(takes, gives), *deriving.chain(takes, gives))


def _residual(deriving: Deriving, takes: Shape, gives: Shape) -> Chain:
    made = normal(deriving.chain(takes, gives))
    alone = made[0] if len(made) == 1 else None
    if isinstance(alone, Branch) and alone.sign == "+" and () in alone.parts:
        return made  # beside a shortcut as it is
    return (Branch("+", ((), made)),)


def _sum(deriving: Deriving, takes: Shape, gives: Shape) -> Chain:
    return (Branch("+", (deriving.chain(takes, gives), deriving.chain(takes, gives))),)


def _concatenation(deriving: Deriving, takes: Shape, gives: Shape) -> Chain | None:
    half = replace(gives, width=gives.width // 2)
    if gives.width % 2 or half.width not in WIDTHS:
        return None
    return (Branch("&", (deriving.chain(takes, half), deriving.chain(takes, half))),)


def _otherwise(deriving: Deriving, takes: Shape, gives: Shape) -> Chain | None:
    """Routes to what it is not: maps to tokens and tokens to maps."""
    if takes.stride != gives.stride:
        return None
    kind = MAP if takes.tokens else TOKENS
    inner = deriving.chain(*(replace(shape, tokens=not shape.tokens) for shape in (takes, gives)))
    return (Routed(kind, inner),)


def _through_other_width(deriving: Deriving, takes: Shape, gives: Shape) -> Chain | None:
    """Changes the width, does something there, and changes it back: bottlenecks, wide or narrow."""
    widths = near_widths(takes.width)
    if not widths:
        return None
    between = replace(takes, width=int(deriving.rng.choice(widths)))
    return (
        *deriving.chain(takes, between),
        *deriving.chain(between, between),
        *deriving.chain(between, gives),
    )


def _wide(deriving: Deriving, takes: Shape, gives: Shape) -> Chain | None:
    """Two linear layers with a wider one between them, as in a transformer."""
    wide = takes.width * int(deriving.rng.choice([1, 2, 4]))
    if wide not in WIDTHS:
        return None
    return (Leaf("ln"), Leaf("lin", number=wide), Leaf("gelu"), Leaf("lin", number=gives.width))


def _change_then_keep(deriving: Deriving, takes: Shape, gives: Shape) -> Chain:
    return (*deriving.chain(takes, gives), *deriving.chain(gives, gives))


def _keep_then_change(deriving: Deriving, takes: Shape, gives: Shape) -> Chain | None:
    if takes.width not in WIDTHS:  # an image
        return None
    return (*deriving.chain(takes, takes), *deriving.chain(takes, gives))


RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    KEEP_MAPS: (
        Rule(54, (), _layers),
        Rule(10, (KEEP_MAPS, KEEP_MAPS), _two),
        Rule(18, (KEEP_MAPS,), _residual),
        Rule(3, (KEEP_MAPS, KEEP_MAPS), _sum),
        Rule(3, (CHANGE_MAPS, CHANGE_MAPS), _concatenation),
        Rule(5, (KEEP_TOKENS,), _otherwise),
        Rule(7, (CHANGE_MAPS, KEEP_MAPS, CHANGE_MAPS), _through_other_width),
    ),
    CHANGE_MAPS: (
        Rule(78, (), _layers),
        Rule(8, (CHANGE_MAPS, KEEP_MAPS), _change_then_keep),
        Rule(5, (KEEP_MAPS, CHANGE_MAPS), _keep_then_change),
        Rule(4, (CHANGE_MAPS, CHANGE_MAPS), _sum),
        Rule(4, (CHANGE_MAPS, CHANGE_MAPS), _concatenation),
        Rule(1, (CHANGE_TOKENS,), _otherwise),
    ),
    KEEP_TOKENS: (
        Rule(46, (), _layers),
        Rule(14, (KEEP_TOKENS, KEEP_TOKENS), _two),
        Rule(20, (KEEP_TOKENS,), _residual),
        Rule(2, (KEEP_TOKENS, KEEP_TOKENS), _sum),
        Rule(4, (KEEP_MAPS,), _otherwise),
        Rule(14, (), _wide),
    ),
    CHANGE_TOKENS: (
        Rule(84, (), _layers),
        Rule(8, (CHANGE_TOKENS, KEEP_TOKENS), _change_then_keep),
        Rule(4, (CHANGE_TOKENS, CHANGE_TOKENS), _sum),
        Rule(2, (CHANGE_TOKENS, CHANGE_TOKENS), _concatenation),
        Rule(2, (CHANGE_MAPS,), _otherwise),
    ),
}
"""The rules of each symbol, whose chances sum to 100."""


def mean_uses() -> np.ndarray:
    """Returns `[symbols, symbols]`: how many of each symbol one of each becomes in one step, on average.

    A rule that is none for a type becomes layers, so for some types it is less. Derivations are finite, and
    of finite expected size, if the largest eigenvalue is below 1.
    """
    symbols = list(RULES)
    return np.array(
        [[sum(rule.chance * rule.uses.count(other) for rule in RULES[one]) / 100 for other in symbols]
         for one in symbols]
    )  # fmt: skip
