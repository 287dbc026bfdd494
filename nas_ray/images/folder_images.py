"""Images from a folder with one sub-folder per class: `folder:PATH`, read file by file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from nas_ray.errors import UsageError, encodable
from nas_ray.images.datasets import OWN
from nas_ray.images.decode import ADVICE, read_image
from nas_ray.images.folder_files import (
    Files,
    check_no_empty_class,
    class_names,
    image_files,
    written_names,
)
from nas_ray.images.folder_layout import folder_layout
from nas_ray.images.splits import Images, Source, Split, describe, own_path

_STATS_IMAGES = 1_000  # decoding a whole ImageNet for six numbers would take an hour
_TEST_EVERY = 5  # one image in five is held out where the folder has no test part
_SHOWN = 5  # unreadable files that an error names


@dataclass(frozen=True)
class FilePixels:
    """Images decoded from their files when asked for.

    Attributes:
        paths: one image file each.
    """

    paths: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int, /) -> Tensor:
        return read_image(self.paths[index])


def open_folder(source: Source) -> Images:
    """Returns the images below a folder; only the list of files is held in memory.

    Either `PATH/CLASS/image`, where one image in five of each class is held out by the split seed, or
    `PATH/train/CLASS/image` with `PATH/test` or `PATH/val` beside it (`folder_layout`).
    Classes are numbered in the order of their names. For images of one's own, or where unreadable files are
    to be left out, every file is decoded once.

    Raises:
        UsageError: no such folder, no classes, more classes than the dataset has, no images, or unreadable
            ones.
    """
    path = own_path(source)
    layout = folder_layout(path)
    train_path, names = layout.train, layout.names
    if len(names) > source.dataset.num_classes:
        raise UsageError(
            f"folder:PATH needs at most {source.dataset.num_classes} class folders, the classes of dataset "
            f"{source.dataset.name!r}, but {train_path} has {len(names)}: choose a dataset with more classes."
        )
    split = image_files(train_path, names)
    check_no_empty_class(train_path, names, split)
    given = _test_files(layout.test, train_path, names) if layout.test else None
    skipped: list[str] = []
    if source.skip_unreadable or source.dataset.name == OWN:
        split = _readable(split, source.skip_unreadable, skipped)
        check_no_empty_class(train_path, names, split)
        given = given and _readable(given, source.skip_unreadable, skipped)
    train, test = (split, given) if given else _hold_out(*split, source.split_seed)
    size = source.dataset.image_size
    named = f"folder {encodable(path.name or str(path))}, {len(names)} classes"
    what = describe(named, len(train[0]), None, False, size)
    return Images(
        _as_split(*train),
        _as_split(*test),
        what,
        stats_images=_STATS_IMAGES,
        classes=written_names(train_path, names),
        skipped=tuple(skipped),
        note=layout.note,
    )


def _test_files(path: Path, train: Path, names: list[str]) -> Files:
    extra = [name for name in class_names(path) if name not in names]
    if extra:
        raise UsageError(
            f"The classes of {path} must all have a folder in {train}, but {extra[0]!r} has none."
        )
    return image_files(path, names)


def _readable(files: Files, skip: bool, skipped: list[str]) -> Files:
    """Returns those of `files` that can be decoded, and adds a line to `skipped` for each other.

    Raises:
        UsageError: some cannot be decoded and are not to be skipped, or none can.
    """
    with ThreadPoolExecutor() as pool:  # decoders work outside of Python's lock
        said = list(pool.map(_complaint, files[0]))
    bad = [text for text in said if text]
    if bad and not skip:
        shown = "; ".join(bad[:_SHOWN]) + ("; ..." if len(bad) > _SHOWN else "")
        raise UsageError(
            f"All files must be readable images, but {len(bad)} of {len(said)} are not: {shown}. Repair or "
            "remove them, or leave them out with --skip-unreadable."
        )
    skipped += bad
    good = [pair for pair, text in zip(zip(*files, strict=True), said, strict=True) if not text]
    if not good:
        raise UsageError(f"Images need at least one readable file, but none is: {bad[0]}.")
    return [file for file, _ in good], [label for _, label in good]


def _complaint(path: str) -> str:
    try:
        read_image(path)
    except UsageError as error:
        said = str(error).removeprefix("Images must be readable, but ").removesuffix(ADVICE)
        return said.replace(f"{path} is not (", f"{path} (", 1)
    return ""


def _hold_out(files: list[str], labels: list[int], seed: int) -> tuple[Files, Files]:
    """Returns what is trained on and one image in five of each class, at least one where it has two."""
    rng = np.random.default_rng(seed)
    tests: set[int] = set()
    for label in sorted(set(labels)):
        places = rng.permutation([place for place, of in enumerate(labels) if of == label])
        count = max(round(len(places) / _TEST_EVERY), min(1, len(places) - 1))
        tests.update(int(place) for place in places[:count])

    def pick(chosen: list[int]) -> Files:
        return [files[i] for i in chosen], [labels[i] for i in chosen]

    return pick([i for i in range(len(files)) if i not in tests]), pick(sorted(tests))


def _as_split(files: list[str], labels: list[int]) -> Split:
    return Split(FilePixels(tuple(files)), np.array(labels, dtype=np.int64))
