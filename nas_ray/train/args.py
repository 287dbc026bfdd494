"""The arguments of `nas-ray train`; a light module, for quick answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from nas_ray.errors import UsageError, printable
from nas_ray.images.identity import IMAGES
from nas_ray.images.image_args import absolute_images
from nas_ray.process.started import started
from nas_ray.runs.best import best_of, taken_over
from nas_ray.runs.folder import read_run
from nas_ray.runs.stored_args import stored_args
from nas_ray.spaces.settings import AT, space_name
from nas_ray.terminal.argument_groups import FoundArgs, ProxyArgs, RunArgs, SpaceArgs
from nas_ray.terminal.command_line import read_args
from nas_ray.terminal.ranges import GPUS, HERE, SEED, THREADS, Range
from nas_ray.training.task_args import IMAGES as IMAGES_TASK
from nas_ray.training.task_args import TaskArgs, absolute_task, is_text

NAME = "train"
USER = "A training"
TEXT_RECIPE = "lm-fast"
"""How a net of a text is trained where nothing is said."""
NO_ARCH = "A training needs the run folder of a search, or an arch with --arch."
CHANGEABLE = {
    *("seeds", "beside", "formats", "num_gpus", "num_processes", "num_threads", "resume", "sample"),
    "verbose",
}
"""What a resumed training may change: what comes on top of it, and resources."""
TAKEN_OVER = ("dataset", "task", "images", "image_size", "split_seed", "skip_unreadable", "space", "proxies")
"""What a training takes from the search whose arch it trains, unless it is given."""
_DECIDE_IMAGES = ("dataset", "split_seed", "skip_unreadable")


@dataclass(frozen=True)
class TrainArgs(RunArgs, ProxyArgs, FoundArgs, SpaceArgs, TaskArgs):
    """What is trained, how, and what is left of it."""

    space: str = "nats-tss"
    """Search space of the arch, such as darts:channels=36,cells=20, or your own as module:class."""
    proxies: tuple[str, ...] = ("naswot", "synflow")
    """Scores to show of each arch."""
    out: Path | None = None
    """Folder to make; None means runs/train-DATASET-TIME."""
    resume: Path | None = None
    """Folder to continue: its arguments are taken over, and finished epochs are not repeated."""
    recipe: str = "nats-200"
    """How: epochs:4 for a short training, nats-12, nats-200, darts-fast, darts-600, with changes as in
    nats-12:cutout=8; lm-fast or lm-darts for a text, where nats-200 means lm-fast."""
    recipe_from: Path | None = None
    """Run folder of tune-recipe, or of a search with settings, whose best ones change --recipe."""
    seeds: Annotated[int, Range(1, 10_000)] = 3
    """Nets that are trained per arch, each with its own initialisation and order."""
    seed: Annotated[int, SEED] = 0
    """Seed of the first of them; the next have the next seeds."""
    beside: tuple[str, ...] = ()
    """Archs to train by the same recipe and seeds, and to show beside it: hand-designed nets such as
    resnet-20, random for a random arch with as many parameters, random:3 for three, or archs of the space."""
    formats: tuple[str, ...] | None = None
    """Files to export beside model.pt: onnx, pt2 (torch.export), or none; None means all that can be written
    here."""
    sample: str | None = None
    """Beginning of a text that the trained net is to continue, such as "the cell"; with --task of a text."""
    num_gpus: Annotated[int | None, GPUS] = None
    """GPUs that train one net together; None means one if there is one, 0 none."""
    num_processes: Annotated[int, HERE] = 1
    """Processes that train one net together where there is no GPU."""
    num_threads: Annotated[int | None, THREADS] = None
    """Threads of each process; None means one or all cores, what is faster for this net here."""


def parse(description: str, argv: Sequence[str] | None = None) -> TrainArgs:
    """Returns the command line's arguments on top of those of the search or of the training to resume.

    Raises:
        UsageError: no such run, or an argument that a resumed training cannot change.
    """
    words = list(started().arguments if argv is None else argv)
    first = _parsed(words, description)
    if first.resume is not None:
        return _resumed(first.resume, words, description)
    if first.run is None:
        return _with_settings_of(first)
    taken = TrainArgs(**_of_search(first.run, with_settings=first.recipe_from is None))
    return _with_settings_of(_parsed(words, description, taken))


def _parsed(words: list[str], description: str, default: TrainArgs | None = None) -> TrainArgs:
    args = read_args(TrainArgs, description, words, default)
    if AT in args.space:
        raise UsageError(
            f"A training takes one arch and one recipe; give --space {space_name(args.space)}, and settings "
            "in --recipe, as in nats-200:lr=0.1."
        )
    recipe = TEXT_RECIPE if is_text(args) and args.recipe == TrainArgs.recipe else args.recipe
    images, task = absolute_images(args.images), absolute_task(args.task)
    return dataclasses.replace(args, images=images, task=task, recipe=recipe)


def _of_search(folder: Path, *, with_settings: bool = True) -> dict[str, Any]:
    """Returns the arguments that the search in `folder` and its best arch imply.

    Raises:
        UsageError: no search, or none with a best arch.
    """
    best, taken = best_of(folder, USER), taken_over(folder, TAKEN_OVER)
    usual = _usual_recipe(taken.get("task"))
    return {**taken, "arch": best.arch, "recipe": best.recipe(usual) if with_settings else usual}


def _usual_recipe(task: object) -> str:
    """Returns how nets of a task are trained where nothing is said."""
    return TrainArgs.recipe if task in (None, IMAGES_TASK) else TEXT_RECIPE


def _with_settings_of(args: TrainArgs) -> TrainArgs:
    """Returns `args` with the settings that another run found in their recipe.

    Raises:
        UsageError: no run, or one that found none.
    """
    if args.recipe_from is None:
        return args
    best = best_of(args.recipe_from, "--recipe-from")
    if not best.settings:
        raise UsageError(
            f"--recipe-from needs a run that found settings of a recipe, as tune-recipe does, and the best "
            f"point of {args.recipe_from} has none; leave it out."
        )
    return dataclasses.replace(args, recipe=best.recipe(args.recipe))


def remarks(args: TrainArgs, images_sha256: str | None = None) -> list[str]:
    """Returns what is taken from other runs, and what differs from the search that was given, in sentences.

    Args:
        args: of the training.
        images_sha256: hash of its images.
    """
    if args.resume is not None:
        return []
    if args.recipe_from is not None:
        tuned = best_of(args.recipe_from, USER)
        return [
            f"The recipe has the settings that {args.recipe_from} found.",
            *tuned.left_said(),
            *_differing(args, images_sha256),
        ]
    return _differing(args, images_sha256)


def _differing(args: TrainArgs, images_sha256: str | None) -> list[str]:
    if args.run is None:
        return []
    found = _of_search(args.run)
    usual = _usual_recipe(args.task)
    said = best_of(args.run, USER).said(args.recipe, usual) if args.recipe_from is None else []
    if args.arch != found["arch"]:
        said.append(f"--arch is trained, not the best arch of {args.run}.")
    if args.images != absolute_images(str(found.get("images", args.images))):
        said.append(f"The arch was found on other images, {found['images']}.")
    elif (
        images_sha256
        and all(getattr(args, name) == found.get(name, getattr(args, name)) for name in _DECIDE_IMAGES)
        and read_run(args.run).get(IMAGES) not in (None, images_sha256)
    ):
        said.append(f"The images have changed since the search {args.run}: their pixels, labels or classes.")
    return said


def _resumed(folder: Path, words: list[str], description: str) -> TrainArgs:
    info = read_run(folder)
    if info.get("experiment") != NAME:
        how = started()
        made = how.called(printable([info.get("experiment")])[0])
        raise UsageError(f"{folder} is a run of {made}; resume it with that {how.kind}.")
    stored = stored_args(TrainArgs, info.get("args"), folder, CHANGEABLE)
    given = _parsed(words, description, stored)
    for field in dataclasses.fields(stored):
        before, now = getattr(stored, field.name), getattr(given, field.name)
        if field.name not in CHANGEABLE and before != now:
            option = field.name.replace("_", "-")
            raise UsageError(
                f"The training {folder} was made with --{option} {before} and cannot go on with {now}; leave "
                f"--{option} out, or start a new one."
            )
    return dataclasses.replace(given, resume=folder)
