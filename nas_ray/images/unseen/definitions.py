"""Images made of nothing but a seed, or of words, as they are named; a light module, for quick answers.

Source: `Language` is of the kind of Geada et al., "Insights from the Use of Previously Unseen Neural
Architecture Search Datasets", CVPR 2024.
Differs: none of their images are here, and words and classes are as it says. `Sudoku` and `Shapes` are ours.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

from nas_ray.images.definition import Definition, absolute_path
from nas_ray.images.unseen.words import LANGUAGE_SIZE, language_files

MOST = 100_000
"""Images of a split."""


@dataclass(frozen=True)
class Made(Definition):
    """What is made from a seed, as many images of every class as of any other, or one more.

    Image i is of class i modulo the number of classes. It depends on the options and on i, not on how many
    there are.

    Args:
        seed: draws the images.
        train: number of training images.
        test: number of test images.
    """

    seed: int = 0
    train: int = 4_000
    test: int = 1_000

    def __post_init__(self) -> None:
        self.hold_counts(MOST)


@dataclass(frozen=True)
class Language(Made):
    """In which language four words of six letters are.

    An image has a row for each of the 24 letters, in their order, and a column for each of the letters a to
    x; one pixel in each row is white. So every image has 24 white pixels. A class is a file of words, which
    are what stands between blanks. Each is taken once, in small letters and without accents, if it then is
    six letters from a to x; words that are in two files are left out. A fifth of the words of each file,
    drawn by the seed, makes the test images, the others make the training images.

    Args:
        seed: draws the images.
        train: number of training images.
        test: number of test images.
        words: a folder with a file NAME.txt, in UTF-8, for each language; classes are in the order of names.

    Raises:
        UsageError: a value that cannot be.
    """

    kind: ClassVar[str] = "language"

    words: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.hold("words", "a folder with a file NAME.txt of each language", bool(self.words))
        self.hold("words", "a folder without a comma in its path", "," not in self.words)

    @property
    def image_size(self) -> int:
        """Height and width in pixels."""
        return LANGUAGE_SIZE

    @property
    def num_classes(self) -> int:
        """How many languages there are.

        Raises:
            UsageError: the folder has fewer than two, or cannot be read.
        """
        return len(language_files(self.words))

    def check_files(self) -> None:
        """Checks that there are two languages or more.

        Raises:
            UsageError: there are not.
        """
        language_files(self.words)

    def absolute(self) -> Definition:
        """Returns the same with an absolute path, so that it holds in any working directory."""
        return dataclasses.replace(self, words=absolute_path(self.words))


@dataclass(frozen=True)
class Sudoku(Made):
    """Which digit the marked cell of a Sudoku needs: class 0 is the digit 1.

    A solved Sudoku of 9x9 cells is drawn: rows, columns, bands and stacks of a fixed one are permuted, so are
    digits, and it is mirrored or not. Then cells are emptied, until each of the nine digits is there `shown`
    times. Each of the other eight digits is left in one cell alone of those in the row, the column and the
    box of the marked cell, so that seldom less than all three tell the answer. A cell has 4x4 pixels: a digit
    is a pattern of four white pixels in the upper left 3x3, the marked cell has all nine white. So the number
    of white pixels, and that of each digit, is the same in all images.

    Args:
        seed: draws the images.
        train: number of training images.
        test: number of test images.
        shown: how often each digit is there, from 1 to 7.

    Raises:
        UsageError: a value that cannot be.
    """

    kind: ClassVar[str] = "sudoku"

    shown: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        self.hold("shown", "from 1 to 7", 1 <= self.shown <= 7)

    @property
    def image_size(self) -> int:
        """Height and width in pixels."""
        return 36

    @property
    def num_classes(self) -> int:
        """How many classes there are."""
        return 9


@dataclass(frozen=True)
class Shapes(Made):
    """How many discs are among `shapes` discs, bars and triangles: class 0 is none.

    What is no disc is a bar, lying or standing, or a triangle that points in one of four directions, each of
    the six as likely as any other. A shape has 21 pixels and a random colour, whatever it is, and lies within
    8x8 pixels that no other shape is in. So neither the number of coloured pixels nor their colour says
    anything.

    Args:
        seed: draws the images.
        train: number of training images.
        test: number of test images.
        size: height and width in pixels, a multiple of 8.
        shapes: in each image.
        noise: standard deviation of what is added to every pixel, where the background is 0.2 and red, green
            and blue of a shape are from 0.4 to 1.

    Raises:
        UsageError: a value that cannot be.
    """

    kind: ClassVar[str] = "shapes"

    size: int = 32
    shapes: int = 6
    noise: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        self.hold("size", "a multiple of 8 from 16 to 64", 16 <= self.size <= 64 and self.size % 8 == 0)
        most = (self.size // 8) ** 2
        self.hold("shapes", f"from 1 to {most}, as each has 8x8 pixels", 1 <= self.shapes <= most, most)
        self.hold("noise", "from 0 to 1", 0 <= self.noise <= 1)

    @property
    def image_size(self) -> int:
        """Height and width in pixels."""
        return self.size

    @property
    def num_classes(self) -> int:
        """How many classes there are."""
        return self.shapes + 1
