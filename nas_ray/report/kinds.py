"""Runs that differ in nothing but seeds are one kind: one colour, one median."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from nas_ray.report.run_data import RunData
from nas_ray.runs.folder import method_of

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5b5b5b")
"""Source: Okabe and Ito, "Color Universal Design", 2008, with grey instead of yellow, for white paper."""
DASHES = ("solid", "dash", "dot", "dashdot")

SEEDS = {"seed", "init_seed", "batch_seed", "minibatch_sha256"}
PLACES = {"out", "resume", "verbose", "download", "address", "smoke"}
LATER = ("name", "start_from")
"""Settings that runs of earlier versions lack, which is as if they were not given."""


@dataclass(frozen=True)
class Kind:
    """Runs with equal settings but seeds.

    Attributes:
        label: the experiment and what tells it from the other kinds.
        color: of its curves.
        dash: of its curves; another one once the colours are used up.
        runs: its members, at least one.
    """

    label: str
    color: str
    dash: str
    runs: tuple[RunData, ...]


def kinds_of(runs: Sequence[RunData]) -> list[Kind]:
    """Returns the kinds of `runs` in the order in which they first appear."""
    groups: dict[str, list[RunData]] = {}
    for run in runs:
        groups.setdefault(json.dumps(_settings(run), sort_keys=True, default=str), []).append(run)
    settings = [_settings(members[0]) for members in groups.values()]
    differing = [
        key for key in dict.fromkeys(key for one in settings for key in one) if _differs(key, settings)
    ]
    labels = [_label(one, [key for key in differing if key in one]) for one in settings]
    unique = [
        label if labels.count(label) == 1 else f"{label} ({labels[:place].count(label) + 1})"
        for place, label in enumerate(labels)
    ]
    return [
        Kind(label, COLORS[i % len(COLORS)], DASHES[i // len(COLORS) % len(DASHES)], tuple(members))
        for i, (label, members) in enumerate(zip(unique, groups.values(), strict=True))
    ]


def _differs(key: str, settings: Sequence[dict[str, Any]]) -> bool:
    """Returns whether kinds of one experiment differ in `key`, or any kinds in their datasets."""
    values: dict[str, set[str]] = {}
    for one in settings:
        group = "all" if key == "dataset" else str(one["experiment"])
        given = json.dumps(one[key], sort_keys=True, default=str) if key in one else "not given"
        values.setdefault(group, set()).add(given)
    return any(len(different) > 1 for different in values.values())


def _settings(run: RunData) -> dict[str, Any]:
    later = {key for key in LATER if run.settings.get(key) is None}
    own = {key: value for key, value in run.settings.items() if key not in SEEDS | PLACES | later}
    own.pop("proxies", None)  # the scores say it, however it was written
    return {"experiment": run.experiment, "dataset": run.dataset, **own, "scores": list(run.scores)}


def _label(settings: dict[str, Any], differing: Sequence[str]) -> str:
    if settings.get("name"):
        return str(settings["name"])
    said = [method_of(str(settings["experiment"]), settings)]
    for key in differing:
        value = settings[key]
        if key not in ("experiment", "searcher"):
            said.append(f"{key.replace('_', ' ')} {_short(value)}")
    return ", ".join(said)


def _short(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return " and ".join(map(str, value)) or "none"
    if isinstance(value, str) and PurePath(value).is_absolute():
        return PurePath(value).name
    return "default" if value is None else str(value)
