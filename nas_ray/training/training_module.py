"""The LightningModule that trains one net by a recipe."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

from nas_ray.process.lightning import TrainerFn, pl
from nas_ray.training.objective import Objective, objective_of
from nas_ray.training.recipes import Recipe
from nas_ray.training.second_classifier import both_outputs, second_classifier, set_drop_path
from nas_ray.training.task import Batch as Batch
from nas_ray.training.task import Task


@runtime_checkable
class ModuleTask(Protocol):
    """A task whose nets are trained by a module of its own, such as one that carries a state."""

    def training_module(self, net: nn.Module, recipe: Recipe, steps_per_epoch: int) -> TrainingModule:
        """Returns the untrained module of a net."""


def training_module(task: Task, net: nn.Module, recipe: Recipe, steps_per_epoch: int) -> TrainingModule:
    """Returns the untrained module of a net on a task: that of the task where it has its own.

    Raises:
        UsageError: the recipe asks for what the task or the net cannot do.
    """
    if isinstance(task, ModuleTask):
        return task.training_module(net, recipe, steps_per_epoch)
    return TrainingModule(net, recipe, objective_of(task, recipe), steps_per_epoch=steps_per_epoch)


class TrainingModule(pl.LightningModule):
    """A net, its optimiser and what it has learned.

    Optimiser and schedule belong to the module and not to a `Trainer`, so that a training may go on in
    another one, epoch by epoch. `state` and `load_state` hold all that a training needs to go on exactly.

    Args:
        net: `inputs -> outputs`, such as `[B, 3, H, W] -> [B, classes]`.
        recipe: how it is trained.
        objective: what it makes smaller and what it reports.
        steps_per_epoch: batches of an epoch, which the schedule counts in.

    Attributes:
        results: of the last epoch: the metric as `train_acc` and `valid_acc` (or as its name is), and
            `train_loss` and `valid_loss`; training values are means over the epoch, while the net changes.
    """

    def __init__(
        self,
        net: nn.Module,
        recipe: Recipe,
        objective: Objective,
        *,
        steps_per_epoch: int,
    ) -> None:
        super().__init__()
        self.net = net.to(memory_format=torch.channels_last) if recipe.channels_last else net
        self.second = second_classifier(net, recipe)
        self.recipe = recipe
        self.objective = objective
        self.steps_per_epoch = steps_per_epoch
        self.results: dict[str, float] = {}
        self._sums: dict[str, Tensor] = {}
        self.average = (
            AveragedModel(
                self.net,
                multi_avg_fn=_Ema(recipe.ema),
                use_buffers=True,
            )
            if recipe.ema
            else None
        )

    @property
    def trained(self) -> nn.Module:
        """The net that counts: the average of the weights where the recipe asks for one."""
        return self.net if self.average is None else self.average.module

    def forward(self, inputs: Tensor) -> Tensor:
        """Returns the outputs of the net that counts."""
        outputs: Tensor = self.trained(self._laid_out(inputs))
        return outputs

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Returns the loss of a batch."""
        inputs, targets = batch
        if self.second is None:
            outputs = self.net(self._laid_out(inputs))
            loss = self.objective.training_loss(outputs, targets)
        else:
            outputs, others = both_outputs(self.net, self.second, self._laid_out(inputs))
            loss = self.objective.training_loss(outputs, targets)
        self._count("train", loss.detach(), outputs.detach(), targets)
        if self.second is not None:
            loss = loss + self.recipe.auxiliary_weight * self.objective.training_loss(others, targets)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Adds a batch to what is reported."""
        self._judge("valid", *batch)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Adds a batch to what is reported."""
        self._judge("test", *batch)

    def on_train_epoch_start(self) -> None:
        """Forgets the sums of the last epoch, and drops the paths of this one."""
        self._sums.pop("train", None)
        if self.recipe.drop_path:
            set_drop_path(
                self.net, self.recipe.drop_path_in(self._schedule.last_epoch // self.steps_per_epoch)
            )

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Moves the average."""
        if self.average is not None:
            self.average.update_parameters(self.net)

    def on_train_epoch_end(self) -> None:
        """Keeps and logs metric and loss."""
        self._finish("train")

    def on_validation_epoch_start(self) -> None:
        """Averages the statistics of batch normalisation anew, if the recipe asks for it."""
        if self.recipe.drop_path:
            set_drop_path(self.net, 0.0)  # until the next epoch: statistics are those of whole nets
        if self.recipe.bn_batches and self.trainer.state.fn == TrainerFn.FITTING:
            loader: Iterable[Batch] = self.trainer.train_dataloader or ()
            batches = itertools.islice(loader, self.recipe.bn_batches)
            update_bn([self._laid_out(inputs) for inputs, _ in batches], self.trained, self.device)

    def on_validation_epoch_end(self) -> None:
        """Keeps and logs metric and loss."""
        self._finish("valid")

    def on_test_epoch_end(self) -> None:
        """Keeps and logs metric and loss."""
        self._finish("test")

    def configure_optimizers(self) -> Any:
        """Returns the optimiser and the schedule, the same ones each time."""
        return {
            "optimizer": self._optimiser,
            "lr_scheduler": {"scheduler": self._schedule, "interval": "step"},
        }

    def configure_gradient_clipping(self, optimizer: Any, *_: Any, **__: Any) -> None:
        """Limits the norm of the gradient, after it was unscaled."""
        if self.recipe.clip_grad_norm:
            self.clip_gradients(optimizer, self.recipe.clip_grad_norm, "norm")

    def state(self) -> dict[str, Any]:
        """Returns weights, average, optimiser and schedule: tensors and plain numbers."""
        return {
            "module": self.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes what `state` returned."""
        self.load_state_dict(state["module"])
        self._schedule.load_state_dict(state["schedule"])
        self._optimiser.load_state_dict(state["optimiser"])  # last: a new schedule sets the learning rate

    @property
    def columns(self) -> tuple[str, ...]:
        """The results that the row of an epoch has, where there are any."""
        named = (self.objective.name, "loss")
        return tuple(f"{part}_{what}" for what in named for part in ("valid", "train"))

    @cached_property
    def _optimiser(self) -> Optimizer:
        return self._new_optimiser()

    def _new_optimiser(self) -> Optimizer:
        recipe = self.recipe
        return SGD(
            self._trained_parameters(),
            lr=recipe.lr,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov,
            weight_decay=recipe.weight_decay,
        )

    def _trained_parameters(self) -> list[nn.Parameter]:
        return [*self.net.parameters(), *(self.second.parameters() if self.second is not None else ())]

    @cached_property
    def _schedule(self) -> LambdaLR:
        return LambdaLR(self._optimiser, lambda step: self.recipe.lr_factor(step, self.steps_per_epoch))

    def _laid_out(self, inputs: Tensor) -> Tensor:
        last = self.recipe.channels_last and inputs.dim() == 4
        return inputs.contiguous(memory_format=torch.channels_last) if last else inputs

    def _judge(self, kind: str, inputs: Tensor, targets: Tensor) -> None:
        outputs = self(inputs)
        self._count(kind, self.objective.loss(outputs, targets), outputs, targets)

    def _count(self, kind: str, loss: Tensor, outputs: Tensor, targets: Tensor) -> None:
        count = len(targets)
        metric = torch.as_tensor(self.objective.metric(outputs, targets), device=loss.device).double()
        if metric.shape not in ((), targets.shape[:1]):
            raise ValueError(
                f"a metric must be a number or one per example, got shape {tuple(metric.shape)} for "
                f"{len(targets)} examples"
            )
        metric = metric.sum() if metric.dim() else metric * count
        now = torch.stack([loss.double() * count, metric, torch.full_like(loss, count).double()])
        self._sums[kind] = self._sums[kind] + now if kind in self._sums else now

    def _finish(self, kind: str) -> None:
        if kind not in self._sums:
            return
        sums = self._sums.pop(kind)
        if self._trainer is not None and self.trainer.world_size > 1:
            sums = self.trainer.strategy.reduce(sums, reduce_op="sum")
        loss, metric, count = sums.tolist()
        metric = -metric if self.objective.smaller_is_better else metric
        found = {f"{kind}_loss": loss / count, f"{kind}_{self.objective.name}": metric / count}
        self.results.update(found)
        self.log_dict(found, rank_zero_only=True)


class _Ema:
    """torch's moving average with a decay, in a form that other processes can be given."""

    def __init__(self, decay: float) -> None:
        self._decay = decay

    def __call__(self, averaged: Any, current: Any, count: Any) -> None:
        get_ema_multi_avg_fn(self._decay)(averaged, current, count)  # type: ignore[no-untyped-call]
