"""The space `macro`: whole nets, drawn from the graphs of nets that are known to work."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from nas_ray.errors import UsageError, unknown_name
from nas_ray.errors.checks import Kind, whole
from nas_ray.spaces.by_rank import by_rank
from nas_ray.spaces.graphs.graph import LayerGraph, graph_of_calls
from nas_ray.spaces.graphs.properties import even
from nas_ray.spaces.macro.chain import MOST_TOKENS, tokens_of, written
from nas_ray.spaces.macro.fitting import Map
from nas_ray.spaces.macro.mutation import CHANGES, mutated
from nas_ray.spaces.macro.plan import layers_of_steps, steps_of
from nas_ray.spaces.macro.rules import SIZE, Rules
from nas_ray.spaces.macro.sampling import Parents
from nas_ray.spaces.macro.seeds import seed_parents
from nas_ray.spaces.macro.seeds import seeds as seeds
from nas_ray.spaces.macro.variant import RELEASED, VARIANTS, Variant

if TYPE_CHECKING:
    from torch import nn

TRIES: Final = 1_000
CHANNELS: Final = 3
"""Of the images."""
NEAR_BY_EACH: Final = 6
"""Neighbours of an arch by each kind of mutation."""
_CHANCE = Kind("a number from 0 to 1", lambda value: isinstance(value, (int, float)) and 0 <= value <= 1)


class Macro:
    """Nets without a skeleton: chains of convolutions, residual blocks, pooling and linear layers.

    An arch reads `conv:64:7x7-bn-relu-max:3x3-res-down:64-dropout:0.5-head` (`chain.py`). It is drawn layer
    by layer from the graphs of well-known nets, or of other archs. Two variants differ in this:

    - `released`, as the code of the paper does it: average pooling in place of maximum pooling, ReLU in place
      of ReLU6, no strides but those of blocks, every value of a property equally likely, and no chance for
      the worst parent.
    - `described`: each of these is what it is called, values are as likely as they are frequent, and stride,
      padding, dilation and groups are properties as others are (`conv:96:3x3:s2:g32`).

    Source: Lopes and Alexandre, "Towards Less Constrained Macro-Neural Architecture Search", 2022.
    Differs: the order of the first parents is inferred, as their fitness is that of trainings (`seeds.py`);
        shapes are exact, where the released code draws again if a net fails; nets have limits on weights and
        memory; googlenet is no parent, as there, where its fitness is 0; mutations are ours.

    Args:
        image_size: height and width of the images; above 32 pixels they are averaged down to 32.
        variant: `released` or `described`; `as=` in the name of a space.
        layers: most layers of a net, those of residual blocks counted each.
        params: most weights of a net of ten classes.
        memory: most MiB of all maps of one image of 32 pixels, in float32. Autograd keeps up to 1.5 times as
            much for each image of a batch, and the weights come on top.
        mutation: how often a child (`sample_from`) is a mutation of one parent, and not drawn from all.
    """

    name = "macro"

    def __init__(
        self,
        image_size: int = SIZE,
        *,
        variant: str = RELEASED.name,
        layers: int = Rules.layers,
        params: int = Rules.params,
        memory: int = Rules.memory,
        mutation: float = 0.0,
    ) -> None:
        whole(1).check("The image size of macro", image_size)
        if variant not in VARIANTS:
            raise UsageError(unknown_name("variant of macro", variant, list(VARIANTS)))
        for name, limit in {"layers": layers, "params": params, "memory": memory}.items():
            whole(1).check(f"The limit {name} of macro", limit)
        if layers > MOST_TOKENS:
            raise UsageError(f"The limit layers of macro must be at most {MOST_TOKENS:,}, got {layers:,}.")
        _CHANCE.check("The mutation of macro", mutation)
        self.size = min(image_size, SIZE)
        self.rules = Rules(VARIANTS[variant], layers, params, memory)
        self.mutation = mutation

    def for_image_size(self, image_size: int) -> Macro:
        """Returns the same archs with nets for square images of `image_size` pixels."""
        rules = self.rules
        limits = {"layers": rules.layers, "params": rules.params, "memory": rules.memory}
        return Macro(image_size, variant=rules.variant.name, mutation=self.mutation, **limits)

    def __contains__(self, arch: object) -> bool:
        """Returns whether `arch` is a chain that can be built, within the limits."""
        try:
            return isinstance(arch, str) and bool(self.rules.read(arch))
        except UsageError:
            return False

    def sample(self, rng: np.random.Generator) -> str:
        """Returns an arch drawn from the graphs of well-known nets."""
        arch = drawn(seed_parents(self.rules.variant), self.rules, rng)
        if arch is None:
            raise UsageError(
                f"The limits of macro must leave nets that can be drawn, but {TRIES:,} draws made none of at "
                f"most {self.rules.layers:,} layers, {self.rules.params:,} weights and {self.rules.memory} "
                "MiB of maps; raise them."
            )
        return arch

    def sample_from(
        self, parents: Sequence[str], rng: np.random.Generator, fitness: Sequence[float] | None = None
    ) -> str:
        """Returns a child of archs: each of its layers is drawn from one of them.

        A parent is drawn for each layer by its rank: from 0 as released, so the worst of several gives
        nothing, and from 1 as described. With `mutation` a child may be a mutation of one parent instead,
        which is drawn by the same ranks from 1.

        Args:
            parents: one or more archs.
            rng: draws.
            fitness: of each, NaN is the worst; None puts them in a random order.

        Raises:
            UsageError: one is no arch, or there are none, or not as many as fitnesses.
        """
        if not parents or (fitness is not None and len(fitness) != len(parents)):
            count = "no" if fitness is None else f"{len(fitness)}"
            raise UsageError(
                f"A child needs one parent at least, and a fitness for each or none, got {len(parents)} "
                f"parents and {count} fitnesses."
            )
        order = rng.permutation(len(parents)) if fitness is None else _ascending(fitness)
        return self.drawn_from([parents[place] for place in order], rng)

    def drawn_from(self, ranked: Sequence[str], rng: np.random.Generator, *, uniform: bool = False) -> str:
        """Returns a child of `ranked`, archs from the worst to the best, drawn from the graphs of their nets.

        Args:
            ranked: one or more archs.
            rng: draws.
            uniform: whether what follows a layer, and each value of a property, is equally likely, however
                often a parent has it.

        Raises:
            UsageError: one is no arch, or there are none.
        """
        if not ranked:
            raise UsageError("A child needs one parent at least, got none.")
        if self.mutation and rng.random() < self.mutation:
            return self.mutant(ranked[by_rank(len(ranked), rng, least=1) or 0], rng)
        variant, graph = self.rules.variant, even_graph if uniform else child_graph
        parents = Parents([graph(arch, variant) for arch in ranked], variant)
        return drawn(parents, self.rules, rng) or ranked[-1]

    def mutant(self, arch: str, rng: np.random.Generator, change: str | None = None) -> str:
        """Returns an arch one mutation away: a layer changed, added, removed or moved, or a part drawn anew.

        Args:
            arch: the parent, which comes back in the rare case that no mutation of it is within the limits.
            rng: draws.
            change: one of `mutation.CHANGES`; None for any.

        Raises:
            UsageError: no arch.
        """
        parents = seed_parents(self.rules.variant)
        return written(mutated(self.rules.read(arch), parents, self.rules, rng, change))

    def neighbors(self, arch: str) -> list[str]:
        """Returns some of the archs one mutation away, of each kind as many; `arch` alone decides which.

        Raises:
            UsageError: no arch.
        """
        rng = np.random.default_rng(zlib.crc32(arch.encode()))
        near: dict[str, None] = {}
        for change in CHANGES:
            for _ in range(NEAR_BY_EACH):
                mutant = self.mutant(arch, rng, change)
                if mutant == arch:  # after many tries
                    break
                near[mutant] = None
        return list(near)

    def cost(self, arch: str, num_classes: int, image: Map) -> tuple[int, int] | None:
        """Returns parameters, and multiply-adds of one image, by formula; None for images without colours."""
        if image[0] != CHANNELS:
            return None
        steps = steps_of(self.rules.read(arch), (CHANNELS, self.size, self.size), num_classes)
        return sum(step.params for step in steps), sum(step.multiply_adds for step in steps)

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns a new net `[B, 3, H, W] -> [B, num_classes]`, which runs on images of any size.

        Raises:
            UsageError: no arch, or one above the limits.
        """
        tokens = self.rules.read(arch)
        from nas_ray.spaces.macro.nets import MacroNet  # torch takes seconds

        steps = steps_of(tokens, (CHANNELS, self.size, self.size), num_classes)
        return MacroNet(steps, self.size, self.rules.variant)

    def label(self, arch: str) -> str:
        """Returns how many layers of which kind an arch has, such as `12 conv 9 res of 61`."""
        tokens = tokens_of(arch)
        counts = Counter(token.word for token in tokens)
        shown = [f"{counts[word]} {word}" for word in ("conv", "res", "down", "square") if counts[word]]
        return f"{' '.join([*shown, ''])}of {len(tokens)}"


def drawn(parents: Parents, rules: Rules, rng: np.random.Generator) -> str | None:
    """Returns an arch drawn from parents, the first that is within limits; None where none is found."""
    for _ in range(TRIES):
        tokens = rules.settled(parents.chain((SIZE, SIZE), rng)[0])
        if tokens is not None:
            return written(tokens)
    return None


@lru_cache(maxsize=1024)
def child_graph(arch: str, variant: Variant = RELEASED) -> LayerGraph:
    """Returns the graph of an arch's net, as its layers would be traced and as a variant keeps them.

    Raises:
        UsageError: no arch.
    """
    steps = steps_of(tokens_of(arch), (CHANNELS, SIZE, SIZE), 10)
    return variant.kept(graph_of_calls(arch, list(layers_of_steps(steps, variant))))


@lru_cache(maxsize=1024)
def even_graph(arch: str, variant: Variant) -> LayerGraph:
    """Returns the graph of an arch's net in which whatever is there counts once.

    Raises:
        UsageError: no arch.
    """
    return even(child_graph(arch, variant))


def _ascending(fitness: Sequence[float]) -> np.ndarray:
    values = np.asarray(fitness, dtype=float)
    return np.argsort(np.where(np.isnan(values), -np.inf, values), kind="stable")
