"""What trains in a one-shot search: a supernet by stages, the steps, and their state."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from nas_ray.errors import UsageError
from nas_ray.shared_weights.methods.arch_step import ArchStep, Learned
from nas_ray.shared_weights.methods.arch_weights import arch_weights
from nas_ray.shared_weights.methods.batches import Batch, on_device
from nas_ray.shared_weights.methods.chance import Chance
from nas_ray.shared_weights.methods.edge_weights import EdgeWeights
from nas_ray.shared_weights.methods.freeze import Agreement
from nas_ray.shared_weights.methods.method import Method
from nas_ray.shared_weights.methods.mixes import Mixes
from nas_ray.shared_weights.methods.recurrent import check_fits, training_of
from nas_ray.shared_weights.methods.schedule import auxiliary_skip, learning_rate, linear, protocol
from nas_ray.shared_weights.methods.stages import Stage, stages_of, weaker_dropped, widened
from nas_ray.shared_weights.methods.supernet_training import Loss
from nas_ray.shared_weights.methods.weight_step import WeightStep
from nas_ray.shared_weights.mixed import MixedNet, mixed_net
from nas_ray.spaces.base import fitted_space
from nas_ray.spaces.edges import EdgeSpace
from nas_ray.training.recipes import Recipe

PLAIN = (
    "stage",
    "epoch",
    "in_epoch",
    "finished",
    "slowness",
    "eigenvalues",
    "earlier",
    "last_valid",
)
"""Attributes that are a part of the state as they are."""


class SearchCore:
    """The supernet of a search, its parameters and steps; what is made of them is in `search.py`.

    Raises:
        UsageError: the space has no supernet, or not one as the method needs it.
    """

    def __init__(
        self,
        method: Method,
        space: EdgeSpace,
        num_classes: int,
        *,
        image_size: int | None = 32,
        epochs: int | None = None,
        steps_per_epoch: int = 1,
        seed: int = 0,
        channels: int | None = None,
        cells: int | None = None,
        loss: Loss = cross_entropy,
        device: torch.device | str = "cpu",
        make_net: Callable[..., MixedNet] = mixed_net,
        recipe: Recipe | None = None,
    ) -> None:
        fitted = space if image_size is None else fitted_space(space, image_size)
        if not isinstance(fitted, EdgeSpace):
            raise UsageError(
                "A one-shot search needs a space of operations on edges, with graphs, from_edges, to_edges, "
                f"got {getattr(space, 'name', type(space).__name__)}."
            )
        self.method, self.space, self.num_classes = method, fitted, num_classes
        self.epochs, self.steps_per_epoch, self.seed = epochs or method.epochs, steps_per_epoch, seed
        self.channels, self.make_net, self.device = channels, make_net, torch.device(device)
        check_fits(method, fitted)
        self.graphs = fitted.graphs()
        self.recipe, self.loss_of, self.how = recipe, loss, protocol(method, self.graphs)
        self.stages = stages_of(method, self.graphs, self.epochs, cells)
        self.epoch = self.in_epoch = 0
        self.finished = False
        self.slowness = 1.0
        self.eigenvalues: list[float] = []
        self.earlier: list[dict[str, Tensor]] = []
        self.last_valid: Batch | None = None
        self._new_parameters(Chance(seed, self.device))
        self._enter(0)
        self.begin_epoch(0)

    @property
    def net(self) -> MixedNet:
        """The supernet."""
        return self.training.net

    @property
    def arch_parameters(self) -> list[torch.nn.Parameter]:
        """What the architecture step moves: `[E, O]` by graph, then `[E]` of edges, or a controller's."""
        return self.mixes.parameters()

    def _new_parameters(self, chance: Chance, stage: int = 0) -> None:
        """Sets new architecture parameters with their optimiser; all operations are there."""
        first = torch.Generator().manual_seed(self.seed + stage)
        arch = arch_weights(self.method, self.graphs, first, self.device)
        soft = self.method.edges == "softmax"
        edges = EdgeWeights(self.graphs, self.method.init, first).to(self.device) if soft else None
        keep = tuple(torch.tensor(graph.mask) for graph in self.graphs)
        self.mixes = Mixes(
            self.method, arch, edges, keep, chance, self.device, unchosen_learn=self.how.unchosen_learn
        )
        self.arch_step = ArchStep(self.method, self.mixes)
        self.weight_step = WeightStep(self.method, self.mixes)

    def _enter(self, number: int, old: dict[str, Tensor] | None = None) -> None:
        """Makes the supernet of a stage, and what trains it."""
        self.stage = number
        stage = self.stages[number]
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(self.seed + number)
            net = self.make_net(
                self.space, self.num_classes, channels=self.channels, cells=stage.cells, partial=stage.partial
            ).to(self.device)
        if old is not None:
            generator = torch.Generator().manual_seed(self.seed + number)
            net.load_state_dict(widened(old, net.state_dict(), generator))
        self.training = training_of(net, self.method, self.how, self.loss_of, self.recipe)
        self.mixes.seeded = self.training.seeded
        frozen = self.method.freeze == "agreement"
        self.agreement = (
            Agreement(net.operation_parameters(), self.method.agreement, self.method.patience)
            if frozen
            else None
        )

    def _next_stage(self) -> None:
        """Drops the weaker operations of all edges and goes on with the next supernet."""
        stage = self.stages[self.stage + 1]
        now = zip(self.graphs, self.strengths(), self.mixes.there, strict=True)
        keep = tuple(weaker_dropped(graph, own.cpu(), kept, stage.share) for graph, own, kept in now)
        old = None if stage.fresh else self.net.state_dict()
        if stage.fresh:
            self._new_parameters(self.mixes.chance, self.stage + 1)
        self.mixes.set_keep(keep)
        self._enter(self.stage + 1, old)

    def begin_epoch(self, epoch: int) -> None:
        """Sets what changes with the epoch, from 0: stage, temperature, and what fades."""
        while any(later.epochs and later.first <= epoch for later in self.stages[self.stage + 1 :]):
            self._next_stage()
        self.epoch, self.in_epoch = epoch, 0
        method, epochs = self.method, self.epochs
        self.mixes.chance.tau = linear(method.tau, method.tau_min, epoch, epochs)
        self.mixes.skip = auxiliary_skip(epoch, epochs) if method.skip == "decay" else 0.0
        self.mixes.drop = self.current.drop_rate(epoch)
        self.training.begin_epoch()
        self.net.train()

    @property
    def current(self) -> Stage:
        """The stage that is under way."""
        return self.stages[self.stage]

    def step(self, train: Batch, valid: Batch) -> dict[str, Tensor]:
        """Makes a step of the weights and one of the architecture, in the published order.

        Args:
            train: batch of the images that train weights.
            valid: batch of the images that train the architecture.

        Returns:
            `train_loss`, `train_acc` in percent, and where the method looks at the validation batch
            `valid_loss` or `valid_acc`; tensors on the device, as they were before the step.
        """
        training = self.training
        train = training.continued("train", on_device(train, self.device))
        valid = training.continued("valid", on_device(valid, self.device))
        training.set_rate(self._rate() * training.rate_of(train))
        if self.method.stop == "eigenvalue":
            self.last_valid = valid
        learning = self.epoch - self.current.first >= self.current.warmup
        learned = self._learn(train, valid) if learning and not self.how.weights_first else None
        trained = self.weight_step(training, train, self.epoch, self.epochs)
        training.keep("train", train)
        if learning and self.how.weights_first:
            learned = self._learn(train, valid)
        if learned is not None and learned.loss is not None:
            training.keep("valid", valid)
        self.in_epoch += 1
        seen = {"train_loss": trained.loss, "train_acc": 100 * trained.right}
        if learned is not None:
            if self.agreement is not None:
                self.agreement.add(trained.gradients, learned.gradients)
            if learned.loss is not None:
                seen["valid_loss"] = learned.loss
            if learned.right is not None:
                seen["valid_acc"] = 100 * learned.right
        return seen

    def _learn(self, train: Batch, valid: Batch) -> Learned:
        return self.arch_step(self.training, train, valid, self.epoch, self.epochs, self.agreement)

    def _rate(self) -> float:
        """Returns the learning rate of the weights in this step."""
        stage = self.current
        first, epochs = (stage.first, stage.epochs) if stage.fresh else (0, self.epochs)
        part = self.in_epoch / self.steps_per_epoch if self.how.every_step else 0.0
        if self.slowness != 1.0:
            return self.method.lr * self.slowness
        return learning_rate(self.method, self.epoch - first + part, epochs)

    def slow_down(self, factor: float) -> None:
        """Trains on at this share of the first learning rate, without momentum of before."""
        self.slowness = factor
        self.training.optimizer.state.clear()

    def strengths(self) -> tuple[Tensor, ...]:
        """Returns how much each operation is preferred, `[E, O]` by graph, such as after the softmax."""
        with torch.no_grad():
            return self.mixes.mean().weights

    def edge_strengths(self) -> tuple[Tensor, ...] | None:
        """Returns the weights of edges, `[E]` by graph; None where the method has none."""
        with torch.no_grad():
            return None if self.mixes.edges is None else self.mixes.edges()

    def state(self) -> dict[str, Any]:
        """Returns all that the next step needs; nothing of it changes with later steps."""
        return copy.deepcopy(
            {
                **{name: getattr(self, name) for name in PLAIN},
                "training": self.training.state(),
                "mixes": self.mixes.state(),
                "learning": self.arch_step.state(),
                "agreement": None if self.agreement is None else self.agreement.state(),
            }
        )

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on as after `state`, of a search with the same arguments."""
        state = copy.deepcopy(state)
        if state["stage"] != self.stage:
            self._enter(state["stage"])
        for name in PLAIN:
            setattr(self, name, state[name])
        self.training.load_state(state["training"])
        self.mixes.load_state(state["mixes"])
        self.arch_step.load_state(state["learning"])
        if self.agreement is not None:
            self.agreement.load_state(state["agreement"])
