"""One training of one net with Lightning: its data, its trainer, and what it leaves in its folder."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch.utils.data import DataLoader

from nas_ray.errors import UsageError, describe
from nas_ray.images.splits import NetImages
from nas_ray.process.lightning import (
    Callback,
    Checkpoint,
    DDPStrategy,
    ModelCheckpoint,
    Trainer,
    pl,
    quiet_lightning,
    rank_zero_only,
)
from nas_ray.runs.folder import write_atomically
from nas_ray.terminal.console import tell
from nas_ray.terminal.text import about
from nas_ray.train.checkpoints import BEST, LAST, beginning
from nas_ray.train.events import Events
from nas_ray.training.recipes import Recipe
from nas_ray.training.training_data import Indices, KeptImages, training_loader, validation_loader
from nas_ray.training.training_module import Batch, TrainingModule

CURVE = "curve.csv"


@dataclass(frozen=True)
class Devices:
    """What trains a net.

    Attributes:
        accelerator: Lightning's name, `cpu` or `gpu`.
        count: GPUs, or processes on the CPU, that share each batch.
        threads: of each process; None where that is not decided yet.
    """

    accelerator: str
    count: int = 1
    threads: int | None = None

    def __str__(self) -> str:
        if self.accelerator == "gpu":
            return "one GPU" if self.count == 1 else f"{self.count} GPUs together"
        threads = f"{self.threads} thread{'' if self.threads == 1 else 's'}"
        return f"CPU, {threads}" if self.count == 1 else f"CPU, {self.count} processes with {threads} each"

    def strategy(self) -> str | DDPStrategy:
        """Returns Lightning's strategy: new processes that share gradients, where there are several."""
        if self.count == 1:
            return "auto"
        # an average of the weights has parameters that no loss reaches
        return DDPStrategy(start_method="spawn", find_unused_parameters=True)


class TrainingImages(pl.LightningDataModule):
    """The batches of a training, on any number of processes: each batch is shared, held-out images are not.

    Args:
        images: of the training split.
        recipe: batch size and augmentation.
        parts: positions to train on, and to validate with.
        seed: of order and augmentation.
    """

    def __init__(self, images: NetImages, recipe: Recipe, parts: tuple[Indices, Indices], seed: int) -> None:
        super().__init__()
        self.images = images
        self.recipe = recipe
        self.parts = parts
        self.seed = seed

    def train_dataloader(self) -> DataLoader[Batch]:
        """Returns this process's share of the augmented batches."""
        assert self.trainer is not None
        kept = KeptImages(self.images, self.parts[0], self.recipe, self.trainer.strategy.root_device)
        rank, world = self.trainer.global_rank, self.trainer.world_size
        return training_loader(kept, self.recipe, self.seed, rank=rank, world=world)

    def val_dataloader(self) -> DataLoader[Batch] | list[Any]:
        """Returns all held-out images, so that `valid_acc` is exact on any number of processes."""
        assert self.trainer is not None
        if not len(self.parts[1]):
            return []
        kept = KeptImages(self.images, self.parts[1], None, self.trainer.strategy.root_device)
        return validation_loader(kept)


class Curve(Checkpoint):
    """Keeps a row per epoch, in `curve.csv` and in every checkpoint, and says it.

    As a kind of checkpoint it is called after the module has finished its sums.

    Args:
        folder: of the training.
        label: begins each line that is printed.
        quiet: print nothing.
    """

    def __init__(self, folder: Path, label: str, *, quiet: bool = False) -> None:
        self.folder = folder
        self.label = label
        self.quiet = quiet
        self.rows: list[dict[str, float]] = []
        self._began = 0.0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Starts the clock."""
        self._began = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Adds the row of the epoch; ends a training whose loss is no number any more."""
        assert isinstance(pl_module, TrainingModule)
        row = {"epoch": trainer.current_epoch + 1, **pl_module.results}
        row["lr"] = trainer.optimizers[0].param_groups[0]["lr"]
        row["seconds"] = time.monotonic() - self._began
        self.rows.append(row)
        if row["train_loss"] != row["train_loss"]:
            trainer.should_stop = True
        if trainer.is_global_zero:
            table = pd.DataFrame(self.rows)
            write_atomically(self.folder / CURVE, lambda path: table.to_csv(path, index=False))
            if not self.quiet:
                tell(self._line(row, trainer.max_epochs or 0))

    def _line(self, row: dict[str, float], epochs: int) -> str:
        left = row["seconds"] * (epochs - row["epoch"])
        shown = [f"{row[name]:.2f} % {word}" for name, word in _WORDS.items() if name in row]
        if left >= 1:  # of the last epoch nothing is left
            shown.append(f"{about(left)} left")
        return f"{self.label}  epoch {row['epoch']:.0f} of {epochs}: {', '.join(shown)}"

    def state_dict(self) -> dict[str, Any]:
        """Returns the rows."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes the rows."""
        self.rows = list(state_dict["rows"])


_WORDS = {"train_acc": "of the training images", "valid_acc": "of the held-out images"}


class SeededSteps(Callback):
    """Draws what a net itself draws, such as dropout, from seed, epoch, step and process alone.

    Lightning takes from torch's global state between epochs, other numbers after a resume, so each step is
    seeded.

    Args:
        seed: of the training.
        threads: of each process, as the sums of a training depend on their number.
    """

    def __init__(self, seed: int, threads: int) -> None:
        self.seed = seed
        self.threads = threads
        self.began = False

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Sets the number of threads."""
        torch.set_num_threads(self.threads)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Seeds torch's global state."""
        self.began = True
        key = (self.seed, trainer.current_epoch, batch_idx, trainer.global_rank)
        torch.manual_seed(int(np.random.SeedSequence(key).generate_state(1)[0]))


def fit(
    module: TrainingModule, data: TrainingImages, folder: Path, devices: Devices, label: str, *, verbose: bool
) -> None:
    """Trains to the end, from `last.ckpt` of `folder` on where there is one.

    Leaves there the last checkpoint, with held-out images the best one by `valid_acc`, `curve.csv` and
    TensorBoard's events. A training that was killed goes on after its last finished epoch and
    ends as it would have.

    Raises:
        UsageError: `last.ckpt` is damaged or of something else.
    """
    if not verbose:
        quiet_lightning()
    folder.mkdir(parents=True, exist_ok=True)
    recipe = module.recipe
    seeded = SeededSteps(data.seed, devices.threads or 1)
    trainer = Trainer(
        accelerator=devices.accelerator,
        devices=devices.count,
        strategy=devices.strategy(),
        max_epochs=recipe.epochs,
        precision=recipe.precision,
        logger=Events(folder, name="", version="", sub_dir="tensorboard"),
        callbacks=[seeded, Curve(folder, label), *_keepers(data, folder)],
        use_distributed_sampler=False,  # the loaders share batches themselves
        enable_model_summary=verbose,
        num_sanity_val_steps=0,
    )
    begun = beginning(folder)  # read before Lightning does, whose words are others
    if begun is not None and begun.name != LAST:
        rank_zero_only(tell)(f"{folder / LAST} is damaged; the training goes on from {begun}.")
    try:
        path = None if begun is None else str(begun)
        trainer.fit(module, datamodule=data, ckpt_path=path, weights_only=True)
    except Exception as error:  # a checkpoint may hold anything, and Lightning fails in many ways
        if seeded.began or devices.count > 1 or begun is None:
            raise
        raise UsageError(
            f"A training must be able to go on from {begun}, but it cannot ({describe(error)}); if that "
            "checkpoint is damaged or of something else, remove it, and the training begins anew."
        ) from error


def _keepers(data: TrainingImages, folder: Path) -> list[ModelCheckpoint]:
    """Returns what writes checkpoints after each epoch; the last one also holds what the best one is."""
    names = {BEST: "valid_acc", LAST: None} if len(data.parts[1]) else {LAST: None}
    return [
        ModelCheckpoint(
            folder,
            name.removesuffix(".ckpt"),
            monitor,
            mode="max",
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        )
        for name, monitor in names.items()
    ]


@torch.no_grad()
def predictions(net: torch.nn.Module, images: NetImages, device: torch.device | str) -> torch.Tensor:
    """Returns the predicted class of every image, `[N]` int64 on the CPU."""
    net = net.to(device).eval()
    kept = KeptImages(images, torch.arange(len(images)).numpy(), None, device)
    return torch.cat([net(inputs).argmax(1).cpu() for inputs, _ in validation_loader(kept)])
