"""A recurrent cell of NAS-RL as data: a binary tree of steps, and what becomes of its cell variable."""

from __future__ import annotations

from dataclasses import dataclass

METHODS = ("add", "mult")
"""How a step combines two inputs: their sum, or their product."""
ACTIVATIONS = ("identity", "tanh", "sigmoid", "relu")

Step = tuple[str, str]
"""A method and an activation."""


@dataclass(frozen=True)
class Tree:
    """The steps of a tree, leaves first and the root last, and what becomes of the cell variable c.

    Attributes:
        steps: of every node; the first ones, one more than half, are leaves, and node `b + i` reads the two
            nodes `2 i` and `2 i + 1`, b being the number of leaves.
        inject: how the cell variable of the step before comes to what its node gives.
        injected: the node that it comes to.
        read: the node whose combination, before the activation, is the next cell variable.
    """

    steps: tuple[Step, ...]
    inject: Step
    injected: int
    read: int

    @property
    def leaves(self) -> int:
        """The base number: nodes that read the word and the state."""
        return (len(self.steps) + 1) // 2

    def inputs(self, node: int) -> tuple[int, int]:
        """Returns the two nodes that a node above the leaves reads."""
        first = 2 * (node - self.leaves)
        return first, first + 1

    def written(self) -> str:
        """Returns `|add_tanh|...|+|add_relu~0|+|cell~1|`: steps, then inject, then the node that is read."""
        steps = "".join(f"{method}_{activation}|" for method, activation in self.steps)
        return f"|{steps}+|{'_'.join(self.inject)}~{self.injected}|+|cell~{self.read}|"
