"""A step of the architecture parameters, on a validation batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from nas_ray.shared_weights.methods.arch_weights import Parameters, Policy
from nas_ray.shared_weights.methods.batches import Batch, judging, right
from nas_ray.shared_weights.methods.controller import Rewards
from nas_ray.shared_weights.methods.freeze import Agreement
from nas_ray.shared_weights.methods.gradient import Measured, VirtualStep, first_order, second_order
from nas_ray.shared_weights.methods.method import Method
from nas_ray.shared_weights.methods.mixes import Mixes, Pass
from nas_ray.shared_weights.methods.penalties import penalty_of
from nas_ray.shared_weights.methods.supernet_training import SupernetTraining
from nas_ray.shared_weights.methods.weight_step import Gradients

BETA = 0.999
"""The second one of Adam, in all published searches."""


@dataclass(frozen=True)
class Learned:
    """What a step saw: the validation loss, or the accuracy of a sampled arch, and gradients of weights."""

    loss: Tensor | None = None
    right: Tensor | None = None
    gradients: Gradients = field(default_factory=dict)


class ArchStep:
    """Architecture parameters follow the validation loss, or the accuracy of what a controller drew.

    Args:
        method: the gradient, the penalties and Adam's numbers.
        mixes: makes the weights of operations.

    Attributes:
        optimizer: Adam; None where nothing is learned.
    """

    def __init__(self, method: Method, mixes: Mixes) -> None:
        self.method, self.mixes = method, mixes
        parameters = mixes.parameters()
        self.optimizer = (
            torch.optim.Adam(
                parameters,
                lr=method.arch_lr,
                betas=(method.arch_beta, BETA),
                eps=method.arch_eps,
                weight_decay=method.arch_weight_decay,
            )
            if parameters
            else None
        )
        arch = mixes.arch
        self.rewards = (
            Rewards(arch.controller, self.optimizer) if isinstance(arch, Policy) and self.optimizer else None
        )

    def __call__(
        self,
        training: SupernetTraining,
        train: Batch,
        valid: Batch,
        epoch: int,
        epochs: int,
        agreement: Agreement | None = None,
    ) -> Learned:
        """Makes a step and returns what was seen; `agreement` asks for gradients of operations."""
        if self.rewards is not None:
            return self._by_reward(training, valid)
        if self.optimizer is None:
            return Learned()
        drawn = self.mixes.draw()
        asked = [] if agreement is None else agreement.open
        found = self._measured(training, train, valid, drawn, asked)
        own = training.weights if self.method.gradient == "second" else asked
        gradients = dict(zip(own, found.by_weights, strict=True))
        self.optimizer.zero_grad(set_to_none=True)
        roots, slopes = [*drawn.made], [*found.by_operations]
        logits = [*self.mixes.arch.logits] if isinstance(self.mixes.arch, Parameters) else []
        penalty = penalty_of(self.method, logits, self.mixes.keep, epoch, epochs)
        if penalty is not None:
            roots, slopes = [*roots, penalty], [*slopes, torch.ones_like(penalty)]
        torch.autograd.backward(roots, slopes)
        self.optimizer.step()
        return Learned(found.loss, None, gradients)

    def state(self) -> dict[str, Any]:
        """Returns what the optimiser and the rewards have seen."""
        return {
            "adam": None if self.optimizer is None else self.optimizer.state_dict(),
            "rewards": None if self.rewards is None else self.rewards.state(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on as after `state`."""
        if self.optimizer is not None:
            self.optimizer.load_state_dict(state["adam"])
        if self.rewards is not None:
            self.rewards.load_state(state["rewards"])

    def _measured(
        self,
        training: SupernetTraining,
        train: Batch,
        valid: Batch,
        drawn: Pass,
        asked: list[torch.nn.Parameter],
    ) -> Measured:
        leaves = drawn.leaves()
        if self.method.gradient == "first":
            return first_order(training.loss(valid, drawn.mix(leaves), drawn.seed), leaves, asked)
        weights = training.weights
        return second_order(
            lambda made: training.loss(train, drawn.mix(made), drawn.seed),
            lambda made: training.loss(valid, drawn.mix(made), drawn.seed),
            leaves,
            weights,
            VirtualStep.of(
                training.optimizer,
                weights,
                training.resting(weights, drawn.active),
                training.virtual_clip,
            ),
            self.method.radius,
        )

    def _by_reward(self, training: SupernetTraining, valid: Batch) -> Learned:
        arch = self.mixes.arch
        if self.rewards is None or not isinstance(arch, Policy):
            return Learned()
        drawn = self.mixes.draw()
        with judging(training.net):
            share = right(training.net, valid, drawn.mix())
        self.rewards.add(arch.chosen, share, arch.allowed(self.mixes.there))
        return Learned(None, share)
