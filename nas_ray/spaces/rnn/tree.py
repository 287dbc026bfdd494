"""The recurrent cells of NAS-RL: a binary tree of steps from a word and a state to the next state."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.errors.checks import TEXT, whole
from nas_ray.spaces.darts_cells import LONGEST
from nas_ray.spaces.rnn.sizes import RecurrentSizes
from nas_ray.spaces.rnn.steps import ACTIVATIONS, METHODS, Step, Tree
from nas_ray.spaces.sequences import check_decisions, sequence_neighbors

if TYPE_CHECKING:
    from torch import nn

MOST_BASE = 64

_ARCH = re.compile(r"\|((?:\w+_\w+\|)+)\+\|(\w+_\w+)~([0-9]{1,6})\|\+\|cell~([0-9]{1,6})\|")


class RnnTree(RecurrentSizes):
    """The recurrent cells of NAS-RL, about 6e16 with eight leaves; their nets read tokens `[B, T]`.

    Each leaf combines a matrix times the word with a matrix times the state, each node above two nodes
    below, without weights; the root is the next state. An arch is written
    `|add_tanh|mult_relu|...|+|add_relu~0|+|cell~1|`: a method and an activation of each node, leaves first;
    with which the cell variable comes to which node; and the node of which it is read.

    Source: Zoph and Le, "Neural Architecture Search with Reinforcement Learning", ICLR 2017, section 3.4.
    Differs: the paper does not say which nodes the cell index may name; all, with which the space has the
    published size. Weights start uniformly in +-.04, as those of `darts-rnn`.

    Args:
        width, embedding: as of `RecurrentSizes`.
        base: leaves, a power of two. Published: 8.

    Raises:
        UsageError: sizes that cannot be.
    """

    name = "rnn-tree"

    def __init__(self, width: int = 300, embedding: int | None = None, base: int = 8) -> None:
        super().__init__(width, embedding)
        whole(2).check(f"The base of {self.name}", base)
        if base & (base - 1) or base > MOST_BASE:
            raise UsageError(f"The base of {self.name} must be a power of two up to {MOST_BASE}, got {base}.")
        self.base = base

    def cost_class(self, arch: str) -> str:
        """Returns one value for all archs, which have equal costs."""
        return self.name

    @property
    def nodes(self) -> int:
        """Nodes of a tree."""
        return 2 * self.base - 1

    def tree(self, arch: str) -> Tree:
        """Returns the tree of `arch`.

        Raises:
            UsageError: not an arch of this space.
        """
        TEXT.check("An arch", arch)
        found = _ARCH.fullmatch(arch)
        tree = Tree((), ("", ""), 0, 0)
        if found is not None:
            steps = tuple(_step(part) for part in found[1][:-1].split("|"))
            tree = Tree(steps, _step(found[2]), int(found[3]), int(found[4]))
        known = all(one in METHODS and other in ACTIVATIONS for one, other in (*tree.steps, tree.inject))
        within = len(tree.steps) == self.nodes and max(tree.injected, tree.read) < self.nodes
        if not known or not within or tree.written() != arch:
            raise UsageError(
                f"An arch of {self.name} with {self.base} leaves is {self.nodes} steps of "
                f"{' or '.join(METHODS)} with one of {', '.join(ACTIVATIONS)}, an inject and a cell below "
                f"{self.nodes}, such as |add_tanh|...|+|add_relu~0|+|cell~1|; got {arch[:LONGEST]!r}."
            )
        return tree

    def __contains__(self, arch: object) -> bool:
        try:
            return isinstance(arch, str) and bool(self.tree(arch))
        except UsageError:
            return False

    def choices(self) -> tuple[tuple[str, ...], ...]:
        """Returns the options in the order of the paper: of each step, of inject, and both cell indices."""
        numbers = tuple(map(str, range(self.nodes)))
        return (*((METHODS, ACTIVATIONS) * (self.nodes + 1)), numbers, numbers)

    def decisions(self, arch: str) -> tuple[str, ...]:
        """Returns the decisions of `arch`.

        Raises:
            UsageError: not an arch of this space.
        """
        tree = self.tree(arch)
        steps = (part for step in (*tree.steps, tree.inject) for part in step)
        return (*steps, str(tree.read), str(tree.injected))

    def assemble(self, decisions: Sequence[str]) -> str:
        """Returns the arch of these decisions.

        Raises:
            UsageError: another number of decisions, or one that is no option.
        """
        what = ", which are methods, activations and numbers of nodes"
        check_decisions(self.name, decisions, self.choices(), what)
        *parts, read, injected = decisions
        *steps, inject = zip(parts[::2], parts[1::2], strict=True)
        return Tree(tuple(steps), inject, int(injected), int(read)).written()

    def sample(self, rng: np.random.Generator) -> str:
        """Returns an arch drawn uniformly."""
        return self.assemble([str(rng.choice(options)) for options in self.choices()])

    neighbors = sequence_neighbors

    def label(self, arch: str) -> str:
        """Returns how often each method and activation stands in the tree."""
        steps = self.tree(arch).steps
        words = [word for step in steps for word in step]
        counts = ((word, words.count(word)) for word in (*METHODS, *ACTIVATIONS))
        return " ".join(f"{count} {word}" for word, count in counts if count)

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns a new net of tokens `[B, T]` to logits `[B, T, num_classes]`, a vocabulary of that size."""
        from nas_ray.spaces.rnn.nets import LanguageNet
        from nas_ray.spaces.rnn.tree_cell import TreeCell

        return LanguageNet(TreeCell(self.tree(arch), self.embedding, self.width), num_classes, self.embedding)


def _step(text: str) -> Step:
    method, _, activation = text.partition("_")
    return method, activation
