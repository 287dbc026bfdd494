"""What all definitions of generated images have in common; a light module, for quick answers."""

from __future__ import annotations

import dataclasses
import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from nas_ray.errors import UsageError, printable

MOST_IMAGES = 1_000_000
"""Images of a split, unless a definition says less."""


@dataclass(frozen=True)
class Definition(ABC):
    """What stands behind `generated:`: a word, and options that are the fields of a subclass.

    A subclass has the fields `seed`, `train` and `test` at least, and calls `hold` or `hold_counts` for each.
    """

    kind: ClassVar[str]
    """The word."""

    @property
    @abstractmethod
    def image_size(self) -> int:
        """Height and width in pixels."""

    @property
    @abstractmethod
    def num_classes(self) -> int:
        """How many classes there are.

        Raises:
            UsageError: files say it, and they cannot be read.
        """

    def check_files(self) -> None:  # noqa: B027 - most read none
        """Checks that what the definition reads is there.

        Raises:
            UsageError: it is not.
        """

    def absolute(self) -> Definition:
        """Returns the same with absolute paths, so that it holds in any working directory."""
        return self

    def hold(self, name: str, what: str, holds: bool, fit: int | None = None) -> None:
        """Checks the value of one option.

        Args:
            name: of the option.
            what: it must be.
            holds: whether it is.
            fit: a value that would hold where others are as they are; None where that is plain.

        Raises:
            UsageError: it does not hold.
        """
        if not holds:
            value = vars(self)[name]
            given = f"'{printable([value])[0]}'" if isinstance(value, str) else f"{value:g}"
            said = f"{name} of generated:{self.kind} must be {what}, but "
            if fit is None:
                raise UsageError(f"{said}{given} was given.")
            others = [part for part in str(self).split(",") if not part.startswith(f"{name}=")]
            default = value == type(self).__dataclass_fields__[name].default
            raise UsageError(
                f"{said}{f'it is {given} where nothing is said' if default else f'{given} was given'}; write "
                f"{','.join([*others, f'{name}={fit}'])}."
            )

    def hold_counts(self, most: int = MOST_IMAGES) -> None:
        """Checks the seed and the numbers of images.

        Raises:
            UsageError: one cannot be.
        """
        self.hold("seed", "0 or larger", 0 <= vars(self)["seed"] < 2**63)
        for name in ("train", "test"):
            self.hold(name, f"from 2 to {most:,}", 2 <= vars(self)[name] <= most)

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
