"""What is taken from a finished search: its arguments, its best arch, and the settings beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nas_ray.errors import UsageError
from nas_ray.runs.folder import read_run
from nas_ray.safe_files.foreign import check_brings_no_code
from nas_ray.spaces.settings import AT, arch_of, settings_of, space_name

OF_IMAGES = ("images", "dataset", "image_size", "split_seed", "skip_unreadable")
"""Arguments that a search on a text has and does not look at."""
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
        if not self.settings:
            return name
        given = ":" in name.removeprefix("epochs:")  # which has changes already
        return f"{name}{',' if given else ':'}{_written(self.settings, ',')}"

    def said(self, recipe: str, name: str) -> list[str]:
        """Returns what became of the settings where `recipe` is trained by, a sentence for each kind."""
        said = []
        if self.settings:
            followed = recipe == self.recipe(name)
            how = "are in the recipe" if followed else "are not used, as --recipe was given"
            said.append(f"The settings {_written(self.settings)} of the best point {how}.")
        return [*said, *self.left_said()]

    def left_said(self) -> list[str]:
        """Returns the sentence about settings that are left out, if there are any."""
        if not self.left:
            return []
        return [f"The settings {_written(self.left)} of the best point {self.why} and are left out."]


def _written(settings: Mapping[str, str], comma: str = ", ") -> str:
    return comma.join(f"{name}={value}" for name, value in settings.items())


def best_of(folder: Path, user: str) -> Best:
    """Returns the best of the search in `folder`.

    Args:
        folder: of a run.
        user: what needs it, for the message, such as `A training`.

    Raises:
        UsageError: no search, or none with a best arch.
    """
    info = read_run(folder)
    try:
        arch = json.loads((folder / "best.json").read_text(encoding="utf-8")).get("arch")
    except (AttributeError, OSError, ValueError, RecursionError):
        arch = None
    if not isinstance(info.get("args"), dict) or not isinstance(arch, str):
        raise UsageError(
            f"{user} needs the run folder of a finished search, and {folder} has no best arch; name another, "
            "or give the arch itself with --arch."
        )
    return Best.of(info, arch)


def taken_over(folder: Path, names: Sequence[str]) -> dict[str, Any]:
    """Returns the arguments `names` of the search in `folder`; its space without settings, its own images.

    What a search on a text says of images is left out.

    Raises:
        UsageError: the folder would bring code.
    """
    info = read_run(folder)
    stored = info["args"]
    on_images = stored.get("task", "images") == "images"
    meant = [name for name in names if name in stored and (on_images or name not in OF_IMAGES)]
    values: dict[str, Any] = {name: stored[name] for name in meant}
    values |= {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    if "space" in values:
        values["space"] = space_name(str(values["space"]))
    check_brings_no_code(values, folder)
    source = (info.get("images") or {}).get("source") if on_images else None
    return {**values, **({"images": source} if source else {})}
