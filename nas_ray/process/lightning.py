"""Lightning as it is used here: trainers run where they are told and guess nothing from a cluster.

All of Lightning comes through this module, because its import already reads the environment.
"""

from __future__ import annotations

import logging
import os
import socket
import warnings
from typing import Any

from nas_ray.process.inherited import PLACEMENT, hidden, import_lightning

import_lightning()

# ruff: noqa: E402  # the import above comes first
import pytorch_lightning as pl
from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from pytorch_lightning.callbacks import Callback, Checkpoint, ModelCheckpoint
from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.strategies import DDPStrategy
from pytorch_lightning.trainer.states import TrainerFn
from pytorch_lightning.utilities import rank_zero_only

__all__ = [
    "Callback",
    "Checkpoint",
    "DDPStrategy",
    "ModelCheckpoint",
    "TensorBoardLogger",
    "ThisMachine",
    "Trainer",
    "TrainerFn",
    "pl",
    "quiet_lightning",
    "rank_zero_only",
]


class ThisMachine(ClusterEnvironment):
    """One node, whose processes are started by this one; nothing of it is read from the environment.

    Differs: Lightning's own takes rank, address and port from the environment, where a batch system or
    torchrun may have left those of another program.
    """

    def __init__(self) -> None:
        super().__init__()
        self._maker = os.getpid()
        self._port = 0
        self._rank, self._world_size = 0, 1

    @property
    def creates_processes_externally(self) -> bool:
        """No: Lightning starts the processes."""
        return False

    @property
    def main_address(self) -> str:
        """This machine's own address."""
        return "127.0.0.1"

    @property
    def main_port(self) -> int:
        """A port that was free when it was first asked for, which is before other processes start."""
        if not self._port:
            with socket.socket() as probe:
                probe.bind((self.main_address, 0))
                self._port = int(probe.getsockname()[1])
        return self._port

    @staticmethod
    def detect() -> bool:
        """It is told and not detected."""
        return False

    def world_size(self) -> int:
        """Returns the number of processes."""
        return self._world_size

    def set_world_size(self, size: int) -> None:
        """Takes the number of processes from the strategy."""
        self._world_size = size

    def global_rank(self) -> int:
        """Returns which of the processes this is."""
        return self._rank

    def set_global_rank(self, rank: int) -> None:
        """Takes from the strategy which of the processes this is."""
        self._rank = rank

    def local_rank(self) -> int:
        """Returns which process this is: the one that made this object, or the one that Lightning says."""
        return 0 if os.getpid() == self._maker else int(os.environ["LOCAL_RANK"])

    def node_rank(self) -> int:
        """Returns 0, of the only node."""
        return 0


class Trainer(pl.Trainer):
    """Lightning's `Trainer` on the devices of this machine that its arguments name, whatever started it.

    Everything else is Lightning's; its logger, bar and summary are off where they are not asked for.
    """

    def __init__(self, **options: Any) -> None:
        quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
        rank_zero_only.rank = 0  # type: ignore[attr-defined]  # as Lightning sets it; its import had guessed
        with hidden(PLACEMENT):
            super().__init__(**{**quiet, "num_nodes": 1, "plugins": [ThisMachine()], **options})

    def fit(self, *arguments: Any, **options: Any) -> None:
        """Trains; processes that Lightning starts inherit nothing of a cluster either."""
        with hidden(PLACEMENT):
            super().fit(*arguments, **options)

    def test(self, *arguments: Any, **options: Any) -> Any:
        """Tests."""
        with hidden(PLACEMENT):
            return super().test(*arguments, **options)


def quiet_lightning() -> None:
    """Silences Lightning's notices about devices and data loaders, which mean nothing for one minibatch."""
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="pytorch_lightning")
