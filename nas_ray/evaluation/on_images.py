"""Evaluators on the images of a search, or on any task: made alike by commands and by trials of Ray Tune."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from nas_ray.evaluation.base import Evaluator
from nas_ray.evaluation.limits import limited
from nas_ray.evaluation.proxy_scores import ProxyScores
from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.images.image_data import ImageDataModule
from nas_ray.proxies import Proxy
from nas_ray.spaces.base import SearchSpace
from nas_ray.training.recipes import Recipe
from nas_ray.training.task import Task
from nas_ray.training.task_args import Subject


def limited_on(
    images: Subject, space: SearchSpace, max_params: float | None = None, max_flops: float | None = None
) -> SearchSpace:
    """Returns the archs of `space` with at most these costs, counted for one image or one sequence.

    Raises:
        UsageError: a limit is not positive, or no arch keeps them.
    """
    if isinstance(images, ImageDataModule):
        image: tuple[int, int, int] | Tensor = (3, images.image_size, images.image_size)
    else:
        image = images.minibatch()[0][:1]
    limits = {"max_params": max_params, "max_flops": max_flops}
    return limited(space, **limits, num_classes=images.num_classes, image=image)


def scores_on(
    images: ImageDataModule | Task,
    space: SearchSpace,
    proxies: Mapping[str, Proxy],
    *,
    init_seed: int = 0,
    limits: Mapping[str, float] | None = None,
) -> ProxyScores:
    """Returns the scores of the nets of `space` on the minibatch of `images`.

    Raises:
        UsageError: images or a task that cannot be scored on.
    """
    if not isinstance(images, ImageDataModule):
        return ProxyScores.of_task(space, images, proxies, init_seed=init_seed, limits=limits)
    inputs, targets = (tensor.numpy() for tensor in images.minibatch())
    return ProxyScores(
        space, images.num_classes, inputs, targets, proxies, init_seed=init_seed, limits=limits
    )


def training_on(
    images: ImageDataModule | Task,
    space: SearchSpace,
    recipe: Recipe,
    *,
    init_seed: int = 0,
    scores: Evaluator | None = None,
) -> ShortTraining:
    """Returns the training of the nets of `space` on `images`, which their `batch_seed` splits.

    Raises:
        UsageError: images, a task or a recipe that cannot be trained with.
    """
    if not isinstance(images, ImageDataModule):
        return ShortTraining.of_task(space, images, recipe, init_seed=init_seed, scores=scores)
    own = images.num_classes, images.train_images, recipe
    return ShortTraining(space, *own, init_seed=init_seed, split_seed=images.batch_seed, scores=scores)
