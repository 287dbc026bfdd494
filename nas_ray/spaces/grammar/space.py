"""The space `grammar`: whole nets that are sentences of a probabilistic grammar."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nas_ray.errors import UsageError, unknown_name
from nas_ray.errors.checks import whole
from nas_ray.spaces.grammar.costs import cost_of
from nas_ray.spaces.grammar.derivation import Derivation
from nas_ray.spaces.grammar.limits import Limits
from nas_ray.spaces.grammar.named import NETS
from nas_ray.spaces.grammar.reading import MOST_DEPTH, MOST_NODES, chain_in, in_one_form, read
from nas_ray.spaces.grammar.summary import summary
from nas_ray.spaces.grammar.terms import Chain, written
from nas_ray.spaces.grammar.vary import crossed, crossings, mutated, neighbours
from nas_ray.spaces.grammar.walk import Walk
from nas_ray.spaces.grammar.words import text_of, words_of

if TYPE_CHECKING:
    from torch import nn

SIZE: Final = 32
"""Height and width of the images where nobody says another."""
PIXELS: Final = 64
"""To which larger images are averaged."""
PARAMS, VALUES = 30_000_000, 8_000_000
"""Weights of a net without its classifier, and values of all its maps for one image of `PIXELS`."""
NODES, DEPTH = 250, 10
TRIES, FEW = 100, 25
"""Draws of what is within limits: of a change, and of a whole net before one of a few layers is drawn."""
MOST_NEAR: Final = 200
"""Neighbours of an arch, at most."""
CROSSOVER: Final = 0.3
"""How often a child of two different parents has parts of both; else it is a mutation of the first."""
MORE: Final = 0.5
"""How often one mutation more is made of a net from which a search starts."""
SIMPLEST: Final = "conv3:8-bn-relu"
"""What is returned where nothing else is within limits."""


class Grammar:
    """Nets that are sentences: sequences, branches and routings of layers, of any depth within limits.

    An arch reads `conv3:16-bn-relu-[(id+conv3:16-bn-relu-conv3:16-bn)-relu]*3-tokens(ln-attn:4)`.
    Every part has a type (channels, stride, map or tokens), so that what is derived, mutated or recombined
    fits. Archs that are equal by simple algebra are one arch.

    Source: the idea is that of Ericsson, Espinosa, Yang, Antoniou, Storkey, Cohen, McDonagh and Crowley,
        "einspace: Searching for Neural Architectures from Fundamental Operations", NeurIPS 2024: a
        probabilistic context-free grammar of sequential, branching and routing modules and of computations,
        evolved by mutation of subtrees, from known nets where that is wanted.
    Differs: rules, chances and layers are ours: layers are those that nets have and not their parts, nets
        have stages, and types are widths and strides, so that a sentence is a net for images of any size.

    Args:
        image_size: height and width of the images; above `pixels` they are averaged to these.
        start: names of `NETS` joined by `+`, of which `sample` then draws one and mutates it; empty for
            sentences drawn from the rules.
        nodes: layers, branches and routings of an arch, at most.
        depth: branches and routings in each other, at most.
        params: weights of a net without its classifier, at most.
        pixels: height and width of the largest images that nets are made for; limits are for these, so that
            an arch is one whatever the images are.
        values: of all maps of one image of so many pixels, at most.

    Raises:
        UsageError: a name is unknown, or a number is none or leaves no net.
    """

    name = "grammar"

    def __init__(
        self,
        image_size: int = SIZE,
        *,
        start: str = "",
        nodes: int = NODES,
        depth: int = DEPTH,
        params: int = PARAMS,
        pixels: int = PIXELS,
        values: int = VALUES,
    ) -> None:
        whole(1).check("The image size of grammar", image_size)
        whole(1).check("The pixels of grammar", pixels)
        self.size = min(image_size, pixels)
        self.pixels = pixels
        self.limits = Limits(nodes, depth, params, values)
        for name, most in (("nodes", MOST_NODES), ("depth", MOST_DEPTH), ("params", None), ("values", None)):
            given = getattr(self.limits, name)
            whole(1).check(f"The {name} of grammar", given)
            if most is not None and given > most:
                raise UsageError(f"The {name} of grammar must be at most {most}, got {given}.")
        if (why := self.limits.broken_by(read(SIMPLEST), pixels)) is not None:
            raise UsageError(
                f"The limits of grammar must leave a net, but the simplest, {SIMPLEST}, {why}; give others."
            )
        self._walk = Walk(self.limits, pixels)
        self.start = tuple(filter(None, start.split("+")))
        for name in self.start:
            if name not in NETS:
                raise UsageError(unknown_name("net of grammar", name, list(NETS)))
            self._read(NETS[name])

    def for_image_size(self, image_size: int) -> Grammar:
        """Returns the same archs with nets for square images of `image_size` pixels."""
        limits = dataclasses.asdict(self.limits)
        return Grammar(image_size, start="+".join(self.start), pixels=self.pixels, **limits)

    def __contains__(self, arch: object) -> bool:
        """Returns whether `arch` is a sentence that can be built, within the limits."""
        try:
            return isinstance(arch, str) and bool(self._read(arch))
        except UsageError:
            return False

    def sample(self, rng: np.random.Generator) -> str:
        """Returns a sentence drawn by the chances of the rules, or a net to start from, mutated or not."""
        if not self.start:
            return self._drawn(rng)
        made = NETS[self.start[int(rng.integers(len(self.start)))]]
        while rng.random() < MORE:
            made = self._mutated(made, rng)
        return made

    def sample_from(self, parents: Sequence[str], rng: np.random.Generator) -> str:
        """Returns a child: the first parent with a part of another one, or with a part drawn anew.

        Raises:
            UsageError: there are no parents, or one is no arch.
        """
        if not parents:
            raise UsageError("A child needs one parent at least, got none.")
        others = [self._read(other) for other in parents[1:] if other != parents[0]]
        if others and rng.random() < CROSSOVER:
            chain = self._read(parents[0])
            choices = crossings(chain, others[int(rng.integers(len(others)))])
            child = self._tried(lambda: crossed(chain, choices, rng), parents[0]) if choices else None
            if child is not None:
                return child
        return self._mutated(parents[0], rng)

    def neighbors(self, arch: str) -> list[str]:
        """Returns archs with one layer of another kind, or one part removed, doubled, or beside a shortcut.

        A part is a layer, all branches, or what is routed; of branches one may remain. Of more than
        `MOST_NEAR` they are some, which `arch` alone decides.

        Raises:
            UsageError: no arch of this space.
        """
        drawn = neighbours(self._read(arch), MOST_NEAR, np.random.default_rng(zlib.crc32(arch.encode())))
        near = (written(chain) for chain in drawn if chain and self._within(chain))
        return [other for other in dict.fromkeys(near) if other != arch]

    def options(self, prefix: tuple[str, ...]) -> tuple[str, ...]:
        """Returns the words that may follow some words: layers, their numbers, and brackets (`walk.py`)."""
        return self._walk.options(tuple(prefix))

    def decisions(self, arch: str) -> tuple[str, ...]:
        """Returns the words of `arch`.

        Raises:
            UsageError: no arch of this space.
        """
        return tuple(words_of(self._read(arch)))

    def assemble(self, decisions: Sequence[str]) -> str:
        """Returns the arch of words, in its one form.

        Raises:
            UsageError: they make none.
        """
        return written(self._checked(chain_in(text_of(decisions))))

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns a new net `[B, 3, H, W] -> [B, num_classes]`, which runs on images of any size.

        Raises:
            UsageError: no arch, or one above the limits.
        """
        chain = self._read(arch)
        from nas_ray.spaces.grammar.nets import GrammarNet  # torch takes seconds

        return GrammarNet(chain, self.size, num_classes)

    def cost(self, arch: str, num_classes: int, image: tuple[int, int, int]) -> tuple[int, int]:
        """Returns parameters, and multiply-adds of one image, by formula."""
        cost = cost_of(self._read(arch), self.size, num_classes)
        return cost.params, cost.multiply_adds

    def label(self, arch: str) -> str:
        """Returns what an arch is, such as `9 conv 1 attn, 4 sums, 64 channels at stride 4`, or its name."""
        named = next((f"{name}: " for name, other in NETS.items() if other == arch), "")
        return f"{named}{summary(read(arch))}"

    def _mutated(self, parent: str, rng: np.random.Generator) -> str:
        chain = self._read(parent)
        return self._tried(lambda: mutated(chain, rng), parent) or self._drawn(rng)

    def _drawn(self, rng: np.random.Generator) -> str:
        """Returns a sentence drawn by the chances of the rules."""
        drawn = self._tried(lambda: Derivation(rng).net(), tries=FEW) or self._tried(Derivation(rng).short)
        return drawn or SIMPLEST

    def _tried(
        self, make: Callable[[], Chain | None], other_than: str = "", tries: int = TRIES
    ) -> str | None:
        """Returns the first arch that is made and within limits, of some tries; None if there is none."""
        for _ in range(tries):
            chain = make()
            if chain and self._within(chain) and (arch := written(chain)) != other_than:
                return arch
        return None

    def _within(self, chain: Chain) -> bool:
        try:
            return self.limits.broken_by(chain, self.pixels) is None
        except UsageError:
            return False

    def _read(self, arch: str) -> Chain:
        """Returns the chain of an arch of this space.

        Raises:
            UsageError: it is none, or above a limit.
        """
        return in_one_form(self._checked(chain_in(arch)), arch)

    def _checked(self, chain: Chain) -> Chain:
        """Returns a chain that is within the limits.

        Raises:
            UsageError: it is not, or its parts do not fit.
        """
        if (why := self.limits.broken_by(chain, self.pixels)) is not None:
            raise UsageError(
                f"An arch of grammar must make a net within limits, but {written(chain)[:200]} {why}; give "
                "the space other limits, or take another arch."
            )
        return chain

    def __getstate__(self) -> dict[str, Any]:
        """Returns all but what is remembered of sequences."""
        return {**self.__dict__, "_walk": Walk(self.limits, self.pixels)}
