"""A policy with a net: an LSTM that reads what was decided and says what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csc_array

from nas_ray.process.one_blas_thread import one_blas_thread
from nas_ray.searchers.controllers import lstm
from nas_ray.searchers.controllers.adam import Adam
from nas_ray.searchers.controllers.paths import Path
from nas_ray.searchers.controllers.policy import Net, Weigh
from nas_ray.searchers.controllers.reader import LstmReader, Weights
from nas_ray.searchers.controllers.steps import LaidOut, laid_out
from nas_ray.searchers.tokens import PlacedVocabulary
from nas_ray.spaces.base import SequenceSpace

Arrays = dict[str, np.ndarray]


class Recurrent:
    """An LSTM over tokens, a softmax over what is possible, and content-based anchor points.

    Each option of each place of a sequence is a token of its own (`PlacedVocabulary`), with an embedding and
    output weights. The token that was taken is embedded and read next. Decisions on what reads what
    (`AnchoredSpace`) look at the states h of the net at the two anchor points: beside the output weights of
    the place, to join them scores `v . tanh(W_prev h_earlier + W_curr h_later)`. All those of one part are
    made from one state, and the mean of their tokens is read next.

    All is numpy, since a step of torch takes longer than what it computes. Drawing goes step by step, updates
    read whole sequences.

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
        self._kind = np.float64 if double else np.float32
        self._vocabulary = PlacedVocabulary.of(space)
        units, tokens = net.units, len(self._vocabulary)
        shapes: dict[str, tuple[int, ...]] = {"tokens": (tokens, units), "head": (tokens, units)}
        for layer in range(net.layers):
            shapes |= {f"reads{layer}": (4 * units, units), f"keeps{layer}": (4 * units, units)}
            shapes[f"bias{layer}"] = (4 * units,)
        shapes |= {"head_bias": (tokens,), "earlier": (units, units), "later": (units, units), "v": (units,)}
        random = np.random.default_rng(seed)
        self._weights = {name: self._new(shape, random) for name, shape in shapes.items()}
        self._reading: Weights | None = None

    def begin(self) -> LstmReader:
        """Returns what draws one sequence."""
        self._reading = self._reading or Weights(self._weights, self._meet)
        return LstmReader(self._reading, self._vocabulary)

    def logs(self, paths: Sequence[Path]) -> np.ndarray:
        """Returns the logarithms `[decisions of all paths]` of the chances of what was taken."""
        with one_blas_thread():
            return self._read(paths).logs_taken

    def climb(self, paths: Sequence[Path], weigh: Weigh, entropy: float) -> None:
        """Makes one step of Adam; see `Policy`."""
        with one_blas_thread():
            made = self._read(paths)
            slopes = made.slopes(weigh(made.logs_taken), entropy / len(paths)).astype(self._kind)
            gradients = self._uphill(made, slopes)
        self._adam.step(list(self._weights.values()), [gradients[name] for name in self._weights])
        self._reading = None

    def state(self) -> dict[str, Any]:
        """Returns all that was learnt."""
        weights = {name: weight.copy() for name, weight in self._weights.items()}
        return {"tokens": self._vocabulary.tokens[1:], "weights": weights, "adam": self._adam.state()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes what `state` returned."""
        if not all(isinstance(token, (tuple, list)) for token in state["tokens"]):
            raise ValueError("its tokens have no places, as those of an earlier version")
        self._vocabulary = PlacedVocabulary((place, text) for place, text in state["tokens"])
        self._weights = {name: weight.copy() for name, weight in state["weights"].items()}
        self._adam.load_state(state["adam"])
        self._reading = None

    def _new(self, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
        return random.uniform(-self._net.spread, self._net.spread, shape).astype(self._kind)

    def _meet(self) -> Arrays:
        """Gives new tokens rows of weights, by the seed and their number alone; returns all."""
        known, wanted = len(self._weights["tokens"]), len(self._vocabulary)
        random = np.random.default_rng([self._seed, known])
        for name in ("tokens", "head", "head_bias") if wanted > known else ():
            held = self._weights[name]
            self._weights[name] = np.concatenate([held, self._new((wanted - known, *held.shape[1:]), random)])
        return self._weights

    def _layers(self) -> list[lstm.Layer]:
        own = self._weights
        return [
            lstm.Layer(own[f"reads{layer}"], own[f"keeps{layer}"], own[f"bias{layer}"])
            for layer in range(self._net.layers)
        ]

    def _read(self, paths: Sequence[Path]) -> _Made:
        """Returns what the net makes of whole sequences."""
        laid = laid_out(paths, self._vocabulary)
        own = self._meet()
        read = np.add.reduceat(own["tokens"][laid.tokens], laid.starts, axis=0)
        read /= laid.sizes[:, None]
        runs, inputs = list[lstm.Run](), read[laid.steps]
        for layer in self._layers():
            runs.append(lstm.run(layer, inputs))
            inputs = runs[-1].states[1:]
        states = inputs.reshape(-1, self._net.units)
        here, heads = states[laid.places], own["head"][laid.options]
        scores = (heads @ here[:, :, None])[:, :, 0] + own["head_bias"][laid.options]
        earlier, later = states[laid.anchors]
        joint = np.tanh(earlier @ own["earlier"].T + later @ own["later"].T)
        scores[laid.anchored, 1] += joint @ own["v"]
        scores = np.where(laid.there, scores.astype(float), -np.inf)
        scores -= scores.max(axis=1, keepdims=True)
        logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return _Made(laid, runs, here, heads, joint, logs)

    def _uphill(self, made: _Made, slopes: np.ndarray) -> Arrays:
        """Returns the gradient in each of the weights from `slopes [decisions, most]`, those in scores."""
        own, laid = self._weights, made.laid
        found, wanted = self._uphill_of_heads(made, slopes)
        for number, layer in reversed(list(enumerate(self._layers()))):
            wanted, weights = lstm.uphill(layer, made.runs[number], wanted)
            found |= {f"{name}{number}": value for name, value in weights._asdict().items()}
        of_steps = _sums(laid.steps.ravel(), wanted.reshape(-1, self._net.units), len(laid.sizes))
        of_steps /= laid.sizes[:, None]
        found["tokens"] = _sums(laid.tokens, np.repeat(of_steps, laid.sizes, axis=0), len(own["tokens"]))
        return found

    def _uphill_of_heads(self, made: _Made, slopes: np.ndarray) -> tuple[Arrays, np.ndarray]:
        """Returns the gradients in what makes scores of states, and in states `[steps, paths, units]`."""
        own, laid, last = self._weights, made.laid, made.runs[-1].states[1:]
        states, count = last.reshape(-1, self._net.units), len(own["head"])
        joined, (earlier, later) = slopes[laid.anchored, 1], states[laid.anchors]
        of_joint = joined[:, None] * own["v"] * (1 - made.joint**2)
        found = {
            "head": _sums(laid.options, made.here, count, slopes),
            "head_bias": np.bincount(laid.options.ravel(), slopes.ravel(), count).astype(self._kind),
            "earlier": of_joint.T @ earlier,
            "later": of_joint.T @ later,
            "v": made.joint.T @ joined,
        }
        parts = [(slopes[:, None] @ made.heads)[:, 0], of_joint @ own["earlier"], of_joint @ own["later"]]
        places = np.concatenate([laid.places, *laid.anchors])
        return found, _sums(places, np.concatenate(parts), len(states)).reshape(last.shape)


class _Made(NamedTuple):
    """What a net made of sequences.

    Attributes:
        laid: the sequences.
        runs: of each layer.
        here: the states `[decisions, units]` that decide.
        heads: `[decisions, most, units]` output weights of what was possible.
        joint: `[anchored, units]` what is made of two states.
        logs: `[decisions, most]` logarithms of chances, -inf where padded.
    """

    laid: LaidOut
    runs: list[lstm.Run]
    here: np.ndarray
    heads: np.ndarray
    joint: np.ndarray
    logs: np.ndarray

    @property
    def logs_taken(self) -> np.ndarray:
        """The logarithms `[decisions]` of what was taken."""
        taken: np.ndarray = np.take_along_axis(self.logs, self.laid.taken[:, None], axis=1)[:, 0]
        return taken

    def slopes(self, weights: np.ndarray, entropy: float) -> np.ndarray:
        """Returns the gradient in the scores `[decisions, most]`.

        Args:
            weights: of the logarithms `[decisions]` of what was taken.
            entropy: that of the entropy of each decision.
        """
        chances = np.exp(self.logs)
        slopes: np.ndarray = -weights[:, None] * chances
        slopes[np.arange(len(weights)), self.laid.taken] += weights
        if entropy:
            surprise = chances * np.where(self.laid.there, self.logs, 0.0)
            slopes -= entropy * (surprise - chances * surprise.sum(axis=1, keepdims=True))
        return slopes


def _sums(rows: np.ndarray, values: np.ndarray, count: int, weights: np.ndarray | None = None) -> np.ndarray:
    """Returns `[count, units]`: the sum of all `values [values, units]` that go to a row.

    Args:
        rows: of each value, `[values]`, or `[values, most]` where it goes to several.
        values: what is added.
        count: of rows.
        weights: of each value in each of its rows, as `rows`; None for 1.
    """
    shares = np.ones(rows.size, values.dtype) if weights is None else weights.ravel()
    begins = np.arange(0, rows.size + 1, rows.size // len(values))
    added: np.ndarray = csc_array((shares, rows.ravel(), begins), shape=(count, len(values))) @ values
    return added
