"""How long a training will take, told before it starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nas_ray.errors import UsageError
from nas_ray.train.base_job import Job
from nas_ray.train.beside import Candidate
from nas_ray.train.checkpoints import LAST
from nas_ray.train.damage import read_curve
from nas_ray.train.job import TrainJob
from nas_ray.train.module import net_folder, new_module
from nas_ray.train.rows import read_result
from nas_ray.training.expected import Epoch, Expected, epoch_of_images, epoch_seconds
from nas_ray.training.training_module import TrainingModule


def expected(job: TrainJob, folder: Path) -> Expected | None:
    """Returns how long what is left of trainings on images will take; see `foretold`."""
    return foretold(
        job,
        folder,
        lambda: epoch_of_images(
            job.images.train_images,
            job.parts,
            job.recipe,
            world=job.devices.count,
            device=str(job.device),
        ),
        lambda candidate: new_module(job, candidate, job.args.seed),
    )


def foretold(
    job: Job,
    folder: Path,
    epoch_of: Callable[[], Epoch],
    module_of: Callable[[Candidate], TrainingModule],
) -> Expected | None:
    """Returns how long what is left of the trainings in `folder` will take, from a few steps of each arch.

    None where nothing is left, and where a net cannot take a step, of which its training will tell.

    Args:
        job: what is trained.
        folder: of the training.
        epoch_of: makes the batches of an epoch.
        module_of: makes the untrained module of an arch.
    """
    left = [
        [epochs for seed in job.seeds if (epochs := _left(job, candidate, seed, folder))]
        for candidate in job.candidates
    ]
    epochs = sum(map(sum, left))
    if not epochs:
        return None
    try:
        epoch = epoch_of()
        seconds = sum(
            sum(of) * epoch_seconds(module_of(candidate).to(job.device), epoch)
            for candidate, of in zip(job.candidates, left, strict=True)
            if of
        )
    except Exception:  # foreign code, or want of memory
        return None
    return Expected(epochs, seconds / epochs, epoch.once * sum(map(len, left)))


def _left(job: Job, candidate: Candidate, seed: int, folder: Path) -> int:
    """Returns how many epochs of one net are left."""
    net = net_folder(folder, candidate, seed)
    if read_result(net) is not None:
        return 0
    try:
        done = len(read_curve(net)) if (net / LAST).is_file() else 0
    except UsageError:
        done = 0
    return max(0, job.recipe.epochs - done)
