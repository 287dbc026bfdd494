"""The files below a folder of images, without what is hidden or left behind by other programs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from nas_ray.errors import UsageError, encodable, printable

EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
"""Those of torchvision's `ImageFolder`."""
_LEFT_BEHIND = frozenset(
    {
        "__macosx",  # archivers
        *("@eadir", "@tmp", "@recycle", "@recently-snapshot", "@sharebin", "@__thumb", "@synoresource"),
        *("#recycle", "#snapshot", "~snapshot"),  # network drives
        *("$recycle.bin", "recycler", "recycled", "system volume information", "found.000"),  # Windows
        *("thumbs.db", "ehthumbs.db", "desktop.ini"),
        *("lost+found", "network trash folder", "temporary items", "__pycache__"),
    }
)
"""Names in small letters. Others with such a sign in front may well be classes."""

Files = tuple[list[str], list[int]]
"""Paths of image files, and the number of the class of each."""


def is_hidden(name: str) -> bool:
    """Returns whether a file or folder of that name is none of the user's: hidden, a cache, a bin."""
    return name.startswith(".") or name.lower() in _LEFT_BEHIND


def class_names(path: Path) -> list[str]:
    """Returns the names of the folders below `path` that are not hidden, sorted; none if it is no folder."""
    if not path.is_dir():
        return []
    with os.scandir(path) as entries:  # knows folders from files without asking for each of a million
        return sorted(entry.name for entry in entries if _is_folder(entry) and not is_hidden(entry.name))


def holds_images(path: Path) -> bool:
    """Returns whether image files lie in the folder `path` itself."""
    with os.scandir(path) as entries:
        return any(is_image(entry.name) and not _is_folder(entry) for entry in entries)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    # where a link leads to itself, `entry.is_dir()` raises
    return entry.is_dir(follow_symlinks=False) or (entry.is_symlink() and os.path.isdir(entry.path))


def is_image(name: str) -> bool:
    """Returns whether a file of that name counts as an image."""
    return name.lower().endswith(EXTENSIONS) and not is_hidden(name)


def written_names(path: Path, names: list[str]) -> tuple[str, ...]:
    r"""Returns names of classes as files can hold them: a byte that is not UTF-8 becomes `\xe9` or alike.

    Raises:
        UsageError: two of them would be the same.
    """
    written = tuple(map(encodable, names))
    twice = [name for place, name in enumerate(written) if name in written[:place]]
    if twice:
        raise UsageError(
            f"Class folders need different names, but two of {path} would both be written as {twice[0]!r}, "
            "as one is not UTF-8; rename one."
        )
    return written


def image_files(path: Path, names: list[str]) -> Files:
    """Returns the image files of the classes `names` below `path`, and the number of the class of each.

    Raises:
        UsageError: there are none.
    """
    _check_links(path)
    found = [
        (file, number) for number, name in enumerate(names) for file in _files_below(os.path.join(path, name))
    ]
    if not found:
        raise UsageError(
            f"folder:PATH needs images, but none of the {len(names)} class folders of {path} holds a file "
            f"that ends in {', '.join(EXTENSIONS)}."
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


def image_paths(path: str | os.PathLike[str]) -> list[str]:
    """Returns the file at `path`, or the image files of the folder there and of those below.

    Raises:
        UsageError: there is nothing at `path`, no image in the folder, or a folder that leads back.
    """
    text = os.path.expanduser(os.fspath(path))
    if not text.strip() or "\0" in text or not os.path.exists(text):
        raise UsageError(f"An image must be a file or a folder of them, but there is none at {text!r}.")
    if not os.path.isdir(text):
        return [text]
    _check_links(Path(text))
    found = _files_below(text)
    if not found:
        raise UsageError(
            f"A folder must hold image files, which end in {', '.join(EXTENSIONS)}, but {text} holds none."
        )
    return found


def _files_below(folder: str) -> list[str]:
    """Returns the image files at any depth, in the order of their folders' paths and then of their names."""
    held = sorted((place, sorted(files)) for place, _, files in _walk(folder))
    return [os.path.join(place, name) for place, files in held for name in files if is_image(name)]


def _walk(folder: str | Path) -> Iterator[tuple[str, list[str], list[str]]]:
    for place, names, files in os.walk(folder, followlinks=True):
        names[:] = [name for name in names if not is_hidden(name)]
        yield place, names, files


def _check_links(path: Path) -> None:
    """Checks that no folder below `path` leads back to one above it, which would be walked without an end.

    Raises:
        UsageError: one does.
    """
    for folder, names, _ in _walk(path):
        above = os.path.realpath(folder)
        for name in names:
            link = os.path.join(folder, name)
            if os.path.islink(link) and f"{above}/".startswith(f"{os.path.realpath(link)}/"):
                raise UsageError(
                    f"A folder of images must not lead back to one above it, but {link} does; remove it."
                )
