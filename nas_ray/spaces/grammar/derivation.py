"""Derives random sentences: whole nets, and chains of a type for their parts."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from nas_ray.spaces.grammar.layers import drawn_layers, weighted
from nas_ray.spaces.grammar.rules import RULES, near_widths, symbol_of
from nas_ray.spaces.grammar.shapes import IMAGE, Shape
from nas_ray.spaces.grammar.terms import TOKENS, WIDTHS, Chain, Leaf, Routed, normal

FUEL: Final = 60
"""Symbols of one derivation that may become others; then each becomes layers."""
ISOTROPIC: Final = 0.35
"""How often a net is one stage of tokens, and not stages of maps."""
STEM_STRIDES: Final = {"1": 50, "2": 35, "4": 15}
PATCHES: Final = {"2": 15, "4": 45, "8": 30, "16": 10}
STAGES: Final = {"1": 10, "2": 35, "3": 40, "4": 15}
TIMES: Final = {"1": 50, "2": 30, "3": 15, "4": 5}
"""How often the part of a stage is repeated."""
DEPTH: Final = {"1": 15, "2": 30, "3": 25, "4": 20, "6": 10}
"""The same of a net of tokens."""
POSITIONS, LAST_NORM = 0.6, 0.7


class Derivation:
    """One derivation, which ends whatever is drawn, since its fuel does.

    Args:
        rng: draws.
        fuel: symbols that may become others.
    """

    def __init__(self, rng: np.random.Generator, fuel: int = FUEL) -> None:
        self.rng = rng
        self.fuel = fuel

    def chain(self, takes: Shape, gives: Shape) -> Chain:
        """Returns a chain of a type, not empty and not yet in its one form."""
        rules = RULES[symbol_of(takes, gives)]
        drawn = weighted({str(place): rule.chance for place, rule in enumerate(rules)}, self.rng)
        self.fuel -= 1
        made = rules[int(drawn)].make(self, takes, gives) if self.fuel > 0 else None
        return self.layers(takes, gives) if made is None else made

    def layers(self, takes: Shape, gives: Shape) -> Chain:
        """Returns a few layers of a type."""
        return drawn_layers(takes, gives, self.rng)

    def net(self) -> Chain:
        """Returns a whole net, which takes images, in its one form."""
        return normal(self._tokens() if self.rng.random() < ISOTROPIC else self._stages())

    def short(self) -> Chain:
        """Returns a net of a stem and a few layers, in its one form, for limits that leave no more."""
        at = Shape(self._width(8, 32), int(weighted(STEM_STRIDES, self.rng)))
        return normal((*self.layers(IMAGE, at), *self.layers(at, at)))

    def _stages(self) -> Chain:
        """Returns a stem and stages of maps, each of which is a part that is repeated."""
        at = Shape(self._width(8, 64), int(weighted(STEM_STRIDES, self.rng)))
        made = self.layers(IMAGE, at)
        for stage in range(int(weighted(STAGES, self.rng))):
            if stage:
                before, at = at, Shape(self._wider(at.width), at.stride * 2)
                made = (*made, *self.chain(before, at))
            made = (*made, *self.chain(at, at) * int(weighted(TIMES, self.rng)))
        return made

    def _tokens(self) -> Chain:
        """Returns patches and a part on tokens that is repeated, as in ViT and MLP-Mixer."""
        at = Shape(self._width(32, 192), int(weighted(PATCHES, self.rng)))
        tokens = replace(at, tokens=True)
        part = (*self.chain(tokens, tokens), *self.chain(tokens, tokens))
        positions = (Leaf("pos"),) if self.rng.random() < POSITIONS else ()
        norm = (Leaf("ln"),) if self.rng.random() < LAST_NORM else ()
        inner = (*positions, *part * int(weighted(DEPTH, self.rng)), *norm)
        return (*self.layers(IMAGE, at), Routed(TOKENS, inner))

    def _width(self, least: int, most: int) -> int:
        return int(self.rng.choice([width for width in WIDTHS if least <= width <= most]))

    def _wider(self, width: int) -> int:
        """Returns twice the width mostly, else one near it."""
        double = 2 * width
        if double in WIDTHS and self.rng.random() < 0.7:
            return double
        return int(self.rng.choice([*near_widths(width), width]))
