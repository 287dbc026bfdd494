"""The files below a folder with one sub-folder per class."""

from __future__ import annotations

import os
from pathlib import Path

from nas_ray.errors import UsageError, printable

_NO_CLASSES = ("__MACOSX", "@eaDir")  # which archivers and network drives leave beside the classes

Files = tuple[list[str], list[int]]
"""Paths of image files, and the number of the class of each."""


def class_folders(path: Path) -> tuple[Path, list[str]]:
    """Returns the folder that holds the classes of the training images, and the names of these classes.

    Raises:
        UsageError: no such folder, or no classes.
    """
    if not path.is_dir():
        raise UsageError(f"folder:PATH needs a folder, but {path} is not one: check the path.")
    train_path = path / "train" if class_names(path / "train") else path
    names = class_names(train_path)
    if not names:
        raise UsageError(f"folder:PATH needs one sub-folder of images per class, but {train_path} has none.")
    return train_path, names


def class_names(path: Path) -> list[str]:
    """Returns the names of the classes below `path`, sorted; none if there is no such folder."""
    if not path.is_dir():
        return []
    return sorted(
        entry.name
        for entry in path.iterdir()
        if entry.is_dir() and not entry.name.startswith(".") and entry.name not in _NO_CLASSES
    )


def image_files(path: Path, names: list[str]) -> Files:
    """Returns the image files of the classes `names` below `path`, and the number of the class of each.

    Raises:
        UsageError: there are none.
    """
    # torchvision is heavy and only the process that opens images needs it
    from torchvision.datasets.folder import IMG_EXTENSIONS, make_dataset

    _check_links(path)
    numbers = {name: number for number, name in enumerate(names)}
    found = make_dataset(str(path), numbers, extensions=IMG_EXTENSIONS, allow_empty=True)
    if not found:
        raise UsageError(
            f"folder:PATH needs images, but none of the {len(names)} class folders of {path} holds a file "
            f"that ends in {', '.join(IMG_EXTENSIONS)}."
        )
    return [file for file, _ in found], [number for _, number in found]


def check_no_empty_class(path: Path, names: list[str], files: Files) -> None:
    """Checks that every class has an image to train on.

    Raises:
        UsageError: one has none, and would only add an output.
    """
    filled = set(files[1])
    empty = [name for number, name in enumerate(names) if number not in filled]
    if empty:
        raise UsageError(
            f"Every class folder must hold an image, but {len(empty)} of {len(names)} in {path} hold none "
            f"that can be used, such as {printable(empty)[0]!r}; fill or remove them."
        )


def _check_links(path: Path) -> None:
    """Checks that no folder below `path` leads back to one above it, which would be walked without an end.

    Raises:
        UsageError: one does.
    """
    for folder, names, _ in os.walk(path, followlinks=True):
        above = os.path.realpath(folder)
        for name in names:
            link = os.path.join(folder, name)
            if os.path.islink(link) and f"{above}/".startswith(f"{os.path.realpath(link)}/"):
                raise UsageError(
                    f"A folder of images must not lead back to one above it, but {link} does; remove it."
                )
