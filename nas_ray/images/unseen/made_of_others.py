"""Images made of the images of others, as they are named; a light module, for quick answers.

Source: the kinds AddNIST, MultNIST and CIFARTile of Geada et al., "Insights from the Use of Previously Unseen
Neural Architecture Search Datasets", CVPR 2024.
Differs: none of their images are here; parts, places, sizes and balance are as each class says.
"""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from typing import ClassVar

from nas_ray.images.definition import Definition, absolute_path
from nas_ray.images.unseen.definitions import Made

DIGITS = "digits"
CIFARS = ("cifar10", "cifar100")
NPZ, IDX = "npz", "idx"  # of others that lie at a path, as in `npz:PATH`


@dataclass(frozen=True)
class OfOthers(Made):
    """What is made of the images of others: training of training images, test images of test images.

    Args:
        images: `digits`, `cifar10`, `cifar100`, `npz:PATH` or `idx:FOLDER`.
    """

    without_path: ClassVar[tuple[str, ...]] = (DIGITS, *CIFARS)

    images: str = DIGITS

    def __post_init__(self) -> None:
        super().__post_init__()
        kind, _, path = self.images.partition(":")
        what = f"{', '.join(self.without_path)}, npz:PATH, or idx:FOLDER with the four files of MNIST"
        known = self.images in self.without_path or (kind in (NPZ, IDX) and bool(path.strip()))
        self.hold("images", what, known)
        self.hold("images", "without a comma in its path", "," not in self.images)

    def check_files(self) -> None:
        """Checks that there is something at the path of the images.

        Raises:
            UsageError: there is not.
        """
        kind, _, path = self.images.partition(":")
        if kind in (NPZ, IDX):
            self.hold("images", "of a path that exists", os.path.exists(absolute_path(path)))

    def absolute(self) -> Definition:
        """Returns the same with an absolute path, so that it holds in any working directory."""
        kind, _, path = self.images.partition(":")
        return dataclasses.replace(self, images=f"{kind}:{absolute_path(path)}") if path else self


@dataclass(frozen=True)
class Calculated(OfOthers):
    """Three digits, one in the red, one in the green and one in the blue of an image.

    Each digit is an image of somebody's hand at its own size, at a random place of its channel, drawn from
    all images of this digit in its split. Of all triples of digits with the result of the class one is drawn,
    each as likely as any other.

    Args:
        seed: draws the images.
        train: number of training images.
        test: number of test images.
        images: grey ones of the digits 0 to 9; `digits` are those of scikit-learn.
        size: height and width in pixels; 0 takes 16 for the digits of scikit-learn and 32 for others.

    Raises:
        UsageError: a value that cannot be.
    """

    without_path: ClassVar[tuple[str, ...]] = (DIGITS,)

    size: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.hold("size", "0, or a multiple of 4 from 8 to 64", _fits(self.size, 64))

    @property
    def image_size(self) -> int:
        """Height and width in pixels."""
        return self.size or (16 if self.images == DIGITS else 32)


@dataclass(frozen=True)
class Add(Calculated):
    """The sum of three digits, less 1: class 0 is the sum 1, class 19 the sum 20; see `Calculated`."""

    kind: ClassVar[str] = "add"

    @property
    def num_classes(self) -> int:
        """How many classes there are."""
        return 20


@dataclass(frozen=True)
class Mult(Calculated):
    """The last digit of the product of three digits; see `Calculated`."""

    kind: ClassVar[str] = "mult"

    @property
    def num_classes(self) -> int:
        """How many classes there are."""
        return 10


@dataclass(frozen=True)
class Tile(OfOthers):
    """How many different classes four images have that lie two by two: class 0 is one, class 3 is four.

    Of all ways in which four places can share that many classes one is drawn, each as likely as any other,
    and so are the classes. So any one of the four images says nothing. No image is there twice in the four.

    Args:
        seed: draws the images.
        train: number of training images.
        test: number of test images.
        images: of at least four classes, with four images or more of each in each split.
        size: height and width in pixels: twice those of the images, or that divided by a whole number, which
            takes means of pixels; 0 takes 16 for scikit-learn's digits, 56 for idx:FOLDER, 64 for others.

    Raises:
        UsageError: a value that cannot be.
    """

    kind: ClassVar[str] = "tile"

    size: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        what = "0, or a multiple of 4 from 8 to 64, or of 16 up to 128"
        self.hold("size", what, _fits(self.size, 128))

    @property
    def image_size(self) -> int:
        """Height and width in pixels."""
        return self.size or {DIGITS: 16, IDX: 56}.get(self.images.partition(":")[0], 64)

    @property
    def num_classes(self) -> int:
        """How many classes there are."""
        return 4


def _fits(size: int, most: int) -> bool:
    """Returns whether nets can halve images of this size; 0 stands for the usual one."""
    step = 4 if size <= 64 else 16
    return size == 0 or (8 <= size <= most and size % step == 0)
