"""The sets of images of a contest, as they are named; a light module, for quick answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nas_ray.errors import UsageError
from nas_ray.images.datasets import AUTO, OWN
from nas_ray.images.generated import KINDS
from nas_ray.images.image_args import ImageArgs, absolute_images
from nas_ray.images.spec import GENERATED, WITH_PATH, check_images

TILE, LANGUAGE = "tile", "language"
"""Kinds that are made of files."""


@dataclass(frozen=True)
class ImageSet:
    """A set of images.

    Attributes:
        label: in tables and folders.
        images: as `--images` takes it.
        size: pixels that files are resized to; None for their own.
    """

    label: str
    images: str
    size: int | None = None

    @property
    def args(self) -> ImageArgs:
        """The arguments that mean it: of one's own files, nets have their classes."""
        ours = self.images.partition(":")[0] in (*WITH_PATH, GENERATED)
        return ImageArgs(images=self.images, dataset=OWN if ours else AUTO, image_size=self.size)


def sets_of(
    texts: Sequence[str], cifar: Path | None = None, words: Path | None = None, size: int | None = None
) -> list[ImageSet]:
    """Returns sets by their names, and those that files make possible.

    Args:
        texts: each a kind of generated images with its options, as in `shapes,size=16`, or images as
            `--images` takes them, as in `npz:mine.npz`.
        cifar: a NumPy archive of CIFAR, of which `tile` is made.
        words: a folder of words, of which `language` is made.
        size: pixels that files are resized to.

    Raises:
        UsageError: unknown ones, files that are not there, one twice, or none.
    """
    given = [*texts]
    given += [] if cifar is None else [f"{TILE},images=npz:{cifar},size=32"]
    given += [] if words is None else [f"{LANGUAGE},words={words}"]
    found = [_set(text.strip(), size) for text in given if text.strip()]
    if not found:
        raise UsageError("A set of images must be named, got none; name one such as shapes.")
    labels = [one.label for one in found]
    if len(set(labels)) < len(labels):
        raise UsageError(f"The sets must all be different, got {' '.join(labels)}.")
    return found


def _set(text: str, size: int | None) -> ImageSet:
    kind = text.partition(",")[0]
    if kind in KINDS:
        text = f"{GENERATED}:{text}"
    images = absolute_images(text)
    check_images(images)
    word, _, rest = images.partition(":")
    if word == GENERATED:
        return ImageSet(_short(rest), images)
    label = Path(rest).stem if word in WITH_PATH else images
    return ImageSet(label, images, size if word in WITH_PATH else None)


def _short(definition: str) -> str:
    """Returns a definition in which a path is the name of its file."""
    return re.sub(r"[^=,:]*/", "", definition)
