"""The LightningModule that trains one net by a recipe."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import SGD
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

from nas_ray.process.lightning import TrainerFn, pl
from nas_ray.training.recipes import Recipe

Batch = tuple[Tensor, Tensor]


class TrainingModule(pl.LightningModule):
    """A net, its optimiser and its accuracy.

    Optimiser and schedule belong to the module and not to a `Trainer`, so that a training may go on in
    another one, epoch by epoch. `state` and `load_state` hold all that a training needs to go on exactly.

    Args:
        net: `[B, 3, H, W] -> [B, num_classes]`.
        recipe: how it is trained.
        num_classes: outputs of the net.
        steps_per_epoch: batches of an epoch, which the schedule counts in.
        class_weights: `[num_classes]` weights in the training loss; None for equal ones.

    Attributes:
        results: of the last epoch: `train_acc` and `valid_acc` in percent, `train_loss` and `valid_loss`
            (cross-entropy in nats); training values are means over the epoch, while the net changes.
    """

    def __init__(
        self,
        net: nn.Module,
        recipe: Recipe,
        *,
        num_classes: int,
        steps_per_epoch: int,
        class_weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.net = net.to(memory_format=torch.channels_last) if recipe.channels_last else net
        self.recipe = recipe
        self.num_classes = num_classes
        self.steps_per_epoch = steps_per_epoch
        self.results: dict[str, float] = {}
        self._sums: dict[str, Tensor] = {}
        self.class_weights: Tensor | None
        weights = None if class_weights is None else torch.tensor(class_weights, dtype=torch.float32)
        self.register_buffer("class_weights", weights, persistent=False)
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
        """Returns `[B, num_classes]` logits of the net that counts."""
        logits: Tensor = self.trained(self._laid_out(inputs))
        return logits

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Returns the loss of `(inputs [B, 3, H, W], targets [B])`."""
        inputs, targets = batch
        logits = self.net(self._laid_out(inputs))
        smoothing = self.recipe.label_smoothing
        loss = cross_entropy(logits, targets, weight=self.class_weights, label_smoothing=smoothing)
        self._count("train", loss.detach(), logits.detach(), targets)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Counts what is right."""
        inputs, targets = batch
        logits = self(inputs)
        self._count("valid", cross_entropy(logits, targets), logits, targets)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Counts what is right."""
        inputs, targets = batch
        logits = self(inputs)
        self._count("test", cross_entropy(logits, targets), logits, targets)

    def on_train_epoch_start(self) -> None:
        """Forgets the sums of the last epoch."""
        self._sums.pop("train", None)

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Moves the average."""
        if self.average is not None:
            self.average.update_parameters(self.net)

    def on_train_epoch_end(self) -> None:
        """Keeps and logs accuracy and loss."""
        self._finish("train")

    def on_validation_epoch_start(self) -> None:
        """Averages the statistics of batch normalisation anew, if the recipe asks for it."""
        if self.recipe.bn_batches and self.trainer.state.fn == TrainerFn.FITTING:
            loader: Iterable[Batch] = self.trainer.train_dataloader or ()
            batches = itertools.islice(loader, self.recipe.bn_batches)
            update_bn([self._laid_out(inputs) for inputs, _ in batches], self.trained, self.device)

    def on_validation_epoch_end(self) -> None:
        """Keeps and logs accuracy and loss."""
        self._finish("valid")

    def on_test_epoch_end(self) -> None:
        """Keeps and logs accuracy and loss."""
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

    @cached_property
    def _optimiser(self) -> SGD:
        recipe = self.recipe
        return SGD(
            self.net.parameters(),
            lr=recipe.lr,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov,
            weight_decay=recipe.weight_decay,
        )

    @cached_property
    def _schedule(self) -> LambdaLR:
        return LambdaLR(self._optimiser, lambda step: self.recipe.lr_factor(step, self.steps_per_epoch))

    def _laid_out(self, inputs: Tensor) -> Tensor:
        return inputs.contiguous(memory_format=torch.channels_last) if self.recipe.channels_last else inputs

    def _count(self, kind: str, loss: Tensor, logits: Tensor, targets: Tensor) -> None:
        right = (logits.argmax(1) == targets).sum()
        now = torch.stack(
            [loss.double() * len(targets), right.double(), torch.full_like(loss, len(targets)).double()]
        )
        self._sums[kind] = self._sums[kind] + now if kind in self._sums else now

    def _finish(self, kind: str) -> None:
        if kind not in self._sums:
            return
        sums = self._sums.pop(kind)
        if self._trainer is not None and self.trainer.world_size > 1:
            sums = self.trainer.strategy.reduce(sums, reduce_op="sum")
        loss, right, count = sums.tolist()
        found = {f"{kind}_loss": loss / count, f"{kind}_acc": 100 * right / count}
        self.results.update(found)
        self.log_dict(found, rank_zero_only=True)


class _Ema:
    """torch's moving average with a decay, in a form that other processes can be given."""

    def __init__(self, decay: float) -> None:
        self._decay = decay

    def __call__(self, averaged: Any, current: Any, count: Any) -> None:
        get_ema_multi_avg_fn(self._decay)(averaged, current, count)  # type: ignore[no-untyped-call]
