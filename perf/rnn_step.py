"""Measures a recurrent cell of DARTS, forward and backward: plain, as released and fused; and torch's LSTM.

    python perf/rnn_step.py
    python perf/rnn_step.py --width 850 --arch random --rounds 3

Plain is the cell as it is defined, with a matrix product for each gate and each candidate; as released has
one for both, and one for word and state, as the published code. All run on one embedded text with masks on
the states, one after the other in each round; of the rounds the median counts. Seconds are those of the
processor, which other work on the machine disturbs less than the clock; so give it one thread.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
import tyro
from torch import Tensor, nn

from nas_ray.evaluation.allocator import keep_freed_memory
from nas_ray.spaces import RnnNets
from nas_ray.spaces.rnn.darts_cell import FUNCTIONS, DartsCell
from nas_ray.spaces.rnn.torch_cells import TorchCell


@dataclass(frozen=True)
class Args:
    """What to measure."""

    arch: str = "darts-v2"
    """A cell of rnn-nets."""
    width: int = 300
    """Features of the state, and of the words."""
    batch: int = 64
    """Sequences of a batch."""
    steps: int = 35
    """Words of a sequence."""
    rounds: int = 7
    """Rounds, after one that warms up."""
    threads: int = 1
    """Of torch."""


def plain(cell: DartsCell, x: Tensor, h: Tensor, hidden: Tensor) -> Tensor:
    """Returns the outputs of a cell, gate and candidate by a product each."""
    width, outputs = cell.width, []
    weights = [
        (weight[:width], weight[width:]) for weight in (node.get_parameter("weight") for node in cell.nodes)
    ]
    inputs, states = cell.first_input.weight, cell.first_hidden.weight
    for word in x.unbind():
        seen = h * hidden
        gate = torch.sigmoid(F.linear(word, inputs[:width]) + F.linear(seen, states[:width]))
        candidate = torch.tanh(F.linear(word, inputs[width:]) + F.linear(seen, states[width:]))
        nodes = [h + gate * (candidate - h)]
        for (op, source), (of_gate, of_candidate) in zip(cell.plan.nodes, weights, strict=True):
            before = nodes[source]
            gate = torch.sigmoid(F.linear(before * hidden, of_gate))
            candidate = FUNCTIONS[op](F.linear(before * hidden, of_candidate))
            nodes.append(before + gate * (candidate - before))
        h = torch.stack([nodes[node] for node in cell.plan.outputs], -1).mean(-1)
        outputs.append(h)
    return torch.stack(outputs)


def released(cell: DartsCell, x: Tensor, h: Tensor, hidden: Tensor) -> Tensor:
    """Returns the outputs of a cell, gate and candidate by one product, word and state side by side."""
    outputs = []
    first = torch.cat([cell.first_input.weight, cell.first_hidden.weight], 1)
    for word in x.unbind():
        gate, candidate = F.linear(torch.cat([word, h * hidden], -1), first).chunk(2, -1)
        nodes = [h + gate.sigmoid() * (candidate.tanh() - h)]
        for (op, source), node in zip(cell.plan.nodes, cell.nodes, strict=True):
            before = nodes[source]
            gate, candidate = F.linear(before * hidden, node.get_parameter("weight")).chunk(2, -1)
            nodes.append(before + gate.sigmoid() * (FUNCTIONS[op](candidate) - before))
        h = torch.stack([nodes[node] for node in cell.plan.outputs], -1).mean(-1)
        outputs.append(h)
    return torch.stack(outputs)


def seconds(run: Callable[[], Tensor], cell: nn.Module) -> tuple[float, float]:
    """Returns the seconds of a forward pass, and of it with a backward pass."""
    began = time.process_time()
    outputs = run()
    forward = time.process_time() - began
    outputs.square().mean().backward()  # type: ignore[no-untyped-call]  # torch gives no types
    whole = time.process_time() - began
    cell.zero_grad(set_to_none=True)
    return forward, whole


def main(args: Args) -> None:
    keep_freed_memory()  # as where archs are trained
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    cell = RnnNets(args.width).build(args.arch, 10).get_submodule("cell")
    assert isinstance(cell, DartsCell)
    lstm = TorchCell("lstm", args.width, args.width)
    x = torch.randn(args.steps, args.batch, args.width)
    hidden = torch.empty(args.batch, args.width).bernoulli_(0.75) / 0.75
    state, two = cell.begin(args.batch), lstm.begin(args.batch)
    ways: dict[str, tuple[Callable[[], Tensor], nn.Module]] = {
        "plain": (lambda: plain(cell, x, state[0], hidden), cell),
        "as released": (lambda: released(cell, x, state[0], hidden), cell),
        "fused": (lambda: cell(x, state, hidden)[0], cell),
        "fused, no mask": (lambda: cell(x, state, None)[0], cell),
        "torch.nn.LSTM": (lambda: lstm(x, two, None)[0], lstm),
    }
    with torch.no_grad():
        wanted = ways["plain"][0]()
        assert all(torch.allclose(ways[name][0](), wanted, atol=1e-5) for name in ("as released", "fused"))
    found = {name: [seconds(*way)] for name, way in ways.items()}
    for _ in range(args.rounds):
        for name, way in ways.items():
            found[name].append(seconds(*way))
    print(
        f"{args.arch}, width {args.width}, batch {args.batch}, {args.steps} words, {args.threads} thread(s)"
    )
    base = statistics.median(whole for _, whole in found["plain"][1:])
    for name, rounds in found.items():
        forward, whole = (statistics.median(column) for column in zip(*rounds[1:], strict=True))
        told = f"forward {1e3 * forward:7.1f} ms, with backward {1e3 * whole:7.1f} ms"
        print(f"{name:16} {told}, {base / whole:.2f} times as fast")


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__))
