"""The trainable supernet of the recurrent cells of DARTS: every activation on every edge, weights by node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.errors import UsageError
from nas_ray.shared_weights.mixed.mix import Mix, check_mix
from nas_ray.shared_weights.mixed.net import MixedNet, MixedSize, Place
from nas_ray.spaces.rnn.cells import NONE
from nas_ray.spaces.rnn.darts_cell import FUNCTIONS, masked
from nas_ray.spaces.rnn.nets import LanguageNet, drawn, zeros
from nas_ray.spaces.rnn.running import Ran, State
from nas_ray.spaces.rnn.space import NODES, DartsRnn


@dataclass
class Piece:
    """Tokens of a text with the state from which they are read.

    Attributes:
        tokens: `[B, T]`.
        state: before the first of them.
        ran: what the net gave when it read them last.
    """

    tokens: Tensor
    state: State
    ran: Ran | None = None

    def to(self, device: torch.device, non_blocking: bool = False) -> Piece:
        """Returns the same on a device."""
        return replace(self, tokens=self.tokens.to(device, non_blocking=non_blocking))

    @property
    def after(self) -> State:
        """The state behind the last token, without its history."""
        assert self.ran is not None
        return tuple(part.detach() for part in self.ran.state)


class MixedRecurrentCell(nn.Module):
    """A recurrent cell in which every edge mixes its activations, `[T, B, E] -> [T, B, H]`.

    Source: Liu et al., "DARTS", ICLR 2019, section 2.3, and the release: one matrix for each node, shared by
    all edges into it, and one BN without weights behind each node.
    Differs: none known.

    Args:
        space: whose cells it holds.

    Attributes:
        mix: what each operation counts; set before the cell is called.
    """

    fused = False

    def __init__(self, space: DartsRnn) -> None:
        super().__init__()
        self.width, self.graph = space.width, space.graphs()[0]
        self.first_input = nn.Linear(space.embedding, 2 * self.width, bias=False)
        self.first_hidden = nn.Linear(self.width, 2 * self.width, bias=False)
        self.nodes = nn.ModuleList(nn.Linear(self.width, 2 * self.width, bias=False) for _ in range(NODES))
        self.norm = nn.BatchNorm1d(self.width, affine=False)
        self.mix: Mix | None = None
        drawn(self)

    def begin(self, batch_size: int) -> State:
        """Returns the state before the first word: zeros `[B, H]`."""
        return (zeros(self, batch_size, self.width),)

    def forward(self, x: Tensor, state: State, hidden: Tensor | None) -> tuple[Tensor, State]:
        """Returns outputs `[T, B, H]` and the last of them, of embedded words `x [T, B, E]`."""
        assert self.mix is not None
        into = [self._into(node, self.mix) for node in range(1, NODES + 1)]
        (h,), outputs = state, []
        for words in self.first_input(x).unbind():
            gate, candidate = (words + F.linear(masked(h, hidden), self.first_hidden.weight)).chunk(2, -1)
            states = [self.norm(h + gate.sigmoid() * (candidate.tanh() - h))]
            for node, (sources, counts) in zip(self.nodes, into, strict=True):
                value = self._node(node, [states[source] for source in sources], counts, hidden)
                states.append(self.norm(value if sources else torch.zeros_like(states[0])))
            h = torch.stack(states[1:]).mean(0)
            outputs.append(h)
        return torch.stack(outputs), (h,)

    def _into(self, node: int, mix: Mix) -> tuple[list[int], dict[str, Tensor]]:
        """Returns the nodes that a node reads, and what each activation counts on them, `[n, 1, 1]` each."""
        edges = list(self.graph.incoming(node))
        weights = mix.weights[0][edges]
        if mix.edges is not None:
            weights = weights * mix.edges[0][edges].unsqueeze(1)
        ops = [op for op in self.graph.ops if op != NONE]
        places = [self.graph.ops.index(op) for op in ops]
        if mix.active is not None:
            there = mix.active[0][edges][:, places]
            kept = [place for place, row in enumerate(there) if bool(row.any())]
            ops_there = [bool(column.any()) for column in there.t()]
            places = [place for place, own in zip(places, ops_there, strict=True) if own]
            ops = [op for op, own in zip(ops, ops_there, strict=True) if own]
            weights = torch.where(mix.active[0][edges].to(weights.device), weights, 0.0)[kept]
            edges = [edges[place] for place in kept]
        sources = [self.graph.edges[edge][0] for edge in edges]
        own = weights[:, places].unsqueeze(-1).unsqueeze(-1)
        return sources, dict(zip(ops, own.unbind(1), strict=True))

    def _node(
        self, node: nn.Module, states: list[Tensor], counts: Mapping[str, Tensor], hidden: Tensor | None
    ) -> Tensor:
        """Returns the sum over the nodes that are read, each through a gate and all its activations."""
        if not states:
            return self.norm.running_mean.new_zeros(())  # type: ignore[union-attr]  # it has one
        before = torch.stack(states)
        gate, candidate = node(masked(before, hidden)).chunk(2, -1)
        gate = gate.sigmoid()
        made = sum(own * FUNCTIONS[op](candidate) for op, own in counts.items())
        past = sum(counts.values()) * before
        total: Tensor = (past + gate * (made - past)).sum(0)
        return total


class RecurrentMixedNet(MixedNet):
    """All archs of `darts-rnn` in one net, `[B, T] -> [B, T, V]`, also of a `Piece` with its state.

    Args:
        space: whose cells these are.
        size: of the net: its outputs are V, words of the vocabulary, and its channels H, features of the
            state; it has one cell, and `partial` is 1.

    Attributes:
        language: embedding, cell and classifier.

    Raises:
        UsageError: other cells or partial channels, which a recurrent net has not.
    """

    def __init__(self, space: DartsRnn, size: MixedSize) -> None:
        super().__init__()
        if size.cells not in (None, 1) or size.partial != 1:
            raise UsageError(
                "A recurrent supernet has one cell whose features all go through the operations; leave cells "
                f"and partial out, got cells={size.cells} and partial={size.partial}."
            )
        same = space.embedding == space.width
        self.space = self.own = DartsRnn(size.channels or space.width, None if same else space.embedding)
        self.graphs, self.num_classes = self.space.graphs(), size.num_classes
        self.language = LanguageNet(MixedRecurrentCell(self.space), size.num_classes, self.space.embedding)
        self.body = nn.ModuleList()
        self.cells, self.outputs, self.partial = (1,), tuple(range(1, NODES + 1)), size.partial

    @property
    def cell(self) -> MixedRecurrentCell:
        """The cell with all operations."""
        return cast(MixedRecurrentCell, self.language.cell)

    def forward(self, x: Tensor | Piece, mix: Mix) -> Tensor:
        """Returns logits of tokens from the beginning of a text, or of a piece, which notes them."""
        if isinstance(x, Piece):
            x.ran = self.run(x.tokens, x.state, mix)
            return x.ran.logits
        return self.run(x, self.begin(len(x)), mix).logits

    def begin(self, batch_size: int) -> State:
        """Returns the state before the first word."""
        return self.language.begin(batch_size)

    def run(self, tokens: Tensor, state: State, mix: Mix) -> Ran:
        """Returns what `RecurrentNet.run` does, under a mix."""
        check_mix(mix, self.graphs, self.cells)
        if mix.skip or mix.drop_skip or mix.weights[0].dim() != 2:
            raise UsageError("A recurrent supernet has one cell, and no skip connections beside its edges.")
        self.cell.mix = mix
        try:
            return self.language.run(tokens, state)
        finally:
            self.cell.mix = None

    def operation_parameters(self) -> Mapping[Place, list[nn.Parameter]]:
        """Returns nothing: all operations into a node share its weights."""
        return {}

    def source(self, arch: str) -> Callable[[str], str]:
        """Returns the function from names of the plain net to names in this one."""
        self.own.cell(arch)
        return lambda name: f"language.{name}"
