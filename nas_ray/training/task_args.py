"""The argument that says what nets learn; a light module, for quick answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, Union

from nas_ray.errors import UsageError
from nas_ray.images.image_args import DataArgs, ImageArgs, open_image_args
from nas_ray.spaces.options import OPTIONS, READ_TEXTS, WITHOUT, named_options
from nas_ray.spaces.settings import named_space
from nas_ray.text.spec import TEXT, parse_text

if TYPE_CHECKING:
    from nas_ray.images.image_data import ImageDataModule
    from nas_ray.training.text_task import TextTask

Subject: TypeAlias = Union["ImageDataModule", "TextTask"]
"""What nets learn; both say `source`, `description`, `note`, `skipped`, `num_classes` and `sha256`."""
IMAGES: Final = "images"


@dataclass(frozen=True)
class TaskArgs(ImageArgs):
    """What nets learn: images, with all that can be said of them, or a text."""

    task: str = IMAGES
    """What nets learn: images, those of --images, or to tell each next word of a text: text:PATH, a file or a
    folder with train, valid and test, with options as in text:PATH,tokens=bytes,min_count=3, or text for
    one that Python ships (docs/text.md)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if is_text(self):
            object.__setattr__(self, "dataset", TEXT)


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
    if args.images != "auto":
        raise UsageError(
            f"--task {args.task} has no images, but --images {args.images} was given; leave one of them out."
        )
    from nas_ray.text.corpus import open_corpus
    from nas_ray.training.text_task import TextTask  # torch takes seconds

    spec = parse_text(args.task).absolute()
    task = TextTask(open_corpus(spec), scored=batch_size, scored_seed=batch_seed)
    task.minibatch()  # refuses a text that is too short
    return task
