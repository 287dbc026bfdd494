"""A step of the weights of the net, on a training batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nas_ray.shared_weights.methods.batches import Batch
from nas_ray.shared_weights.methods.harmony import harmonised
from nas_ray.shared_weights.methods.method import Method
from nas_ray.shared_weights.methods.mixes import Mixes, Pass, Tensors
from nas_ray.shared_weights.methods.perturb import FIRST, adversarial, random_noise
from nas_ray.shared_weights.methods.schedule import linear, towards
from nas_ray.shared_weights.methods.supernet_training import SupernetTraining

Gradients = Mapping[nn.Parameter, Tensor | None]


@dataclass(frozen=True)
class Trained:
    """What a step of the weights saw: the loss before it, the share of right outputs, and the gradients."""

    loss: Tensor
    right: Tensor
    gradients: Gradients


class WeightStep:
    """The weights follow the training loss under weights of operations that do not move.

    Args:
        method: how they are perturbed, and whether cells shall agree.
        mixes: makes the weights of operations.
    """

    def __init__(self, method: Method, mixes: Mixes) -> None:
        self.method, self.mixes = method, mixes

    def __call__(self, training: SupernetTraining, batch: Batch, epoch: int, epochs: int) -> Trained:
        """Makes a step and returns what was seen."""
        weights = training.weights
        drawn = self.mixes.draw()
        made = self._perturbed(training, batch, drawn, towards(FIRST, self.method.noise, epoch, epochs))
        strength = (
            linear(0.0, self.method.lambda_, epoch, epochs) if "lambda" in self.method.penalties else 0.0
        )
        seen: list[Tensor] = []

        def loss(by_graph: Tensors) -> Tensor:
            outputs = training.outputs(batch[0], drawn.mix(by_graph), drawn.seed)
            seen.append(outputs.detach())
            return training.penalised(training.loss_of(outputs, batch[1]), batch)

        if strength:
            counts = training.net.cells
            cells = [
                own.expand(number, *own.shape) for own, number in zip(drawn.weights, counts, strict=True)
            ]
            rest = made[len(drawn.weights) :]
            found = harmonised(lambda own: loss((*own, *rest)), cells, weights, strength)
            value, gradients = found.loss, found.gradients
        else:
            value = loss(made)
            gradients = torch.autograd.grad(value, weights, allow_unused=True)
        right = (seen[0].argmax(-1) == batch[1]).to(value.dtype).mean()
        kept = dict(zip(weights, gradients, strict=True))
        training.apply(weights, gradients, drawn.active)
        return Trained(value.detach(), right, kept)

    def _perturbed(self, training: SupernetTraining, batch: Batch, drawn: Pass, limit: float) -> Tensors:
        """Returns the weights of operations and edges under which the net is trained."""
        made = tuple(own.detach() for own in drawn.made)
        number = len(drawn.weights)
        own, rest = made[:number], made[number:]
        keep, chance = self.mixes.keep, self.mixes.chance
        if self.method.perturb == "random":
            return (*random_noise(own, keep, limit, chance), *rest)
        if self.method.perturb == "adversarial":
            training.net.eval()

            def loss(weights: Tensors) -> Tensor:
                return training.loss(batch, drawn.mix((*weights, *rest)), drawn.seed)

            found = adversarial(loss, own, keep, limit, chance, self.method.attacks)
            training.net.train()
            return (*found, *rest)
        return made
