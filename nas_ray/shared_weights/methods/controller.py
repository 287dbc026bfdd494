"""A recurrent controller that draws archs decision by decision, and how it learns from rewards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from nas_ray.spaces.edges import EdgeGraph


class Decision(NamedTuple):
    """One decision of an arch.

    Attributes:
        graph: the number of the graph.
        edge: whose operation it is; None for the operation on the edge that was chosen just before.
        edges: the edges of which one is chosen; empty where an operation is.
        earlier: places of the decisions on edges of the same node, which cannot be chosen again.
    """

    graph: int
    edge: int | None = None
    edges: tuple[int, ...] = ()
    earlier: tuple[int, ...] = ()


class Sampled(NamedTuple):
    """Archs that were drawn: decisions `[N, T]`, logarithms of their probabilities and entropies `[N]`."""

    choices: Tensor
    log_probability: Tensor
    entropy: Tensor


def plan(graphs: Sequence[EdgeGraph]) -> tuple[Decision, ...]:
    """Returns the decisions of an arch: an operation per edge, or first the edges of a node one by one."""
    made: list[Decision] = []
    for number, graph in enumerate(graphs):
        if graph.kept is None:
            made += [Decision(number, edge) for edge in range(len(graph.edges))]
            continue
        for node in graph.nodes:
            incoming = graph.incoming(node)
            earlier: tuple[int, ...] = ()
            for _ in range(min(graph.kept, len(incoming))):
                made += [Decision(number, edges=incoming, earlier=earlier), Decision(number)]
                earlier = (*earlier, len(made) - 2)
    return tuple(made)


def path_mask(graphs: Sequence[EdgeGraph], decisions: Sequence[Decision], choices: Tensor) -> list[Tensor]:
    """Returns bool `[E, O]` by graph, true at what the decisions `choices [T]` have chosen."""
    masks = [torch.zeros(graph.shape, dtype=torch.bool) for graph in graphs]
    values = choices.tolist()
    for place, decision in enumerate(decisions):
        if not decision.edges:
            edge = values[place - 1] if decision.edge is None else decision.edge
            masks[decision.graph][edge, values[place]] = True
    return masks


class Controller(nn.Module):
    """An LSTM of two layers that draws one decision after the other.

    Source: Pham et al., "Efficient Neural Architecture Search via Parameter Sharing", ICML 2018; sizes,
    temperature 5 and bound 2.5 of logits as in the published search of NATS-Bench.
    Differs: where an arch has some of the edges, edges are decisions of their own and none is drawn twice;
    ENAS draws a node with replacement.

    Args:
        graphs: those of the space.
        decisions: those of an arch (`plan`).
        width: of the LSTM.
    """

    TEMPERATURE, BOUND, SPREAD = 5.0, 2.5, 0.1

    def __init__(self, graphs: Sequence[EdgeGraph], decisions: Sequence[Decision], width: int = 32) -> None:
        super().__init__()
        self.decisions = tuple(decisions)
        ops, edges = max(len(graph.ops) for graph in graphs), max(len(graph.edges) for graph in graphs)
        self.start = nn.Parameter(torch.zeros(1, width))
        self.layers = nn.ModuleList(nn.LSTMCell(width, width) for _ in range(2))
        self.embed = nn.ModuleDict({"op": nn.Embedding(ops, width), "edge": nn.Embedding(edges, width)})
        self.head = nn.ModuleDict({"op": nn.Linear(width, ops), "edge": nn.Linear(width, edges)})
        for values in self.parameters():
            nn.init.uniform_(values, -self.SPREAD, self.SPREAD)

    def forward(
        self,
        allowed: Sequence[Tensor],
        archs: int,
        generator: torch.Generator | None = None,
        choices: Tensor | None = None,
    ) -> Sampled:
        """Returns so many archs, drawn by `generator`, or those of `choices [N, T]` with their probabilities.

        Args:
            allowed: bool `[E, O]` by graph: operations that may be drawn.
            archs: N.
            generator: what draws.
            choices: the archs, where they are known.
        """
        x = self.start.expand(archs, -1)
        states: list[tuple[Tensor, Tensor] | None] = [None, None]
        taken: list[Tensor] = []
        log_probability = entropy = torch.zeros(archs)
        for place, decision in enumerate(self.decisions):
            for number, layer in enumerate(self.layers):
                states[number] = layer(x, states[number])
                x = states[number][0]  # type: ignore[index]
            kind = "edge" if decision.edges else "op"
            logits = self.BOUND * torch.tanh(self.head[kind](x) / self.TEMPERATURE)
            mask = self._open(decision, allowed, taken, logits.shape)
            log_probabilities = logits.masked_fill(~mask, -torch.inf).log_softmax(-1)
            probabilities = log_probabilities.exp()
            drawn = (
                torch.multinomial(probabilities.detach(), 1, generator=generator).squeeze(1)
                if choices is None
                else choices[:, place]
            )
            log_probability = log_probability + log_probabilities.gather(1, drawn[:, None]).squeeze(1)
            entropy = entropy - (probabilities * log_probabilities.masked_fill(~mask, 0.0)).sum(-1)
            taken.append(drawn)
            x = self.embed[kind](drawn)
        return Sampled(torch.stack(taken, 1), log_probability, entropy)

    def _open(
        self, decision: Decision, allowed: Sequence[Tensor], taken: Sequence[Tensor], shape: torch.Size
    ) -> Tensor:
        """Returns bool `[N, options]`: what may be drawn for a decision."""
        mask = torch.zeros(shape, dtype=torch.bool)
        if decision.edges:
            mask[:, list(decision.edges)] = True
            for place in decision.earlier:
                mask.scatter_(1, taken[place][:, None], False)
            return mask
        of_graph = allowed[decision.graph]
        edge = taken[-1] if decision.edge is None else torch.full((shape[0],), decision.edge)
        mask[:, : of_graph.shape[1]] = of_graph[edge]
        return mask


class Rewards:
    """REINFORCE: what a controller learns from the validation accuracy of the archs that it drew.

    It learns once `AT_ONCE` archs have been judged, by the gradient of
    `-log p(arch) * (accuracy + weight * entropy - baseline)`.

    Source: Pham et al., ICML 2018, section 2.2; numbers of the published search of NATS-Bench.
    Differs: one arch is judged in each step, on its validation batch, not a thousand after each epoch; the
    baseline is a moving average over all of them.
    """

    AT_ONCE, DECAY, ENTROPY, CLIP = 20, 0.99, 1e-4, 5.0

    def __init__(self, controller: Controller, optimizer: torch.optim.Optimizer) -> None:
        self.controller, self.optimizer = controller, optimizer
        self.choices: list[Tensor] = []
        self.accuracies: list[Tensor] = []
        self.baseline: float | None = None

    def add(self, choices: Tensor, accuracy: Tensor, allowed: Sequence[Tensor]) -> None:
        """Takes an arch `choices [T]` and its accuracy, a number between 0 and 1 on any device."""
        self.choices.append(choices)
        self.accuracies.append(accuracy)
        if len(self.choices) == self.AT_ONCE:
            self._learn(allowed)
            self.choices, self.accuracies = [], []

    def state(self) -> dict[str, Any]:
        """Returns the archs that were not learned from yet, and the baseline."""
        return {"choices": self.choices, "accuracies": self.accuracies, "baseline": self.baseline}

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on as after `state`."""
        self.choices, self.accuracies = list(state["choices"]), list(state["accuracies"])
        self.baseline = state["baseline"]

    def _learn(self, allowed: Sequence[Tensor]) -> None:
        judged = self.controller(allowed, self.AT_ONCE, choices=torch.stack(self.choices))
        accuracies = torch.stack(self.accuracies).cpu().to(judged.entropy.dtype)
        rewards = accuracies + self.ENTROPY * judged.entropy.detach()
        advantages = torch.zeros_like(rewards)
        for place, reward in enumerate(rewards.tolist()):
            before = accuracies[place].item() if self.baseline is None else self.baseline
            self.baseline = before - (1 - self.DECAY) * (before - reward)
            advantages[place] = reward - self.baseline
        self.optimizer.zero_grad()
        (-(judged.log_probability * advantages).mean()).backward()
        nn.utils.clip_grad_norm_(self.controller.parameters(), self.CLIP)
        self.optimizer.step()
