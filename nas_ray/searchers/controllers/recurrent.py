"""A policy with a net: an LSTM that reads what was decided and says what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nas_ray.process.one_thread import one_thread
from nas_ray.searchers.controllers.adam import Adam
from nas_ray.searchers.controllers.paths import Path
from nas_ray.searchers.controllers.policy import Net, Weigh
from nas_ray.searchers.controllers.reader import LstmReader, Weights
from nas_ray.searchers.controllers.steps import laid_out
from nas_ray.searchers.tokens import PlacedVocabulary
from nas_ray.spaces.base import SequenceSpace


class Recurrent:
    """An LSTM over tokens, a softmax over what is possible, and content-based anchor points.

    Each option of each place of a sequence is a token of its own (`PlacedVocabulary`), with an embedding and
    output weights. The token that was taken is embedded and read next. Decisions on what reads what
    (`AnchoredSpace`) look at the states h of the net at the two anchor points: beside the output weights of
    the place, to join them scores `v . tanh(W_prev h_earlier + W_curr h_later)`. All those of one part are
    made from one state, and the mean of their tokens is read next.

    Drawing goes step by step and is done in numpy on the same weights, since a step of torch takes longer
    than what it computes; updates read whole sequences.

    Source: Zoph and Le, "Neural Architecture Search with Reinforcement Learning", ICLR 2017, section 3.
    Differs: layers have no output weights in common, and the paper does not say whether they have; at anchor
    points the content is all that decides there. What is read behind one is not said.

    Args:
        space: whose sequences are read.
        net: its size.
        lr: learning rate of Adam.
        seed: of the first weights.
        double: whether to compute with 64 bits.
    """

    def __init__(self, space: SequenceSpace, net: Net, *, lr: float, seed: int, double: bool = False) -> None:
        self._net, self._seed, self._adam = net, seed, Adam(lr)
        self._kind = torch.float64 if double else torch.float32
        self._vocabulary = PlacedVocabulary.of(space)
        units, tokens = net.units, len(self._vocabulary)
        shapes: dict[str, tuple[int, ...]] = {"tokens": (tokens, units), "head": (tokens, units)}
        for layer in range(net.layers):
            shapes |= {f"reads{layer}": (4 * units, units), f"keeps{layer}": (4 * units, units)}
            shapes[f"bias{layer}"] = (4 * units,)
        shapes |= {"head_bias": (tokens,), "earlier": (units, units), "later": (units, units), "v": (units,)}
        random = torch.Generator().manual_seed(seed)
        self._weights = {name: self._new(shape, random) for name, shape in shapes.items()}
        self._reading = self._read()

    def begin(self) -> LstmReader:
        """Returns what draws one sequence."""
        return LstmReader(self._reading, self._vocabulary)

    def logs(self, paths: Sequence[Path]) -> np.ndarray:
        """Returns the logarithms `[decisions of all paths]` of the chances of what was taken."""
        with one_thread(), torch.no_grad():
            logs: np.ndarray = self._forward(paths)[0].double().numpy()
        return logs

    def climb(self, paths: Sequence[Path], weigh: Weigh, entropy: float) -> None:
        """Makes one step of Adam; see `Policy`."""
        with one_thread(), torch.enable_grad():
            logs, entropies = self._forward(paths)
            weights = torch.from_numpy(weigh(logs.detach().double().numpy())).to(self._kind)
            gain = (weights * logs).sum() + entropy / len(paths) * entropies.sum()
            arrays = list(self._weights.values())
            uphill = torch.autograd.grad(gain, arrays, materialize_grads=True)  # zeros of what was not read
        self._adam.step(*([one.detach().numpy() for one in some] for some in (arrays, uphill)))
        self._reading = self._read()

    def state(self) -> dict[str, Any]:
        """Returns all that was learnt."""
        weights = {name: weight.detach().numpy().copy() for name, weight in self._weights.items()}
        return {"tokens": self._vocabulary.tokens[1:], "weights": weights, "adam": self._adam.state()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes what `state` returned."""
        if not all(isinstance(token, (tuple, list)) for token in state["tokens"]):
            raise ValueError("its tokens have no places, as those of an earlier version")
        self._vocabulary = PlacedVocabulary((place, text) for place, text in state["tokens"])
        held = {name: torch.from_numpy(weight.copy()) for name, weight in state["weights"].items()}
        self._weights = {name: weight.requires_grad_() for name, weight in held.items()}
        self._adam.load_state(state["adam"])
        self._reading = self._read()

    def _new(self, shape: tuple[int, ...], random: torch.Generator) -> Tensor:
        spread = self._net.spread
        drawn = torch.empty(shape, dtype=self._kind).uniform_(-spread, spread, generator=random)
        return drawn.requires_grad_()

    def _read(self) -> Weights:
        """Returns the weights for drawing."""
        return Weights(self._arrays(), self._meet)

    def _arrays(self) -> dict[str, np.ndarray]:
        """Returns the weights as views."""
        return {name: weight.detach().numpy() for name, weight in self._weights.items()}

    def _meet(self) -> dict[str, np.ndarray]:
        """Gives new tokens rows of weights, by the seed and their number alone; returns all as views."""
        known, wanted = len(self._weights["tokens"]), len(self._vocabulary)
        random = torch.Generator().manual_seed((self._seed + known) % 2**63)
        for name in ("tokens", "head", "head_bias") if wanted > known else ():
            held = self._weights[name].detach()
            new = self._new((wanted - known, *held.shape[1:]), random).detach()
            self._weights[name] = torch.cat([held, new]).requires_grad_()
        return self._arrays()

    def _forward(self, paths: Sequence[Path]) -> tuple[Tensor, Tensor]:
        """Returns logarithms of chances and entropies `[decisions of all paths]`."""
        laid = laid_out(paths, self._vocabulary)
        self._meet()
        weights = self._weights
        bags, starts = torch.from_numpy(laid.tokens), torch.from_numpy(laid.starts)
        read = torch.nn.functional.embedding_bag(bags, weights["tokens"], starts, mode="mean")
        steps = torch.from_numpy(laid.steps)  # [paths, longest], of rows of `read`
        states = self._states(read[steps])  # [paths * longest, units]
        here = states[torch.from_numpy(laid.places)]  # [decisions, units]
        options = torch.from_numpy(laid.options)  # [decisions, most], padded
        heads = torch.nn.functional.embedding(options, weights["head"])  # [decisions, most, units]
        scores = (heads @ here.unsqueeze(2)).squeeze(2) + weights["head_bias"][options]
        if len(laid.anchored):
            earlier, later = (states[torch.from_numpy(points)] for points in laid.anchors)
            joined = torch.tanh(earlier @ weights["earlier"].T + later @ weights["later"].T) @ weights["v"]
            second = torch.from_numpy(laid.anchored), torch.ones(len(joined), dtype=torch.long)
            scores = scores.index_put(second, joined, accumulate=True)
        there = torch.from_numpy(laid.there)
        logs = scores.masked_fill(~there, -torch.inf).log_softmax(dim=1)
        safe = logs.masked_fill(~there, 0.0)
        entropies = -(logs.exp() * safe).sum(dim=1)
        return logs.gather(1, torch.from_numpy(laid.taken)[:, None])[:, 0], entropies

    def _states(self, read: Tensor) -> Tensor:
        """Returns the states `[paths * steps, units]` of the last layer that read `[paths, steps, units]`."""
        flat = [
            weight
            for layer in range(self._net.layers)
            for weight in (
                self._weights[f"reads{layer}"],
                self._weights[f"keeps{layer}"],
                self._weights[f"bias{layer}"],
                torch.zeros(4 * self._net.units, dtype=self._kind),
            )
        ]
        zero = torch.zeros(self._net.layers, len(read), self._net.units, dtype=self._kind)
        states = torch.lstm(read, (zero, zero), flat, True, self._net.layers, 0.0, False, False, True)[0]
        return states.reshape(-1, self._net.units)
