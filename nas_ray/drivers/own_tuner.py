"""Our Lightning trials as trainables for a `tune.Tuner` of one's own, under whatever search algorithm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nas_ray.drivers.by_value import ship_modules
from nas_ray.drivers.ray_compat import names_of_tune
from nas_ray.errors import UsageError
from nas_ray.evaluation.on_images import scores_on, training_on
from nas_ray.images.datasets import AUTO, implied_dataset
from nas_ray.images.image_data import ImageDataModule
from nas_ray.process.plugins import ship_by_value
from nas_ray.proxies import Proxy
from nas_ray.proxies.plugin import resolve_proxies, score_names
from nas_ray.proxies.undefined import check_defined
from nas_ray.spaces.base import SearchSpace, fitted_space
from nas_ray.spaces.named import open_space
from nas_ray.training.recipes import Recipe, parse_recipe
from nas_ray.training.task import Task

FAILURES = ("row", "raise")


def proxy_trial(
    space: SearchSpace | str,
    proxies: str | Proxy | Sequence[str | Proxy],
    images: ImageDataModule | Task | str = "auto",
    *,
    dataset: str = AUTO,
    batch_size: int = 64,
    batch_seed: int = 0,
    init_seed: int = 0,
    key: str = "arch",
    failures: str = "row",
    timeout_s: float | None = None,
) -> Any:
    """Returns a trainable that scores the arch in `config["arch"]` with zero-cost proxies.

    For any `tune.Tuner`, with any search algorithm and `tune.with_resources` (`docs/ray_tune.md`)::

        trial = nas_ray.proxy_trial("nats-tss", "naswot,synflow", "digits")
        tune.Tuner(trial, param_space={"arch": tune.grid_search(archs)}).fit().get_dataframe()

    A trial reports once: `arch`, a column per score, `seconds`, `worker`, `error` and `error_kind`. The
    scores are those of every other driver for equal arguments.

    Args:
        space: its name, as `nats-tss`, or an object.
        proxies: names as on the command line, functions, or a list of both.
        images: a source such as `digits`, or opened ones, or a task of another kind.
        dataset: what nets are built for, where `images` is a source.
        batch_size: images in the minibatch, where `images` is a source.
        batch_seed: draws the minibatch, where `images` is a source.
        init_seed: seed of the nets' initialisation.
        key: what the arch is called in the config.
        failures: what an evaluation that fails is: `row`, with NaN for scores and why in `error`; or `raise`,
            a failed trial of Tune, which `max_failures` tries again. A config without an arch of the space
            is a failed trial either way.
        timeout_s: seconds after which an evaluation has failed.

    Returns:
        A subclass of `tune.Trainable`.

    Raises:
        UsageError: an argument that cannot work.
    """
    from nas_ray.drivers.plain_trial import ProxyTrial

    images = _images(images, dataset, batch_size, batch_seed)
    space = _space(space, images)
    evaluator = scores_on(images, space, _proxies(proxies, images), init_seed=init_seed)
    columns = score_names(evaluator.proxies)
    return _trainable(ProxyTrial, evaluator, columns, key=key, failures=failures, timeout_s=timeout_s)


def training_trial(
    space: SearchSpace | str,
    recipe: Recipe | str,
    images: ImageDataModule | Task | str = "auto",
    *,
    proxies: str | Proxy | Sequence[str | Proxy] = (),
    dataset: str = AUTO,
    batch_size: int = 64,
    batch_seed: int = 0,
    init_seed: int = 0,
    key: str = "arch",
    failures: str = "row",
    timeout_s: float | None = None,
) -> Any:
    """Returns a trainable that trains the arch in `config["arch"]` by a recipe, an epoch per iteration.

    What the config has beside the arch is an option of the recipe for this trial, such as `lr`. Schedulers
    may stop or pause trials. A checkpoint holds what goes on to equal numbers: ask for them by
    `tune.CheckpointConfig(checkpoint_frequency=1, num_to_keep=1)`. Every epoch reports `arch`, `valid_acc`,
    `train_acc`, `valid_loss`, `train_loss`, `epochs`, `seconds`, `curve`, the scores of `proxies`, `worker`,
    `error` and `error_kind`.

    Args:
        space: as in `proxy_trial`; the settings of a point of a `Product` are options of the recipe as well.
        recipe: such as `epochs:4`, or a `Recipe`.
        images: as in `proxy_trial`; the training split is trained on, a share of it held out for `valid_acc`.
        proxies: scores that join the rows, computed before the training; none by default.
        dataset: as in `proxy_trial`.
        batch_size: of the minibatch of the proxies; that of the training is the recipe's.
        batch_seed: draws the minibatch and what is held out, where `images` is a source.
        init_seed: seed of initialisation, order and augmentation.
        key: as in `proxy_trial`.
        failures: as in `proxy_trial`.
        timeout_s: seconds after which a training has failed; one that goes on from a checkpoint counts anew.

    Returns:
        A subclass of `tune.Trainable`.

    Raises:
        UsageError: an argument that cannot work.
    """
    from nas_ray.drivers.plain_trial import TrainingTrial

    images = _images(images, dataset, batch_size, batch_seed)
    space = _space(space, images)
    given = _proxies(proxies, images) if proxies else {}
    scores = scores_on(images, space, given, init_seed=init_seed) if given else None
    recipe = parse_recipe(recipe) if isinstance(recipe, str) else recipe
    if not isinstance(recipe, Recipe):
        raise UsageError(f"A recipe must be a text such as 'epochs:4', or a Recipe, got {recipe!r}.")
    evaluator = training_on(images, space, recipe, init_seed=init_seed, scores=scores)
    _ = evaluator.fingerprint  # hashes the images, which take the hash to the workers
    metric = evaluator.task.metric_name
    trained = [f"{part}_{what}" for what in (metric, "loss") for part in ("valid", "train")]
    columns = [*(score_names(given) if given else ()), *trained]
    return _trainable(TrainingTrial, evaluator, columns, key=key, failures=failures, timeout_s=timeout_s)


def _images(
    images: ImageDataModule | Task | str, dataset: str, batch_size: int, batch_seed: int
) -> ImageDataModule | Task:
    if isinstance(images, str):
        of = implied_dataset(dataset, images)
        return ImageDataModule(images, dataset=of, batch_size=batch_size, batch_seed=batch_seed)
    if not isinstance(images, ImageDataModule | Task):
        raise UsageError(
            f"The images of a trial must be a source such as 'digits', a nas_ray.ImageDataModule or a "
            f"nas_ray.Task, got {type(images).__name__}."
        )
    if (dataset, batch_size, batch_seed) != (AUTO, 64, 0):
        raise UsageError(
            "dataset, batch_size and batch_seed are those of the images, which are opened already; give them "
            "where these are made."
        )
    return images


def _space(space: SearchSpace | str, images: ImageDataModule | Task) -> SearchSpace:
    opened = open_space(space) if isinstance(space, str) else space
    if not isinstance(opened, SearchSpace) or isinstance(opened, type):
        raise UsageError(
            f"A space must be a name such as 'nats-tss', or have sample and build, got {space!r}."
        )
    ship_by_value(type(opened))
    return fitted_space(opened, images.image_size) if isinstance(images, ImageDataModule) else opened


def _proxies(given: str | Proxy | Sequence[str | Proxy], images: ImageDataModule | Task) -> dict[str, Proxy]:
    listed = [given] if isinstance(given, str) or callable(given) else list(given)
    names = [
        name for one in listed for name in (one.replace(",", " ").split() if isinstance(one, str) else [one])
    ]
    proxies = resolve_proxies(names)
    if taken := [name for name in score_names(proxies) if name in names_of_tune()]:
        raise UsageError(f"A proxy cannot be named {taken[0]!r}, which Ray Tune reports itself; rename it.")
    if isinstance(images, ImageDataModule):
        check_defined(proxies, images.minibatch()[1], images.num_classes)
    return proxies


def _trainable(
    trial: type, evaluator: Any, columns: Sequence[str], *, key: str, failures: str, timeout_s: float | None
) -> Any:
    """Returns a class of trials that share an evaluator, which Ray puts into its object store once."""
    from ray import tune

    from nas_ray.drivers.plain_trial import Work

    if not isinstance(key, str) or not key:
        raise UsageError(f"key must name the arch in the config, such as 'arch', got {key!r}.")
    if failures not in FAILURES:
        raise UsageError(f"failures must be {' or '.join(FAILURES)}, got {failures!r}.")
    if timeout_s is not None and not timeout_s > 0:
        raise UsageError(f"timeout_s must be larger than 0, got {timeout_s!r}.")
    ship_modules()
    return tune.with_parameters(trial, work=Work(evaluator, columns, key, failures, timeout_s))  # type: ignore[arg-type]
