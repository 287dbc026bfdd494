"""What a training takes from the best of a search over archs and settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nas_ray.spaces.settings import AT, arch_of, settings_of

OF_THE_SEARCH = ("epochs", "seeds")
"""Settings that say how long a trial of a search was, and not how a net is trained."""


@dataclass(frozen=True)
class Best:
    """The best arch of a search, and the settings beside it.

    Attributes:
        arch: canonical string.
        settings: of the recipe of its trial; none where the search was over archs alone.
        left: settings that say nothing about another training.
        why: why they do not.
    """

    arch: str
    settings: Mapping[str, str]
    left: Mapping[str, str]
    why: str

    @classmethod
    def of(cls, info: Mapping[str, Any], point: str) -> Best:
        """Returns the best of the search that `run.json` tells of; `point` is what its `best.json` names."""
        args = info["args"]
        if AT not in str(args.get("space")):
            return cls(point, {}, {}, "")
        trained = args.get("fidelity") is not None or info.get("experiment") == "two_stage"
        given = settings_of(point)
        left = {name: value for name, value in given.items() if not trained or name in OF_THE_SEARCH}
        kept = {name: value for name, value in given.items() if name not in left}
        why = "say how long its trial was" if trained else "had no part in the search, which trained nothing,"
        return cls(arch_of(point), kept, left, why)

    def recipe(self, name: str) -> str:
        """Returns the recipe `name` with the settings as its changes."""
        return f"{name}:{_written(self.settings, ',')}" if self.settings else name

    def said(self, recipe: str, name: str) -> list[str]:
        """Returns what became of the settings where `recipe` is trained by, a sentence for each kind."""
        said = []
        if self.settings:
            followed = recipe == self.recipe(name)
            how = "are in the recipe" if followed else "are not used, as --recipe was given"
            said.append(f"The settings {_written(self.settings)} of the best point {how}.")
        if self.left:
            said.append(f"The settings {_written(self.left)} of the best point {self.why} and are left out.")
        return said


def _written(settings: Mapping[str, str], comma: str = ", ") -> str:
    return comma.join(f"{name}={value}" for name, value in settings.items())
