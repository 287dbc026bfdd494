"""The LightningModule that trains one net to tell a text, token by token."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import Optimizer

from nas_ray.process.lightning import TrainerFn
from nas_ray.training.averaged_sgd import AveragedSgd
from nas_ray.training.objective import Objective
from nas_ray.training.recipes import Recipe
from nas_ray.training.recurrent import Dropouts, Ran, RecurrentNet, State, state_for
from nas_ray.training.task import Batch, Batches
from nas_ray.training.training_module import TrainingModule

MOST_NATS: Final = 700.0
"""Whose exponential is still a number."""


class LanguageTraining(TrainingModule):
    """Trains a net `[B, T] -> [B, T, V]`, and carries the state of a `RecurrentNet` from piece to piece.

    The learning rate of a step is scaled by the length of its piece over `bptt`. Where the recipe has
    `nonmonotone`, SGD becomes averaged SGD after the first validation that is worse than the best of all but
    so many last ones, and the average is the net that counts.

    Source: Merity, Keskar and Socher, "Regularizing and Optimizing LSTM Language Models", ICLR 2018, and its
    released code, which that of DARTS follows.
    Differs: a last piece is scaled by its own length and not by the one that was drawn.

    Args:
        net: `[B, T] -> [B, T, V]`.
        recipe: how it is trained.
        objective: cross-entropy.
        steps_per_epoch: pieces of an epoch; about so many, where their lengths vary.
    """

    def __init__(self, net: nn.Module, recipe: Recipe, objective: Objective, *, steps_per_epoch: int) -> None:
        super().__init__(net, recipe, objective, steps_per_epoch=steps_per_epoch)
        if isinstance(net, RecurrentNet):
            net.dropouts = dropouts_of(recipe)
        self.averaged = copy.deepcopy(net) if recipe.nonmonotone else None
        self.judged: list[float] = []
        self.switched = False
        self._carried: State | None = None
        self._began = 0.0

    @property
    def trained(self) -> nn.Module:
        """The net that counts: once weights are averaged, their average."""
        return self.averaged if self.switched and self.averaged is not None else super().trained

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Returns the loss of a piece with its penalties."""
        inputs, targets = batch
        self._scale_rate(inputs.shape[1])
        ran = self._ran(self.net, inputs)
        logits = self.net(inputs) if ran is None else ran.logits
        loss = self.objective.training_loss(logits, targets)
        self._count("train", loss.detach(), logits.detach(), targets)
        if ran is None:
            return loss
        self._carried = tuple(part.detach() for part in ran.state)
        if self.recipe.activation_penalty:
            loss = loss + self.recipe.activation_penalty * ran.dropped.pow(2).mean()
        return with_temporal_penalty(loss, ran.outputs, self.recipe)

    def on_train_epoch_start(self) -> None:
        """Begins the text anew."""
        super().on_train_epoch_start()
        self._carried = None
        self._began = time.monotonic()

    def on_validation_epoch_start(self) -> None:
        """Begins the held-out text, and takes the average of the weights."""
        self._note_speed()
        super().on_validation_epoch_start()
        self._carried = None
        if self.switched:
            self._take_average()

    def on_validation_epoch_end(self) -> None:
        """Keeps and logs what was told, and decides whether weights are averaged from here on."""
        self._finish("valid")
        now = self.results.get("valid_nats", math.nan)
        fitting = self._trainer is not None and self.trainer.state.fn == TrainerFn.FITTING
        if isinstance(self._optimiser, AveragedSgd) and fitting and not self.switched:
            self.switched = is_worse(now, self.judged, self.recipe.nonmonotone)
            self.judged.append(now)
            if self.switched:
                self._optimiser.begin_averaging()
                self._take_average()

    def on_test_epoch_start(self) -> None:
        """Begins the text."""
        self._carried = None

    def get_extra_state(self) -> dict[str, Any]:
        """Returns what decides when weights are averaged: it is a part of `state_dict`."""
        return {"judged": list(self.judged), "switched": self.switched}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Takes what `get_extra_state` returned."""
        self.judged, self.switched = [float(nats) for nats in state["judged"]], bool(state["switched"])

    @property
    def columns(self) -> tuple[str, ...]:
        """The results that the row of an epoch has, where there are any."""
        return (*super().columns, "valid_perplexity")

    def _new_optimiser(self) -> Optimizer:
        if not self.recipe.nonmonotone:
            return super()._new_optimiser()
        recipe = self.recipe
        return AveragedSgd(self._trained_parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay)

    def _ran(self, net: nn.Module, inputs: Tensor) -> Ran | None:
        """Returns what a recurrent net gives for a piece, read from the carried state on; None for others."""
        if not isinstance(net, RecurrentNet):
            return None
        return net.run(inputs, state_for(net.begin, self._carried, len(inputs)))

    def _scale_rate(self, length: int) -> None:
        if self.recipe.bptt_varies:
            rates = self._schedule.get_last_lr()
            for group, rate in zip(self._optimiser.param_groups, rates, strict=True):
                group["lr"] = rate * length / self.recipe.bptt

    @torch.no_grad()
    def _take_average(self) -> None:
        assert self.averaged is not None
        optimiser = self._optimiser
        assert isinstance(optimiser, AveragedSgd)
        for kept, parameter in zip(self.averaged.parameters(), self.net.parameters(), strict=True):
            kept.copy_(optimiser.average_of(parameter))

    def _judge(self, kind: str, inputs: Tensor, targets: Tensor) -> None:
        net = self.trained
        ran = self._ran(net, inputs)
        self._carried = None if ran is None else ran.state
        outputs = net(inputs) if ran is None else ran.logits
        self._count(kind, self.objective.loss(outputs, targets), outputs, targets)

    def _count(self, kind: str, loss: Tensor, outputs: Tensor, targets: Tensor) -> None:
        """Adds a piece, which counts as many times as it has tokens."""
        count = targets.numel()
        now = torch.stack([loss.double() * count, -loss.double() * count, loss.new_tensor(count).double()])
        self._sums[kind] = self._sums[kind] + now if kind in self._sums else now

    def _finish(self, kind: str) -> None:
        super()._finish(kind)
        nats = self.results.get(f"{kind}_nats")
        if nats is not None:
            self.results[f"{kind}_perplexity"] = perplexity(nats)

    def _note_speed(self) -> None:
        if "train" in self._sums:
            tokens = float(self._sums["train"][2])
            self.results["tokens_per_s"] = tokens / max(1e-9, time.monotonic() - self._began)


@torch.no_grad()
def nats_of(net: nn.Module, pieces: Batches) -> float:
    """Returns the nats per token of a text that `net`, in evaluation mode, reads in pieces, in float64."""
    total, count = 0.0, 0
    state: State | None = None
    for inputs, targets in pieces:
        if isinstance(net, RecurrentNet):
            logits, _, _, state = net.run(inputs, state_for(net.begin, state, len(inputs)))
        else:
            logits = net(inputs)
        total += float(
            cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none").double().sum()
        )
        count += targets.numel()
    return total / count


def dropouts_of(recipe: Recipe) -> Dropouts:
    """Returns the dropouts that a recipe asks of a recurrent net."""
    return Dropouts(**{part.name: getattr(recipe, f"{part.name}_dropout") for part in fields(Dropouts)})


def with_temporal_penalty(loss: Tensor, outputs: Tensor, recipe: Recipe) -> Tensor:
    """Returns a loss with what outputs `[B, T, H]` change from token to token, as much as a recipe says."""
    if not recipe.temporal_penalty or outputs.shape[1] < 2:
        return loss
    change = outputs[:, 1:] - outputs[:, :-1]
    return loss + recipe.temporal_penalty * change.pow(2).mean()


def is_worse(now: float, before: Sequence[float], patience: int) -> bool:
    """Returns whether a validation is worse than the best of all before, without the last `patience`.

    Source: the non-monotone rule of Merity, Keskar and Socher, 2018, algorithm 1, as in their code.
    """
    return len(before) > patience and now > min(before[:-patience])


def perplexity(nats: float) -> float:
    """Returns what a net is as unsure as: a choice among so many equal words."""
    return math.exp(nats) if nats < MOST_NATS else math.inf
