"""Spaces whose archs are names of published nets or cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from nas_ray.errors import UsageError, unknown_name
from nas_ray.errors.checks import TEXT


class NamedArchs:
    """What spaces of names have in common: they can be listed, and no arch is nearer to one than another.

    A subclass has `NAMED` and `KIND`, and `build`.
    """

    NAMED: ClassVar[Mapping[str, Any]]
    """By name what a net is made of."""
    KIND: ClassVar[str]
    """The word for one of them in messages."""

    def __len__(self) -> int:
        return len(self.NAMED)

    def __iter__(self) -> Iterator[str]:
        return iter(self.NAMED)

    def __contains__(self, arch: object) -> bool:
        return isinstance(arch, str) and arch in self.NAMED

    def sample(self, rng: np.random.Generator) -> str:
        """Returns a name drawn uniformly."""
        return str(rng.choice(list(self.NAMED)))

    def neighbors(self, arch: str) -> list[str]:
        """Returns all other names."""
        return [name for name in self.NAMED if name != arch]

    @classmethod
    def _named(cls, arch: str) -> Any:
        """Returns what the net of this name is made of.

        Raises:
            UsageError: unknown name, or none.
        """
        TEXT.check("An arch", arch)
        if arch not in cls.NAMED:
            raise UsageError(unknown_name(cls.KIND, arch, list(cls.NAMED)))
        return cls.NAMED[arch]
