"""Nets that predict from the decisions of an arch what it will be worth: an MLP, an LSTM, ensembles of them.

The members of an ensemble are computed together: their parameters have the member as their first dimension.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nas_ray.process.one_thread import one_thread
from nas_ray.searchers.controllers.adam import Adam
from nas_ray.searchers.progressive.code import Code

UNITS = 100
"""Length of embeddings and of every hidden layer, as published."""

SPREAD = 0.1
"""Embeddings are drawn uniformly up to it, as published."""

PART = 0.8
"""The share of the data that each member of an ensemble learns from, as published."""

BATCH = 256
CHUNK = 8_192
"""Archs that are predicted together."""


class Predictor(ABC):
    """An ensemble of nets from the decisions of an arch to a number from 0 to 1.

    Args:
        code: numbers the decisions.
        members: nets; one alone learns from all of the data.
        bias: that of the output at first, before the sigmoid.
        seed: of parameters, of the part of the data of each member, and of batches.
    """

    def __init__(self, code: Code, *, members: int, bias: float, seed: int) -> None:
        self.code, self.members = code, members
        self._rng, self._adam = np.random.default_rng(seed), Adam(0.0)
        self._parts = np.zeros((members, 0), dtype=np.int64)  # which of the data each member learns from
        self._known = 0  # data that were learnt from
        with torch.inference_mode(False):
            self.parameters = {
                "embedding": self._drawn(SPREAD, code.size, UNITS),
                **self._layers(),
                "output": self._drawn(UNITS**-0.5, UNITS, 1),
                "output_bias": torch.from_numpy(np.full((members, 1, 1), bias, dtype=np.float32)),
            }

    @abstractmethod
    def _layers(self) -> dict[str, Tensor]:
        """Returns the parameters between embedding and output."""

    @abstractmethod
    def _encoded(self, decisions: Sequence[tuple[str, ...]]) -> Tensor:
        """Returns `[archs, width]`, what `hidden` takes."""

    @abstractmethod
    def hidden(self, encoded: Tensor) -> Tensor:
        """Returns the last hidden layer `[members, archs, UNITS]`.

        Args:
            encoded: `[members, archs, width]`.
        """

    @abstractmethod
    def known_hidden(self, encoded: Tensor) -> Tensor:
        """Returns `hidden` of archs `[archs, width]` that all members see, without gradients."""

    def fit(
        self, decisions: Sequence[tuple[str, ...]], targets: np.ndarray, *, rate: float, epochs: int
    ) -> None:
        """Learns `targets [archs]`, from 0 to 1, by Adam on their absolute errors.

        It goes on from where it is. A member keeps its part of what was there before, and gets one of what is
        new: archs behind those of the last time, which are the same in the same order.
        """
        with one_thread(), torch.inference_mode(False), torch.enable_grad():
            encoded, wanted = self._encoded(decisions), torch.from_numpy(targets.astype(np.float32))
            moved = [one.requires_grad_() for one in self.parameters.values()]
            arrays, self._adam.lr = [one.detach().numpy() for one in moved], rate
            self._divide(len(targets))
            for _ in range(epochs):
                mixed = self._rng.permuted(self._parts, axis=1)
                for start in range(0, mixed.shape[1], BATCH):
                    batch = torch.from_numpy(mixed[:, start : start + BATCH])
                    error = (self._worth(self.hidden(encoded[batch])) - wanted[batch]).abs()
                    uphill = -error.mean(dim=1).sum()  # of the members, each with gradients of its own
                    gradients = torch.autograd.grad(uphill, moved)
                    self._adam.step(arrays, [one.numpy() for one in gradients])

    def predict(self, decisions: Sequence[tuple[str, ...]]) -> np.ndarray:
        """Returns the mean prediction `[archs]` of the members, sooner where neighbours begin alike."""
        found = []
        with one_thread(), torch.inference_mode():
            for start in range(0, len(decisions), CHUNK):
                encoded = self._encoded(decisions[start : start + CHUNK])
                found.append(self._worth(self.known_hidden(encoded)).mean(dim=0).numpy())
        return np.concatenate(found) if found else np.zeros(0, dtype=np.float32)

    def _worth(self, hidden: Tensor) -> Tensor:
        """Returns predictions `[members, archs]`."""
        own = self.parameters
        return torch.baddbmm(own["output_bias"], hidden, own["output"]).squeeze(2).sigmoid()

    def state(self) -> dict[str, Any]:
        """Returns all that was learnt, as plain data."""
        return {
            "code": self.code.state(),
            "parameters": {name: one.detach().numpy().copy() for name, one in self.parameters.items()},
            "adam": self._adam.state(),
            "rng": self._rng.bit_generator.state,
            "parts": self._parts,
            "known": self._known,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes what `state` returned."""
        self.code = Code.of(state["code"])
        self.parameters = {name: torch.from_numpy(one.copy()) for name, one in state["parameters"].items()}
        self._adam.load_state(state["adam"])
        self._rng.bit_generator.state = state["rng"]
        self._parts, self._known = state["parts"], state["known"]

    def _divide(self, count: int) -> None:
        """Gives each member its part of the data that are new among so many."""
        new = count - self._known
        some = new if self.members == 1 else max(min(1, new), round(PART * new))
        drawn = [self._known + self._rng.permutation(new)[:some] for _ in range(self.members)]
        self._parts, self._known = np.concatenate([self._parts, np.stack(drawn)], axis=1), count

    def _code(self, decisions: Sequence[tuple[str, ...]]) -> np.ndarray:
        """Returns the numbers of decisions, of which those that are new get embeddings."""
        numbers, held = self.code.numbers(decisions), self.parameters["embedding"].detach()
        if (more := self.code.size - held.shape[1]) > 0:
            with torch.inference_mode(False):
                self.parameters["embedding"] = torch.cat([held, self._drawn(SPREAD, more, UNITS)], dim=1)
        return numbers

    def _drawn(self, spread: float, *shape: int) -> Tensor:
        """Returns `[members, *shape]`, uniform from `-spread` to `spread`."""
        drawn = self._rng.uniform(-spread, spread, (self.members, *shape))
        return torch.from_numpy(drawn.astype(np.float32))


class Mlp(Predictor):
    """Reads the mean over blocks of the embeddings of a block side by side; two hidden layers of ReLU."""

    def _layers(self) -> dict[str, Tensor]:
        width = self.code.slots * UNITS
        return {
            "first": self._drawn(width**-0.5, width, UNITS),
            "first_bias": self._drawn(width**-0.5, 1, UNITS),
            "second": self._drawn(UNITS**-0.5, UNITS, UNITS),
            "second_bias": self._drawn(UNITS**-0.5, 1, UNITS),
        }

    def _encoded(self, decisions: Sequence[tuple[str, ...]]) -> Tensor:
        return torch.from_numpy(self.code.shares(self._code(decisions)))

    def hidden(self, encoded: Tensor) -> Tensor:
        """Returns the second hidden layer.

        A mean embedding times a matrix is a share times an embedding times that matrix, which is done once.
        """
        own = self.parameters
        by_slot = own["first"].reshape(self.members, self.code.slots, UNITS, UNITS)
        weights = torch.einsum("mvd,msdh->msvh", own["embedding"], by_slot).flatten(1, 2)
        first = (encoded @ weights + own["first_bias"]).relu()
        return torch.baddbmm(own["second_bias"], first, own["second"]).relu()

    known_hidden = hidden


class Lstm(Predictor):
    """Reads one decision after the other; the state after the last one is the hidden layer."""

    def _layers(self) -> dict[str, Tensor]:
        spread = UNITS**-0.5
        return {
            "input": self._drawn(spread, UNITS, 4 * UNITS),
            "state": self._drawn(spread, UNITS, 4 * UNITS),
            "bias": self._drawn(spread, 1, 4 * UNITS),
        }

    def _encoded(self, decisions: Sequence[tuple[str, ...]]) -> Tensor:
        return torch.from_numpy(self._code(decisions))

    def hidden(self, encoded: Tensor) -> Tensor:
        """Returns the state after the last decision of each arch; behind it stands -1."""
        inputs, every = self._inputs(), torch.from_numpy(np.arange(self.members)).unsqueeze(1)
        state = cell = inputs.new_zeros(self.members, encoded.shape[1], UNITS)
        for numbers in encoded.unbind(2):
            there = (numbers >= 0).unsqueeze(2)
            after = self._step(inputs[every, numbers.clamp(min=0)], state, cell)
            state, cell = (torch.where(there, *pair) for pair in zip(after, (state, cell), strict=True))
        return state

    def known_hidden(self, encoded: Tensor) -> Tensor:
        """Returns the same, computed once for archs of which the beginning is the same."""
        found = self.parameters["state"].new_zeros(self.members, len(encoded), UNITS)
        numbers = encoded.numpy()
        lengths = (numbers >= 0).sum(axis=1)
        for length in np.unique(lengths).tolist():
            rows = np.flatnonzero(lengths == length)
            found[:, torch.from_numpy(rows)] = self._by_beginnings(numbers[rows, :length])
        return found

    def _by_beginnings(self, numbers: np.ndarray) -> Tensor:
        """Returns the state `[members, archs, UNITS]` after the decisions `numbers [archs, length]`."""
        inputs = self._inputs()
        state = cell = inputs.new_zeros(self.members, 1, UNITS)
        beginning = np.zeros(len(numbers), dtype=np.int64)
        for column in numbers.T:
            different, beginning = np.unique(beginning * self.code.size + column, return_inverse=True)
            before, last = (torch.from_numpy(part) for part in np.divmod(different, self.code.size))
            state, cell = self._step(inputs[:, last], state[:, before], cell[:, before])
        return state[:, torch.from_numpy(beginning)]

    def _inputs(self) -> Tensor:
        """Returns what each decision adds to the gates, `[members, decisions, 4 * UNITS]`."""
        own = self.parameters
        return torch.baddbmm(own["bias"], own["embedding"], own["input"])

    def _step(self, inputs: Tensor, state: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        gates = torch.baddbmm(inputs, state, self.parameters["state"])
        keep, add, show = gates[..., : 3 * UNITS].sigmoid().chunk(3, dim=2)
        cell = keep * cell + add * gates[..., 3 * UNITS :].tanh()
        return show * cell.tanh(), cell


PREDICTORS: dict[str, type[Predictor]] = {"mlp": Mlp, "lstm": Lstm}
