"""What all definitions of generated images have in common; a light module, for quick answers."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from nas_ray.errors import UsageError, printable

MOST_IMAGES = 1_000_000
WITH_FILES = ("npz", "idx")
"""Images of others that lie at a path, as in `npz:PATH`."""


@dataclass(frozen=True)
class Definition:
    """What stands behind `generated:`: a word, and options that are the fields of a subclass.

    A subclass has the fields `seed`, `train`, `test` and `size` at least, and calls `hold` for each.
    """

    kind: ClassVar[str]
    """The word."""

    @property
    def image_size(self) -> int:
        """Height and width in pixels."""
        return int(self.__dict__["size"])

    @property
    def num_classes(self) -> int:
        """How many classes there are.

        Raises:
            UsageError: files say it, and they cannot be read.
        """
        raise NotImplementedError

    def check_files(self) -> None:
        """Checks that what the definition reads is there.

        Raises:
            UsageError: it is not.
        """

    def absolute(self) -> Definition:
        """Returns the same with absolute paths, so that it holds in any working directory."""
        return self

    def hold(self, name: str, what: str, holds: bool) -> None:
        """Checks the value of one option.

        Raises:
            UsageError: it does not hold.
        """
        if not holds:
            value = self.__dict__[name]
            given = f"'{printable([value])[0]}'" if isinstance(value, str) else f"{value:g}"
            raise UsageError(f"{name} of generated:{self.kind} must be {what}, but {given} was given.")

    def hold_counts(self, most: int = MOST_IMAGES) -> None:
        """Checks the seed and the numbers of images.

        Raises:
            UsageError: one cannot be.
        """
        self.hold("seed", "0 or larger", 0 <= self.__dict__["seed"] < 2**63)
        for name in ("train", "test"):
            self.hold(name, f"from 2 to {most:,}", 2 <= self.__dict__[name] <= most)

    def __str__(self) -> str:
        changed = [
            f"{field.name}={value:g}" if isinstance(value, float) else f"{field.name}={value}"
            for field in dataclasses.fields(self)
            if (value := getattr(self, field.name)) != field.default
        ]
        return ",".join([self.kind, *changed])


def absolute_path(text: str) -> str:
    """Returns a path as it holds in any working directory."""
    return os.path.abspath(os.path.expanduser(text)) if text else text


def exists(text: str) -> bool:
    """Returns whether there is a file or a folder at a path."""
    return Path(os.path.expanduser(text)).exists()
