"""Evaluators on the images of a search, or on any task: made alike by commands and by trials of Ray Tune."""

from __future__ import annotations

from collections.abc import Mapping

from nas_ray.evaluation.base import Evaluator
from nas_ray.evaluation.proxy_scores import ProxyScores
from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.images.image_data import ImageDataModule
from nas_ray.proxies import Proxy
from nas_ray.spaces.base import SearchSpace
from nas_ray.training.recipes import Recipe
from nas_ray.training.task import Task


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
