"""How long a training will take, told before it starts."""

from __future__ import annotations

from pathlib import Path

from nas_ray.errors import UsageError
from nas_ray.train.beside import Candidate
from nas_ray.train.checkpoints import LAST
from nas_ray.train.damage import read_curve
from nas_ray.train.job import TrainJob
from nas_ray.train.module import net_folder, new_module
from nas_ray.train.rows import read_result
from nas_ray.training.expected import Expected, epoch_of_images, epoch_seconds


def expected(job: TrainJob, folder: Path) -> Expected | None:
    """Returns how long what is left of the trainings in `folder` will take, from a few steps of each arch.

    None where nothing is left, and where a net cannot take a step, of which its training will tell.
    """
    left = [
        [epochs for seed in job.seeds if (epochs := _left(job, candidate, seed, folder))]
        for candidate in job.candidates
    ]
    epochs = sum(map(sum, left))
    if not epochs:
        return None
    device = str(job.device)
    try:
        epoch = epoch_of_images(
            job.images.train_images, job.parts, job.recipe, world=job.devices.count, device=device
        )
        seconds = sum(
            sum(of) * epoch_seconds(new_module(job, candidate, job.args.seed).to(device), epoch)
            for candidate, of in zip(job.candidates, left, strict=True)
            if of
        )
    except Exception:  # foreign code, or want of memory
        return None
    return Expected(epochs, seconds / epochs, epoch.once * sum(map(len, left)))


def _left(job: TrainJob, candidate: Candidate, seed: int, folder: Path) -> int:
    """Returns how many epochs of one net are left."""
    net = net_folder(folder, candidate, seed)
    if read_result(net) is not None:
        return 0
    try:
        done = len(read_curve(net)) if (net / LAST).is_file() else 0
    except UsageError:
        done = 0
    return max(0, job.recipe.epochs - done)
