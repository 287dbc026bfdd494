"""The argument that says what nets learn; a light module, for quick answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, Union

from nas_ray.errors import UsageError
from nas_ray.images.datasets import AUTO
from nas_ray.images.image_args import DataArgs, ImageArgs, open_image_args
from nas_ray.spaces.options import OPTIONS, READ_TEXTS, WITHOUT, named_options
from nas_ray.spaces.settings import named_space
from nas_ray.terminal.ranges import option
from nas_ray.text.spec import TEXT, parse_text

if TYPE_CHECKING:
    from nas_ray.images.image_data import ImageDataModule
    from nas_ray.training.text_task import TextTask

Subject: TypeAlias = Union["ImageDataModule", "TextTask"]
"""What nets learn; both say `source`, `description`, `note`, `skipped`, `num_classes` and `sha256`."""
IMAGES: Final = "images"
ABOUT_IMAGES: Final = (
    *("images", "dataset", "image_size", "split_seed", "skip_unreadable", "download"),
    *("search_set", "flip", "crop_padding", "cutout"),
)
"""Arguments of commands that say nothing of a text."""


@dataclass(frozen=True)
class TaskArgs(ImageArgs):
    """What nets learn: images, with all that can be said of them, or a text."""

    task: str = IMAGES
    """What nets learn: images, those of --images, or to tell each next word of a text: text:PATH, a file or a
    folder with train, valid and test, with options as in text:PATH,tokens=bytes,min_count=3, or text for
    one that Python ships (docs/text.md)."""

    def __post_init__(self) -> None:
        if is_text(self) and self.dataset == AUTO:
            object.__setattr__(self, "dataset", TEXT)
        super().__post_init__()


def is_text(args: object) -> bool:
    """Returns whether arguments ask for a text."""
    return getattr(args, "task", IMAGES) != IMAGES


def absolute_task(task: str) -> str:
    """Returns the task with an absolute path, so that it holds in any working directory."""
    return task if task == IMAGES else str(parse_text(task).absolute())


def check_task(task: str) -> None:
    """Checks that a task can be meant, and that there is something at its path.

    Raises:
        UsageError: it cannot.
    """
    if task == IMAGES:
        return
    if task.partition(":")[0] != TEXT:
        raise UsageError(f"--task must be {IMAGES}, {TEXT} or {TEXT}:PATH, got {task!r}.")
    path = parse_text(task).path
    if path and not Path(path).expanduser().exists():
        raise UsageError(f"text:PATH needs a file or a folder, but there is no {path}: check the path.")


def check_alone(args: object) -> None:
    """Checks that nothing is said of images where nets learn a text; a resumed run has what it was made with.

    Raises:
        UsageError: something is.
    """
    if not is_text(args) or getattr(args, "resume", None) is not None:
        return
    task = getattr(args, "task", "")
    for name in ABOUT_IMAGES:
        usual = TEXT if name == "dataset" else getattr(type(args), name, None)
        given = getattr(args, name, usual)
        if given != usual:
            raise UsageError(
                f"--task {task} has no images, but {_written(name, given)} was given; leave one of them out."
            )
    benchmark = getattr(args, "benchmark", "none")
    if benchmark not in ("auto", "none"):
        raise UsageError(
            f"No benchmark knows nets of a text, but --benchmark {benchmark} was given beside --task {task}; "
            "leave one of them out."
        )


def _written(name: str, value: object) -> str:
    if isinstance(value, bool):
        return option(name if value else f"no_{name}")
    return f"{option(name)} {value}"


def check_reads(task: str, space: str) -> None:
    """Checks that the nets of a space of this package can learn a task, by its name alone.

    Raises:
        UsageError: the task is a text, and they read images.
    """
    if task == IMAGES:
        return
    name = named_options(named_space(space)[0])[0]
    if name in (*OPTIONS, *WITHOUT) and name not in READ_TEXTS:
        raise UsageError(
            f"A text needs a space of nets that read one, {', '.join(READ_TEXTS[:-1])} or {READ_TEXTS[-1]}, "
            f"and those of {name} read images; give another --space, or leave --task out."
        )


def open_images(args: DataArgs, *, batch_size: int, batch_seed: int) -> ImageDataModule:
    """Returns the images of a command that has no other tasks.

    Raises:
        UsageError: another task is asked for, or images that cannot be used.
    """
    if is_text(args):
        raise UsageError(
            "This command learns images and no text; leave --task out, or search and train texts by rea, "
            "search and train."
        )
    return open_image_args(args, batch_size=batch_size, batch_seed=batch_seed)


def open_subject(args: DataArgs, *, batch_size: int, batch_seed: int) -> Subject:
    """Returns what nets learn.

    Args:
        args: of a command.
        batch_size: images or sequences on which proxies score.
        batch_seed: draws these.

    Raises:
        UsageError: it cannot be used, or is told twice.
    """
    if not isinstance(args, TaskArgs) or not is_text(args):
        return open_image_args(args, batch_size=batch_size, batch_seed=batch_seed)
    check_alone(args)
    from nas_ray.text.corpus import open_corpus
    from nas_ray.training.text_task import TextTask  # torch takes seconds

    spec = parse_text(args.task).absolute()
    task = TextTask(open_corpus(spec), scored=batch_size, scored_seed=batch_seed)
    task.minibatch()  # refuses a text that is too short
    return task
