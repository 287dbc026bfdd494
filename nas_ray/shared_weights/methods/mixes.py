"""From architecture parameters to the mix that a supernet is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nas_ray.shared_weights.methods.arch_weights import ArchWeights, Policy, UniformPath
from nas_ray.shared_weights.methods.chance import Chance
from nas_ray.shared_weights.methods.edge_weights import EdgeWeights
from nas_ray.shared_weights.methods.method import Method
from nas_ray.shared_weights.mixed import Mix

Tensors = tuple[Tensor, ...]


@dataclass(frozen=True)
class Pass:
    """The weights of operations and edges for one use of the net, with gradients to what made them.

    Attributes:
        weights: `[E, O]` by graph.
        edges: `[E]` by graph; None where all edges count 1.
        active: bool `[E, O]` by graph on the CPU; None for everything.
        skip: weight of the auxiliary skip beside each edge.
        drop: dropout rate behind skip connections.
        seed: of that dropout.
        unchosen_learn: whether operations that are not active have a gradient all the same.
    """

    weights: Tensors
    edges: Tensors | None
    active: Tensors | None
    skip: float = 0.0
    drop: float = 0.0
    seed: int = 0
    unchosen_learn: bool = False

    @property
    def made(self) -> Tensors:
        """Weights of operations, and then of edges."""
        return (*self.weights, *(self.edges or ()))

    def leaves(self) -> Tensors:
        """Returns `made` as leaves of their own."""
        return tuple(own.detach().requires_grad_() for own in self.made)

    def mix(self, made: Sequence[Tensor] | None = None) -> Mix:
        """Returns the mix with other tensors in the place of `made`; without any, without gradients."""
        values = tuple(own.detach() for own in self.made) if made is None else tuple(made)
        number = len(self.weights)
        return Mix(
            values[:number],
            self.active,
            None if self.edges is None else values[number:],
            skip=self.skip,
            drop_skip=self.drop,
            inactive_as_scalar=self.unchosen_learn and any(own.requires_grad for own in values),
        )


class Mixes:
    """What a method mixes by: parameters, which operations are still there, and what fades over the epochs.

    Args:
        method: what is done.
        arch: makes weights of operations.
        edges: makes those of edges; None where all count 1.
        keep: bool `[E, O]` by graph: operations that are still there.
        chance: draws.
        device: where weights are.
        unchosen_learn: whether operations that GDAS did not draw have a gradient (`Protocol`).

    Attributes:
        keep: bool `[E, O]` by graph, on the device: operations that are still there.
        there: the same on the CPU.
        skip: weight of the auxiliary skip beside each edge.
        drop: dropout rate behind skip connections.
        seeded: whether each pass is given a seed for other dropout.
    """

    def __init__(
        self,
        method: Method,
        arch: ArchWeights,
        edges: EdgeWeights | None,
        keep: Tensors,
        chance: Chance,
        device: torch.device,
        *,
        unchosen_learn: bool,
    ) -> None:
        self.unchosen_learn = unchosen_learn and method.weights == "gumbel"
        self.method, self.arch, self.edges, self.chance = method, arch, edges, chance
        self.skip, self.drop, self.seeded = 0.0, 0.0, False
        self.device = device
        self.set_keep(keep)

    def set_keep(self, keep: Tensors) -> None:
        """Says which operations are still there."""
        self.there = tuple(own.cpu() for own in keep)
        self.keep = tuple(own.to(self.device) for own in self.there)
        self._active = None if all(bool(own.all()) for own in self.there) else self.there
        self._for_arch = self.there if isinstance(self.arch, (UniformPath, Policy)) else self.keep

    def draw(self, chance: Chance | None = None) -> Pass:
        """Returns the weights for one use of the net in training, drawn by `chance`."""
        chance = chance or self.chance
        drawn = self.arch.draw(self._for_arch, chance)
        chosen = tuple(own.active for own in drawn if own.active is not None)
        active = chosen if len(chosen) == len(drawn) else self._active
        seed = chance.whole(2**31) if self.drop or self.seeded else 0
        weights = tuple(own.weights for own in drawn)
        return Pass(weights, self._edges(), active, self.skip, self.drop, seed, self.unchosen_learn)

    def mean(self) -> Pass:
        """Returns the strengths as weights, without chance and dropout."""
        return Pass(self.arch.strengths(self._for_arch), self._edges(), self._active, self.skip)

    def judged(self, chance: Chance) -> Pass:
        """Returns how the net is judged: by the strengths, or by a path where it was trained by paths."""
        return self.draw(chance) if self.method.single_path else self.mean()

    def _edges(self) -> Tensors | None:
        return None if self.edges is None else self.edges()

    def state(self) -> dict[str, Any]:
        """Returns parameters, which operations are there, what fades, and where chance stands."""
        return {
            "arch": self.arch.state_dict(),
            "edges": None if self.edges is None else self.edges.state_dict(),
            "keep": self.there,
            "fading": (self.skip, self.drop),
            "chance": self.chance.state(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on as after `state`."""
        self.arch.load_state_dict(state["arch"])
        if self.edges is not None:
            self.edges.load_state_dict(state["edges"])
        self.set_keep(state["keep"])
        self.skip, self.drop = state["fading"]
        self.chance.load_state(state["chance"])

    def parameters(self) -> list[torch.nn.Parameter]:
        """Returns all architecture parameters that are learned."""
        own = [*self.arch.parameters(), *(self.edges.parameters() if self.edges is not None else ())]
        return [one for one in own if one.requires_grad]
