"""The net of one arch and seed before it is trained, and where its training is kept."""

from __future__ import annotations

from pathlib import Path

import torch

from nas_ray.process.seeded import seeded
from nas_ray.train.beside import Candidate
from nas_ray.train.job import TrainJob
from nas_ray.training.lazy_layers import materialised
from nas_ray.training.objective import class_objective
from nas_ray.training.training_data import EpochSampler
from nas_ray.training.training_module import TrainingModule


def net_folder(folder: Path, candidate: Candidate, seed: int) -> Path:
    """Returns where the training of one net is kept."""
    return folder / "nets" / f"{candidate.label}-seed-{seed}"


def new_module(job: TrainJob, candidate: Candidate, seed: int) -> TrainingModule:
    """Returns the untrained module of an arch, equal for equal seeds."""
    count = job.devices.count
    batch = max(1, job.recipe.batch_size // count)
    size = job.images.image_size
    with seeded(seed):
        return TrainingModule(
            materialised(
                candidate.space.build(candidate.arch, job.images.num_classes),
                lambda: torch.zeros(2, 3, size, size),
            ),
            job.recipe,
            class_objective(job.recipe, job.class_weights),
            steps_per_epoch=len(EpochSampler(len(job.parts[0]), batch, world=count)),
        )
