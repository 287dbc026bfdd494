"""Runs that differ in nothing but seeds are one kind: one colour, one median."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import PurePath
from typing import Any

from nas_ray.report.run_data import RunData
from nas_ray.runs.folder import method_of

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5b5b5b")
"""Source: Okabe and Ito, "Color Universal Design", 2008, with grey instead of yellow, for white paper."""
DASHES = ("solid", "dash", "dot", "dashdot")

SEEDS = {"seed", "init_seed", "batch_seed", "minibatch_sha256"}
PLACES = {"out", "resume", "verbose", "download", "address", "smoke"}
BASE = ("experiment", "searcher", "name", "dataset")
"""Settings that are in the label anyway."""
WORDS = {"num_samples": "{} evaluations", "time_budget_s": "{} s", "fitness": "by {}", "scores": "by {}"}
MOST_TOLD = 3
"""Settings that are tried together to tell kinds apart; of more all are said."""
LATER = ("name", "start_from", "objectives", "costs")
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
    labels = _labels([_settings(members[0]) for members in groups.values()])
    return [
        Kind(label, COLORS[i % len(COLORS)], DASHES[i // len(COLORS) % len(DASHES)], tuple(members))
        for i, (label, members) in enumerate(zip(labels, groups.values(), strict=True))
    ]


def _settings(run: RunData) -> dict[str, Any]:
    later = {key for key in LATER if run.settings.get(key) in (None, [], ())}
    own = {key: value for key, value in run.settings.items() if key not in SEEDS | PLACES | later}
    own.pop("proxies", None)  # the scores say it, however it was written
    return {"experiment": run.experiment, "dataset": run.dataset, **own, "scores": list(run.scores)}


def _labels(settings: Sequence[dict[str, Any]]) -> list[str]:
    """Returns the shortest texts that tell kinds apart: name or method, and settings if these are equal."""
    bases = [str(one.get("name") or method_of(str(one["experiment"]), one)) for one in settings]
    if len({one["dataset"] for one in settings}) > 1:
        bases = [f"{base}, {one['dataset']}" for base, one in zip(bases, settings, strict=True)]
    labels = list(bases)
    for base in set(bases):
        places = [place for place, other in enumerate(bases) if other == base]
        told = _told_apart([settings[place] for place in places])
        for number, (place, said) in enumerate(zip(places, told, strict=True), 1):
            labels[place] = ", ".join([base, *said])
            if told.count(said) > 1:
                labels[place] += f" ({number})"
    return labels


TELLING = frozenset({"searcher", "method", "space", "dataset", "fidelity", "fitness", "proxies", "scores"})
"""Settings that say what a run is; others, such as its length, tell runs apart where none of these does."""


def _told_apart(settings: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Returns for each kind what it says beside a name that all have, of settings that were given."""
    keys = [key for key in dict.fromkeys(key for one in settings for key in one) if key not in BASE]
    said = {key: [_said(key, one.get(key)) for one in settings] for key in keys}
    differing = [key for key, texts in said.items() if len(set(texts)) > 1]

    def length(chosen: Sequence[str]) -> int:
        return sum(len(text) for key in chosen for text in said[key])

    best: Sequence[str] = differing
    for size in range(1, min(len(differing), MOST_TOLD) + 1):
        sets = combinations(differing, size)
        if fitting := [one for one in sets if _unique([said[key] for key in one]) == len(settings)]:
            best = min(fitting, key=lambda one: (not set(one) & TELLING, length(one)))
            break
    return [[said[key][place] for key in best if said[key][place]] for place in range(len(settings))]


def _unique(texts: Sequence[Sequence[str]]) -> int:
    """Returns how many kinds some of their settings, one text per kind for each, tell apart."""
    return len(set(zip(*texts, strict=True)))


def _said(key: str, value: Any) -> str:
    """Returns a setting in words; nothing for one that was not given."""
    if value is None or value == [] or value == ():
        return ""
    words = key.replace("_", " ")
    if isinstance(value, bool):
        return words if value else f"no {words}"
    if isinstance(value, (list, tuple)):
        value = " and ".join(map(str, value))
    elif isinstance(value, str) and PurePath(value).is_absolute():
        value = PurePath(value).name
    return WORDS.get(key, f"{words} {{}}").format(value)
