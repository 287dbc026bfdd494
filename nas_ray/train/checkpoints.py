"""The checkpoints of a training: which counts, and how one from anywhere is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nas_ray.errors import UsageError, describe
from nas_ray.safe_files.torch_files import load_plain
from nas_ray.training.training_module import TrainingModule

BEST, LAST = "best.ckpt", "last.ckpt"


def best_checkpoint(folder: Path) -> Path:
    """Returns the checkpoint of the net that counts: the best one, else the last."""
    return folder / BEST if (folder / BEST).is_file() else folder / LAST


def beginning(folder: Path) -> Path | None:
    """Returns the checkpoint that a training goes on from, if any: the last one.

    Where that is damaged, as by a full disk, an earlier one that is whole takes its place.

    Raises:
        UsageError: all are damaged.
    """
    last, best = folder / LAST, folder / BEST
    if not last.is_file():
        return None
    try:
        read_plain(last)
    except UsageError:
        if not best.is_file():
            raise
        read_plain(best)
        return best
    return last


def read_checkpoint(module: TrainingModule, path: Path) -> TrainingModule:
    """Returns `module` with the weights of a checkpoint, on the CPU."""
    with of_this_net(path):
        module.cpu().load_state_dict(read_plain(path)["state_dict"])
    return module.eval()


@contextmanager
def of_this_net(path: Path) -> Iterator[None]:
    """Tells of a checkpoint that it is of another net, where what is read in the block does not fit.

    Raises:
        UsageError: it does not, or it is damaged.
    """
    try:
        yield
    except UsageError:
        raise
    except Exception as error:  # a checkpoint may hold anything
        raise UsageError(
            f"The checkpoint {path} must be of the net that is trained, but it is not ({describe(error)}); "
            "remove it, and its training begins anew."
        ) from error


def read_plain(path: Path) -> dict[str, Any]:
    """Returns the content of a checkpoint: tensors and plain values, nothing that runs as code.

    Raises:
        UsageError: damaged, or anything else is in it.
    """
    try:
        return dict(load_plain(path))
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"The checkpoint {path} must be one that a training wrote, but it cannot be read ({error}); "
            "remove it, and its training begins anew."
        ) from error
