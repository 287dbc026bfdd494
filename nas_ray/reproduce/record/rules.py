"""Rules that give every arch a number, as files: what was chosen, on what and by which command."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from nas_ray.errors import UsageError, describe
from nas_ray.reproduce.record.shares import shares

FOLDER = Path(__file__).parent
"""Where the rules lie that come with the package, as `SPACE.json`."""
SINGLE = "single"
GREATEST = sys.float_info.max
KINDS = (SINGLE, "rank_sum", "log_rank_sum")
WIDTHS = 5
LARGEST = 1_000_000
"""The number of widths of an arch of NATS-SSS, and the largest weight of the logarithm of one."""


@dataclass(frozen=True)
class TopologyRule:
    """A sum of shares, or of their logarithms, for the archs of NATS-TSS.

    Attributes:
        fitness: the sum as searches write it, such as `log_rank_sum:live_ops,logsynflow`.
        marks: by image size and score the quantiles on which shares are read (`shares`).
        nets: `channels` and `cells` of the nets that were scored.
        chosen: on what, by what and by which command it was chosen; plain JSON values.
    """

    space: ClassVar[str] = "nats-tss"
    fitness: str
    marks: Mapping[str, Mapping[str, Sequence[float]]]
    nets: Mapping[str, int]
    chosen: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """`log_rank_sum`, `rank_sum`, or `single` for one score."""
        return self.fitness.partition(":")[0] if ":" in self.fitness else SINGLE

    @property
    def names(self) -> tuple[str, ...]:
        """The scores in it."""
        return tuple(self.fitness.rpartition(":")[2].split(","))

    def values(self, scores: Mapping[str, np.ndarray], image_size: int) -> np.ndarray:
        """Returns `[archs]` numbers; -inf where a score is undefined.

        Args:
            scores: `[archs]` by name.
            image_size: of the images for which nets were made, in pixels.

        Raises:
            UsageError: the rule knows no images of this size.
        """
        if self.kind == SINGLE:
            found = np.asarray(scores[self.names[0]], dtype=float)
            return np.where(np.isfinite(found), found, -np.inf)
        if str(image_size) not in self.marks:
            raise UsageError(
                f"The rule has marks for images of {' and '.join(self.marks)} pixels, got scores of nets for "
                f"{image_size}; score for a dataset of such images."
            )
        marks = self.marks[str(image_size)]
        terms = np.array([shares(scores[name], marks[name]) for name in self.names])
        total: np.ndarray = (np.log(terms) if self.kind == "log_rank_sum" else terms).sum(axis=0)
        return np.where(np.isnan(total), -np.inf, total)


@dataclass(frozen=True)
class SizeRule:
    """A weighted sum of logarithms for the archs of NATS-SSS: of the widths, and of the classifier's rank.

    Attributes:
        weights: of the logarithms of the five widths.
        classes: weight of the logarithm of the smaller of the last width and the number of classes.
        fewer: what is taken from the number of classes before: 1 since a softmax does not change with what is
            added to all classes, or 0.
        chosen: as for `TopologyRule`.
    """

    space: ClassVar[str] = "nats-sss"
    weights: tuple[float, ...]
    classes: float
    fewer: int
    chosen: Mapping[str, Any]

    def values(self, widths: np.ndarray, num_classes: int) -> np.ndarray:
        """Returns `[archs]` numbers for `widths [archs, 5]`."""
        rank = np.minimum(widths[:, -1], num_classes - self.fewer)
        found: np.ndarray = np.log(widths) @ np.array(self.weights) + self.classes * np.log(rank)
        return found


Rule = TopologyRule | SizeRule

RULES: dict[str, type[TopologyRule] | type[SizeRule]] = {
    kind.space: kind for kind in (TopologyRule, SizeRule)
}


def to_text(rule: Rule) -> str:
    """Returns the file of a rule: JSON, a list to the line."""
    text = json.dumps({"space": rule.space, **asdict(rule)}, indent=2) + "\n"
    return re.sub(r"\[[^\[\]{}]*\]", lambda found: " ".join(found[0].split()), text)


def read_rule(space: str, path: Path | None = None) -> Rule:
    """Returns the rule of a space: that in the file `path`, else that of the package.

    Raises:
        UsageError: no such space, or a file that holds none of its rules.
    """
    if space not in RULES:
        raise UsageError(f"There are rules for {' and '.join(RULES)}, got --space {space}; take one of them.")
    path = FOLDER / f"{space}.json" if path is None else path
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        if (of := held.pop("space")) != space:
            raise UsageError(f"The rule {path} is for {of}, got --space {space}; give one of the two.")
        if "weights" in held:
            held["weights"] = tuple(held["weights"])
        rule = RULES[space](**held)
        _check(rule)
        return rule
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(
            f"A rule must be a file that choose-score wrote, got {path} ({describe(error)}); give that file."
        ) from error


def _check(rule: Rule) -> None:
    """Checks what a file says of a rule.

    Raises:
        ValueError: it is not what `choose-score` writes.
    """
    if not isinstance(rule.chosen, dict):
        raise ValueError("chosen must hold on what the rule was chosen")
    if isinstance(rule, SizeRule):
        numbers = (*rule.weights, rule.classes)
        if len(rule.weights) != WIDTHS or not all(map(_is_weight, numbers)):
            raise ValueError(
                f"weights must be {WIDTHS} numbers and classes one, from -{LARGEST:,} to {LARGEST:,}"
            )
        if type(rule.fewer) is not int or rule.fewer not in (0, 1):
            raise ValueError("fewer must be 0 or 1")
        return
    if not isinstance(rule.fitness, str) or rule.kind not in KINDS or "" in rule.names:
        raise ValueError("fitness must be a score, or rank_sum: or log_rank_sum: and scores")
    if not isinstance(rule.nets, dict) or {*rule.nets} != {"channels", "cells"}:
        raise ValueError("nets must have channels and cells")
    if not isinstance(rule.marks, dict):
        raise ValueError("marks must be lists by image size and score")
    for size, own in rule.marks.items():
        for name in () if rule.kind == SINGLE else rule.names:
            marks = own.get(name)
            if not isinstance(marks, list) or not marks or not all(map(_is_finite, marks)):
                raise ValueError(f"marks of {name} for images of {size} pixels must be finite numbers")


def _is_finite(value: object) -> bool:
    return type(value) in (int, float) and abs(value) <= GREATEST  # type: ignore[arg-type]


def _is_weight(value: object) -> bool:
    return _is_finite(value) and abs(value) <= LARGEST  # type: ignore[arg-type]
