"""Recurrent cells written down a second time, node by node and example by example, to compare with."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn


def sigmoid(x: Tensor) -> Tensor:
    return 1 / (1 + (-x).exp())


def tanh(x: Tensor) -> Tensor:
    return (x.exp() - (-x).exp()) / (x.exp() + (-x).exp())


ACTIVATE = {"tanh": tanh, "relu": lambda x: x * (x > 0), "sigmoid": sigmoid, "identity": lambda x: x}


def darts_outputs(net: Any, x: Tensor, h: Tensor, hidden: Tensor | None = None) -> Tensor:
    """Returns `[T, B, H]` of embedded words `[T, B, E]`; weights split into gate and candidate."""
    cell, width, outputs = net.cell, net.cell.width, []
    first = torch.cat([cell.first_input.weight, cell.first_hidden.weight], 1)
    seen = 1.0 if hidden is None else hidden
    for word in x:
        both = torch.cat([word, h * seen], 1)
        gate = sigmoid(both @ first[:width].T)
        states = [h + gate * (tanh(both @ first[width:].T) - h)]
        for (op, source), node in zip(cell.plan.nodes, cell.nodes, strict=True):
            before = states[source]
            gate = sigmoid((before * seen) @ node.weight[:width].T)
            states.append(before + gate * (ACTIVATE[op]((before * seen) @ node.weight[width:].T) - before))
        chosen = cell.plan.averaged or range(1, len(states))
        h = sum(states[node] for node in chosen) / len(chosen)  # type: ignore[assignment]
        outputs.append(h)
    return torch.stack(outputs)


def tree_outputs(net: Any, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Returns `[T, B, H]` and the last cell variable of a tree, whose nodes are computed by recursion."""
    tree, width = net.cell.tree, net.cell.width
    combine = {"add": lambda a, b: a + b, "mult": lambda a, b: a * b}
    outputs = []
    for word in x:
        before, state, kept = c, h, {}

        def node(number: int, word: Tensor = word, state: Tensor = state, before: Tensor = before) -> Tensor:
            method, activation = tree.steps[number]
            if number < tree.leaves:
                rows = slice(number * width, (number + 1) * width)
                pair = word @ net.cell.input.weight[rows].T, state @ net.cell.hidden.weight[rows].T
            else:
                pair = node(2 * (number - tree.leaves)), node(2 * (number - tree.leaves) + 1)
            kept[number] = combine[method](*pair)  # noqa: B023  # called at once
            value = ACTIVATE[activation](kept[number])  # noqa: B023
            if number == tree.injected:
                value = ACTIVATE[tree.inject[1]](combine[tree.inject[0]](value, before))
            return value

        h = node(len(tree.steps) - 1)
        c = kept[tree.read]
        outputs.append(h)
    return torch.stack(outputs), c


def torch_layer(kind: str, cell: Any) -> nn.Module:
    """Returns torch's layer with the weights of a cell."""
    layer = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[kind](cell.input.in_features, cell.width).double()
    with torch.no_grad():
        for name, of in (("ih", cell.input), ("hh", cell.hidden)):
            getattr(layer, f"weight_{name}_l0").copy_(of.weight)
            getattr(layer, f"bias_{name}_l0").copy_(of.bias)
    return layer


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Returns the mean negative logarithm of the chance of the next word, word by word."""
    chances = [
        logits[stream, step].exp()[targets[stream, step]] / logits[stream, step].exp().sum()
        for stream in range(targets.shape[0])
        for step in range(targets.shape[1])
    ]
    return -torch.stack([chance.log() for chance in chances]).sum() / math.prod(targets.shape)
