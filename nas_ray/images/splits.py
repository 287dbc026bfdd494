"""Decoded images and their labels: what every image source returns, and how a net sees them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import interpolate
from torch.utils.data import Dataset

from nas_ray.errors import UsageError
from nas_ray.images.datasets import DatasetInfo
from nas_ray.images.identity import images_sha256
from nas_ray.images.pixels import Pixels

_CHUNK = 256  # images held at once, as float64, while mean and std are computed
_STATS_SEED = 0  # apart from `batch_seed`: the standardisation must not depend on which minibatch is drawn


@dataclass(frozen=True)
class ArrayPixels:
    """Images held in memory as one array.

    Attributes:
        array: `[N, H, W, 3]` or grey `[N, H, W]`; uint8 in 0..255 or float32 in 0..1.
    """

    array: npt.NDArray[np.uint8] | npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, index: int, /) -> Tensor:
        image = torch.from_numpy(np.array(self.array[index]))  # a copy: the array may be read-only
        pixels = image.float() / 255 if image.dtype == torch.uint8 else image
        return pixels.expand(3, -1, -1).clone() if pixels.ndim == 2 else pixels.permute(2, 0, 1).contiguous()


@dataclass(frozen=True)
class Split:
    """Images and labels of one split, before resizing and standardising.

    Attributes:
        pixels: the images.
        labels: `[N]` int64.
    """

    pixels: Pixels
    labels: npt.NDArray[np.int64]


@dataclass(frozen=True)
class ChannelStats:
    """Per channel, in units where white is 1: red, green, blue."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True)
class Images:
    """What an image source returns.

    Attributes:
        train: the split that minibatches come from.
        test: held out.
        description: one phrase for people: what, how many, which size.
        stats: published mean and std, or None to compute them from `train`.
        stats_images: how many training images they are computed from (a seeded sample); None for all.
        classes: their names in the order of their numbers; none where only numbers are known.
        skipped: one line for each file that was left out, with the reason.
        note: one line for the user on what else is not used, or None.
    """

    train: Split
    test: Split
    description: str
    stats: ChannelStats | None = None
    stats_images: int | None = None
    classes: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    note: str | None = None


@dataclass(frozen=True)
class Source:
    """What an opener is asked for.

    Attributes:
        spec: what the user wrote, for messages.
        path: what stands after the colon of `npz:PATH`, `folder:PATH` and `generated:DEFINITION`, else `""`.
        dataset: what the nets are built for: labels must fit its number of classes.
        roots: folders that may hold a published dataset, in order of searching; the first takes downloads.
        download: whether a missing dataset may be fetched.
        split_seed: draws what a folder without a test part holds out.
        skip_unreadable: leave out files that cannot be decoded instead of refusing them.
    """

    spec: str
    path: str
    dataset: DatasetInfo
    roots: tuple[Path, ...]
    download: bool
    split_seed: int = 0
    skip_unreadable: bool = False


def own_path(source: Source) -> Path:
    """Returns what stands after the colon as a path, with `~` expanded.

    Raises:
        UsageError: `~name` of a user without a home.
    """
    try:
        return Path(source.path).expanduser()
    except RuntimeError as error:
        raise UsageError(
            f"Images need a path that exists, but in {source.spec!r} there is no home of that user: write "
            "the whole path."
        ) from error


Opener = Callable[[Source], Images]


class NetImages(Dataset[tuple[Tensor, int]]):
    """Map-style dataset of `([3, S, S] float32, label)`: resized, then standardised per channel.

    Args:
        split: decoded images and labels.
        size: S in pixels.
        stats: mean that is subtracted and std that divides.

    Attributes:
        labels: `[N]` int64.
        pixels: the images as they are decoded.
    """

    def __init__(self, split: Split, size: int, stats: ChannelStats) -> None:
        self.labels = split.labels
        self.size = size
        self.stats = stats
        self.pixels = split.pixels
        self._mean = torch.tensor(stats.mean).view(3, 1, 1)
        self._std = torch.tensor(stats.std).view(3, 1, 1)

    @cached_property
    def sha256(self) -> str:
        """A hash of all images and labels, to tell whether they are the same later; computed once."""
        return images_sha256(self.pixels, self.labels)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return (self.resized(index) - self._mean) / self._std, int(self.labels[index])

    def name(self, index: int) -> str:
        """Returns what people call image `index`: its file, or its place in the split."""
        paths = getattr(self.pixels, "paths", None)
        return f"image {index}" if paths is None else str(paths[index])

    def resized(self, index: int) -> Tensor:
        """Returns image `index` as `[3, S, S]` float32 in 0..1, before it is standardised."""
        return resize(self.pixels[index], self.size)


def resize(image: Tensor, size: int) -> Tensor:
    """Returns `image` `[3, H, W]` as `[3, size, size]`: bilinear, the aspect ratio is not kept."""
    return resize_all(image[None], size)[0]


def resize_all(images: Tensor, size: int) -> Tensor:
    """Returns `images` `[B, 3, H, W]` as `[B, 3, size, size]`, as `resize` does each of them."""
    if images.shape[2:] == (size, size):
        return images
    # antialias only acts where an axis shrinks; growing is plain bilinear
    return interpolate(images, (size, size), mode="bilinear", antialias=True).clamp(0, 1)


def channel_stats(pixels: Pixels, size: int, max_images: int | None = None) -> ChannelStats:
    """Returns mean and std of the images as a net sees them, at `size` pixels.

    Args:
        pixels: at least one image.
        size: height and width in pixels.
        max_images: use a sample of that many, the same in every process, where there are more.
    """
    indices = np.arange(len(pixels))
    if max_images is not None and max_images < len(pixels):
        indices = np.sort(np.random.default_rng(_STATS_SEED).choice(len(pixels), max_images, replace=False))
    total, squares = torch.zeros(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    for start in range(0, len(indices), _CHUNK):
        chunk = [resize(pixels[int(i)], size) for i in indices[start : start + _CHUNK]]
        values = torch.stack(chunk).double()
        total += values.sum((0, 2, 3))
        squares += values.square().sum((0, 2, 3))
    count = len(indices) * size * size
    mean = total / count
    std = (squares / count - mean.square()).clamp(min=0).sqrt()
    std[std < 1e-6] = 1.0  # a constant channel is only centred: dividing by 0 would make every score NaN
    red, green, blue = mean.tolist()
    return ChannelStats((red, green, blue), (std[0].item(), std[1].item(), std[2].item()))


def check_labels(labels: npt.NDArray[np.int64], what: str, dataset: DatasetInfo) -> None:
    """Checks that labels `[N]` fit the classifier of a net for `dataset`.

    Raises:
        UsageError: a label lies outside 0..num_classes-1; `what` names where it was read.
    """
    wrong = labels[(labels < 0) | (labels >= dataset.num_classes)]
    if len(wrong):
        raise UsageError(
            f"Labels must lie in 0..{dataset.num_classes - 1}, the classes of dataset {dataset.name!r}, "
            f"but {what} holds {wrong[0]}: relabel the images or choose a dataset with more classes."
        )


def describe(what: str, count: int, own: tuple[int, int] | None, grey: bool, size: int) -> str:
    """Returns the phrase for `count` training images of `own` height and width (None: any) seen at `size`."""
    phrase = f"{what}, {count:,} training image{'' if count == 1 else 's'}"
    target = f"{size}x{size}x3"
    if own is None:
        return f"{phrase}, resized to {target}"
    height, width = own
    if own == (size, size):
        return f"{phrase}, {height}x{width} grey repeated to {target}" if grey else f"{phrase}, {target}"
    native = f"{height}x{width} grey" if grey else f"{height}x{width}x3"
    shrinks, grows = max(own) > size, min(own) < size
    verb = "resized" if shrinks and grows else "shrunk" if shrinks else "upsampled"
    return f"{phrase}, {native} {verb} to {target}"
