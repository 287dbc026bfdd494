"""The space `macro`: whole nets, drawn from the graphs of nets that are known to work."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from functools import cache, lru_cache
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.errors.checks import whole
from nas_ray.spaces.graphs.graph import LayerGraph, graph_of_calls
from nas_ray.spaces.graphs.properties import even, released
from nas_ray.spaces.graphs.stored import graph_of
from nas_ray.spaces.macro.chain import Token, tokens_of, written
from nas_ray.spaces.macro.plan import LINEAR, Step, layers_of_steps, steps_of
from nas_ray.spaces.macro.sampling import Parents

if TYPE_CHECKING:
    from torch import nn

SIZE: Final = 32
"""Height and width of the images that nets are drawn for; larger ones are averaged down to it."""
SEEDS: Final = Path(__file__).with_name("seeds.json")
MOST_LAYERS, MOST_FEATURES = 500, 6_000
"""Layers of a net, those of blocks counted each, and values that a layer of the last features may take."""
MOST_PARAMS, MOST_VALUES = 10_000_000, 4_000_000
"""Weights of a net, and values of all its maps for one image."""
TRIES: Final = 1_000
_LIMIT_CLASSES: Final = 10


class Macro:
    """Nets without a skeleton: chains of convolutions, residual blocks, pooling and linear layers.

    An arch reads `conv:64:7x7-bn-relu-max:3x3-res-down:64-dropout:0.5-head` (`chain.py`). It is drawn layer
    by layer from the graphs of well-known nets, or of other archs, and has no neighbours.

    Source: Lopes and Alexandre, "Towards Less Constrained Macro-Neural Architecture Search", 2022, as in its
        released code: average pooling in place of maximum pooling, ReLU in place of ReLU6, no strides but
        those of blocks, every value of a property equally likely, and no chance for the worst parent.
    Differs: the parents of `sample` stand in a random order each time, as nobody has judged them; shapes are
        exact, where the released code draws again if a net fails; nets have limits on weights and values, and
        googlenet is no parent, as there, where its fitness is 0.

    Args:
        image_size: height and width of the images; above 32 pixels they are averaged down to 32.
    """

    name = "macro"

    def __init__(self, image_size: int = SIZE) -> None:
        whole(1).check("The image size of macro", image_size)
        self.size = min(image_size, SIZE)

    def for_image_size(self, image_size: int) -> Macro:
        """Returns the same archs with nets for square images of `image_size` pixels."""
        return Macro(image_size)

    def __contains__(self, arch: object) -> bool:
        """Returns whether `arch` is a chain that can be built, within the limits."""
        try:
            return isinstance(arch, str) and why_not(tokens_of(arch)) is None
        except UsageError:
            return False

    def sample(self, rng: np.random.Generator) -> str:
        """Returns an arch drawn from the graphs of well-known nets."""
        return drawn([seeds()[place] for place in rng.permutation(len(seeds()))], rng)

    def sample_from(
        self, parents: Sequence[str], rng: np.random.Generator, fitness: Sequence[float] | None = None
    ) -> str:
        """Returns a child of archs: each of its layers is drawn from one of them.

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
        graphs = [child_graph(parent) for parent in parents]
        order = rng.permutation(len(graphs)) if fitness is None else _ascending(fitness)
        return drawn([graphs[place] for place in order], rng, other=parents[int(order[-1])])

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
        if not uniform:
            return self.sample_from(ranked, rng, range(len(ranked)))
        return drawn([even(child_graph(parent)) for parent in ranked], rng, other=ranked[-1])

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns a new net `[B, 3, H, W] -> [B, num_classes]`, which runs on images of any size.

        Raises:
            UsageError: no arch, or one above the limits.
        """
        tokens = tokens_of(arch)
        if (why := why_not(tokens)) is not None:
            raise UsageError(f"An arch of macro must make a net within limits, but {arch} {why}.")
        from nas_ray.spaces.macro.nets import MacroNet  # torch takes seconds

        return MacroNet(steps_of(tokens, (3, self.size, self.size), num_classes), self.size)

    def label(self, arch: str) -> str:
        """Returns how many layers of which kind an arch has, such as `12 conv 9 res of 61`."""
        tokens = tokens_of(arch)
        counts = Counter(token.word for token in tokens)
        shown = [f"{counts[word]} {word}" for word in ("conv", "res", "down", "square") if counts[word]]
        return f"{' '.join([*shown, ''])}of {len(tokens)}"


def _ascending(fitness: Sequence[float]) -> np.ndarray:
    values = np.asarray(fitness, dtype=float)
    return np.argsort(np.where(np.isnan(values), -np.inf, values), kind="stable")


def drawn(graphs: Sequence[LayerGraph], rng: np.random.Generator, other: str | None = None) -> str:
    """Returns an arch drawn from graphs, the first that is within limits.

    Args:
        graphs: from the worst to the best.
        rng: draws.
        other: what is returned where none is found.

    Raises:
        UsageError: none is found.
    """
    parents = Parents(graphs)
    for _ in range(TRIES):
        tokens, _ = parents.chain((SIZE, SIZE), rng)
        if why_not(tokens) is None:
            return written(tokens)
    if other is None:
        raise UsageError(f"The graphs must make a net within limits, but {TRIES:,} draws made none.")
    return other


@lru_cache(maxsize=1024)
def child_graph(arch: str) -> LayerGraph:
    """Returns the graph of an arch's net, as its layers would be traced.

    Raises:
        UsageError: no arch.
    """
    steps = steps_of(tokens_of(arch), (3, SIZE, SIZE), _LIMIT_CLASSES)
    return released(graph_of_calls(arch, list(layers_of_steps(steps))))


@cache
def seeds() -> tuple[LayerGraph, ...]:
    """Returns the graphs of the well-known nets, as the released code keeps them."""
    forms = json.loads(SEEDS.read_text(encoding="utf-8"))
    return tuple(released(graph_of(form, f"the file {SEEDS.name}")) for form in forms)


def why_not(tokens: Sequence[Token]) -> str | None:
    """Returns why a chain makes no net, the end of a sentence; None where it makes one."""
    try:
        steps = steps_of(tokens, (3, SIZE, SIZE), _LIMIT_CLASSES)
    except UsageError as error:
        return f"cannot be built ({error})"
    return _above_limits(steps)


def _above_limits(steps: Sequence[Step]) -> str | None:
    if sum(_weight(step.token) for step in steps) > MOST_LAYERS:
        return f"has more than {MOST_LAYERS} layers"
    for step in reversed(steps):
        if step.token.word in LINEAR:
            if (taken := prod(step.takes)) > MOST_FEATURES:
                return f"has {taken:,} values before its last layers, more than {MOST_FEATURES:,}"
        elif step.token.word not in ("relu", "relu6", "dropout"):
            break
    if (params := sum(step.params for step in steps)) > MOST_PARAMS:
        return f"has {params:,} weights, more than {MOST_PARAMS:,}"
    values = sum(prod(step.gives) * _weight(step.token) for step in steps)
    return f"has {values:,} values in its maps, more than {MOST_VALUES:,}" if values > MOST_VALUES else None


def _weight(token: Token) -> int:
    """Returns how many layers a token counts as, as in the released code."""
    return {"res": 7, "down": 8}.get(token.word, 1)
