"""Images from a folder with one sub-folder per class: `folder:PATH`, read file by file."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from nas_ray.errors import UsageError
from nas_ray.modules.splits import Images, Source, Split, describe, own_path

_STATS_IMAGES = 1_000  # decoding a whole ImageNet for six numbers would take an hour
_TEST_EVERY = 5  # one image in five is held out where the folder has no test part
_SPLIT_SEED = 0  # apart from `batch_seed`: which images are held out must not depend on the minibatch


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

    Either `PATH/CLASS/image`, where one image in five is held out by a fixed seed, or
    `PATH/train/CLASS/image` with `PATH/test` or `PATH/val` beside it.
    Classes are numbered in the order of their names.

    Raises:
        UsageError: no such folder, no classes, more classes than the dataset has, no images.
    """
    path = own_path(source)
    if not path.is_dir():
        raise UsageError(f"folder:PATH needs a folder, but {path} is not one: check the path.")
    train_path = path / "train" if _class_names(path / "train") else path
    names = _class_names(train_path)
    if not names:
        raise UsageError(f"folder:PATH needs one sub-folder of images per class, but {train_path} has none.")
    if len(names) > source.dataset.num_classes:
        raise UsageError(
            f"folder:PATH needs at most {source.dataset.num_classes} class folders, the classes of dataset "
            f"{source.dataset.name!r}, but {train_path} has {len(names)}: choose a dataset with more classes."
        )
    split = _files(train_path, names)
    held_out = [path / part for part in ("test", "val") if train_path != path and _class_names(path / part)]
    train, test = (split, _test_files(held_out[0], names)) if held_out else _hold_out(*split)
    size = source.dataset.image_size
    what = describe(f"folder {path.name or path}", len(train[0]), None, False, size)
    return Images(_as_split(*train), _as_split(*test), what, stats_images=_STATS_IMAGES)


def read_image(path: str) -> Tensor:
    """Returns the image of a file as `[3, H, W]` float32 in 0..1; grey is repeated, alpha is dropped.

    Raises:
        UsageError: the file cannot be decoded.
    """
    try:
        if os.path.exists(path) and not os.path.isfile(path):  # to open a FIFO would block for ever
            raise ValueError("it is no regular file")
        with Image.open(path) as image:
            if image.mode.startswith("I"):  # 16-bit grey, which convert("RGB") would clip at 255
                grey = np.asarray(image, dtype=np.float32) / 65535
                return torch.from_numpy(grey).clamp(0, 1).expand(3, -1, -1).clone()
            if image.mode == "F":
                raise ValueError("its pixels are 32-bit floats without a known range")
            pixels = np.array(image.convert("RGB"))
    # Pillow's decoders raise these on damaged files
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError) as error:
        raise UsageError(
            f"Images must be readable, but {path} is not ({error}): repair or remove it."
        ) from error
    return torch.from_numpy(pixels).permute(2, 0, 1).float() / 255


_Files = tuple[list[str], list[int]]


def _class_names(path: Path) -> list[str]:
    if not path.is_dir():
        return []
    return sorted(entry.name for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _files(path: Path, names: list[str]) -> _Files:
    # torchvision is heavy and only the process that opens images needs it
    from torchvision.datasets.folder import IMG_EXTENSIONS, make_dataset

    numbers = {name: number for number, name in enumerate(names)}
    found = make_dataset(str(path), numbers, extensions=IMG_EXTENSIONS, allow_empty=True)
    if not found:
        raise UsageError(
            f"folder:PATH needs images, but none of the {len(names)} class folders of {path} holds a file "
            f"that ends in {', '.join(IMG_EXTENSIONS)}."
        )
    return [file for file, _ in found], [number for _, number in found]


def _test_files(path: Path, names: list[str]) -> _Files:
    extra = [name for name in _class_names(path) if name not in names]
    if extra:
        raise UsageError(
            f"The classes of {path} must all have a folder in {path.parent / 'train'}, "
            f"but {extra[0]!r} has none."
        )
    return _files(path, names)


def _hold_out(files: list[str], labels: list[int]) -> tuple[_Files, _Files]:
    order = np.random.default_rng(_SPLIT_SEED).permutation(len(files))
    tests = len(files) // _TEST_EVERY

    def pick(indices: np.ndarray) -> _Files:
        chosen = [int(i) for i in np.sort(indices)]
        return [files[i] for i in chosen], [labels[i] for i in chosen]

    return pick(order[tests:]), pick(order[:tests])


def _as_split(files: list[str], labels: list[int]) -> Split:
    return Split(FilePixels(tuple(files)), np.array(labels, dtype=np.int64))
