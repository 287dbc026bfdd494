"""Images from a folder with one sub-folder per class: `folder:PATH`, read file by file."""

from __future__ import annotations

import os
import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from nas_ray.datasets import OWN
from nas_ray.errors import UsageError
from nas_ray.modules.splits import Images, Source, Split, describe, own_path

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""What a file may hold, whatever its name says; Pillow itself would start Ghostscript for PostScript."""
_STATS_IMAGES = 1_000  # decoding a whole ImageNet for six numbers would take an hour
_TEST_EVERY = 5  # one image in five is held out where the folder has no test part
_ADVICE = ": repair or remove it."
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
    `PATH/train/CLASS/image` with `PATH/test` or `PATH/val` beside it.
    Classes are numbered in the order of their names. For images of one's own, or where unreadable files are
    to be left out, every file is decoded once.

    Raises:
        UsageError: no such folder, no classes, more classes than the dataset has, no images, or unreadable
            ones.
    """
    path = own_path(source)
    train_path, names = class_folders(path)
    if len(names) > source.dataset.num_classes:
        raise UsageError(
            f"folder:PATH needs at most {source.dataset.num_classes} class folders, the classes of dataset "
            f"{source.dataset.name!r}, but {train_path} has {len(names)}: choose a dataset with more classes."
        )
    split = image_files(train_path, names)
    held_out = [path / part for part in ("test", "val") if train_path != path and _class_names(path / part)]
    given = _test_files(held_out[0], names) if held_out else None
    skipped: list[str] = []
    if source.skip_unreadable or source.dataset.name == OWN:
        split = _readable(split, source.skip_unreadable, skipped)
        given = given and _readable(given, source.skip_unreadable, skipped)
    train, test = (split, given) if given else _hold_out(*split, source.split_seed)
    size = source.dataset.image_size
    what = describe(f"folder {path.name or path}", len(train[0]), None, False, size)
    return Images(
        _as_split(*train),
        _as_split(*test),
        what,
        stats_images=_STATS_IMAGES,
        classes=tuple(names),
        skipped=tuple(skipped),
    )


def class_folders(path: Path) -> tuple[Path, list[str]]:
    """Returns the folder that holds the classes of the training images, and the names of these classes.

    Raises:
        UsageError: no such folder, or no classes.
    """
    if not path.is_dir():
        raise UsageError(f"folder:PATH needs a folder, but {path} is not one: check the path.")
    train_path = path / "train" if _class_names(path / "train") else path
    names = _class_names(train_path)
    if not names:
        raise UsageError(f"folder:PATH needs one sub-folder of images per class, but {train_path} has none.")
    return train_path, names


def read_image(path: str) -> Tensor:
    """Returns the image of a file as `[3, H, W]` float32 in 0..1; grey is repeated.

    What is transparent becomes white: the colours below it are often arbitrary.

    Raises:
        UsageError: the file cannot be decoded.
    """
    try:
        if os.path.exists(path) and not os.path.isfile(path):  # to open a FIFO would block for ever
            raise ValueError("it is no regular file")
        with Image.open(path, formats=FORMATS) as image:
            if image.mode.startswith("I"):  # 16-bit grey, which convert("RGB") would clip at 255
                grey = np.asarray(image, dtype=np.float32) / 65535
                return torch.from_numpy(grey).clamp(0, 1).expand(3, -1, -1).clone()
            if image.mode == "F":
                raise ValueError("its pixels are 32-bit floats without a known range")
            pixels = np.array(_opaque(image))
    # Pillow's decoders raise these on damaged files
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError) as error:
        raise UsageError(f"Images must be readable, but {path} is not ({error}){_ADVICE}") from error
    return torch.from_numpy(pixels).permute(2, 0, 1).float() / 255


def _opaque(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    layers = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers).convert("RGB")


_Files = tuple[list[str], list[int]]


def _class_names(path: Path) -> list[str]:
    if not path.is_dir():
        return []
    return sorted(entry.name for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def image_files(path: Path, names: list[str]) -> _Files:
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


def _test_files(path: Path, names: list[str]) -> _Files:
    extra = [name for name in _class_names(path) if name not in names]
    if extra:
        raise UsageError(
            f"The classes of {path} must all have a folder in {path.parent / 'train'}, "
            f"but {extra[0]!r} has none."
        )
    return image_files(path, names)


def _readable(files: _Files, skip: bool, skipped: list[str]) -> _Files:
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
        return str(error).removeprefix("Images must be readable, but ").removesuffix(_ADVICE)
    return ""


def _hold_out(files: list[str], labels: list[int], seed: int) -> tuple[_Files, _Files]:
    """Returns what is trained on and one image in five of each class, at least one where it has two."""
    rng = np.random.default_rng(seed)
    tests: set[int] = set()
    for label in sorted(set(labels)):
        places = rng.permutation([place for place, of in enumerate(labels) if of == label])
        count = max(round(len(places) / _TEST_EVERY), min(1, len(places) - 1))
        tests.update(int(place) for place in places[:count])

    def pick(chosen: list[int]) -> _Files:
        return [files[i] for i in chosen], [labels[i] for i in chosen]

    return pick([i for i in range(len(files)) if i not in tests]), pick(sorted(tests))


def _as_split(files: list[str], labels: list[int]) -> Split:
    return Split(FilePixels(tuple(files)), np.array(labels, dtype=np.int64))
