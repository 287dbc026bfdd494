"""Which rows of a table cannot be true, and why: from single values to all of a row together."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from nas_ray.reproduce.audit.claims import TEST, VALID, Claim, Line, Measure
from nas_ray.reproduce.audit.reachable import largest_deviation, possible

IMPOSSIBLE: Final = "impossible"
REPEATED: Final = "repeated"
DOUBTFUL: Final = "doubtful"
NOTE: Final = "note"
FINE: Final = "possible"
BLAMED: Final = (IMPOSSIBLE, REPEATED)
"""Verdicts on rows that cannot be true, or not theirs."""
_FEWEST_EQUAL: Final = 3
"""Numbers of a row that equal those of another one by more than chance."""

Known = Mapping[Measure, np.ndarray]


@dataclass(frozen=True)
class Finding:
    """What is said of a row.

    Attributes:
        line: the row.
        verdict: one of the words above.
        reason: a sentence.
    """

    line: Line
    verdict: str
    reason: str


def judged(lines: Sequence[Line], known: Known, slack: float = 0.0) -> list[Finding]:
    """Returns a finding or more for every row, in the order of the rows."""
    found = []
    for place, line in enumerate(lines):
        own = [*_of_values(line, known, slack), *_of_copies(line, lines[:place], known, slack)]
        found += own or [Finding(line, FINE, "")]
        found += _notes(line, known)
    return found


def _of_values(line: Line, known: Known, slack: float) -> list[Finding]:
    """Returns why the values of a row cannot be; the more of them are taken together, the later."""
    reasons = [
        why
        for measure, claim in line.claims.items()
        if (why := _alone(measure, claim, line, known, slack)) is not None
    ] or [
        why
        for dataset in dict.fromkeys(measure.dataset for measure in line.claims)
        if (why := _on_dataset(dataset, line, known, slack)) is not None
    ]
    if not reasons:
        return list(_over_datasets(line, known, slack))
    reasons[-1] += _swapped(line, known, slack)
    return [Finding(line, IMPOSSIBLE, why) for why in reasons]


def _alone(measure: Measure, claim: Claim, line: Line, known: Known, slack: float) -> str | None:
    """Returns why one value cannot be; None if it can."""
    values = known[measure]
    room = claim.rounding + slack
    for limit, beyond, word in (
        (values.max(), claim.mean - room > values.max(), "above the best"),
        (values.min(), claim.mean + room < values.min(), "below the worst"),
    ):
        if beyond:
            return (
                f"{measure}: {claim} is {word} of all {len(values):,} archs, {limit:.2f}"
                f"{_instead(measure, claim, known, slack)}."
            )
    if claim.deviation is None:
        return None
    largest = largest_deviation(claim, values, line.runs, slack)
    if claim.deviation - claim.deviation_rounding - slack > largest:
        runs = f"of {line.runs:,} runs " if line.runs else ""
        return (
            f"{measure}: {claim} has too large a deviation; a mean {runs}so near to {_end(claim, values)} "
            f"leaves {largest:.2f} at most."
        )
    if possible({measure: claim}, known, line.runs, slack):
        return None
    nearest = values[np.abs(values - claim.mean).argmin()]
    return f"{measure}: no archs have {claim}; the nearest accuracy of one is {nearest:.2f}."


def _end(claim: Claim, values: np.ndarray) -> str:
    """Returns in words which end of all accuracies is the nearer one."""
    best, worst = float(values.max()), float(values.min())
    return (
        f"the best arch, {best:.2f},"
        if best - claim.mean < claim.mean - worst
        else f"the worst, {worst:.2f},"
    )


def _instead(measure: Measure, claim: Claim, known: Known, slack: float) -> str:
    """Returns in words which other accuracy of the dataset a value may be."""
    others = [
        str(other)
        for other in known
        if other.dataset == measure.dataset
        and other != measure
        and possible({other: claim}, known, None, slack)
    ]
    return f", and may be {' or '.join(others)}" if others else ""


def _on_dataset(dataset: str, line: Line, known: Known, slack: float) -> str | None:
    """Returns why the values of one dataset cannot be together; None if they can."""
    claims = {measure: claim for measure, claim in line.claims.items() if measure.dataset == dataset}
    if len(claims) < 2 or possible(claims, known, line.runs, slack):
        return None
    return f"no archs have these together: {_listed(claims)}."


def _listed(claims: Mapping[Measure, Claim]) -> str:
    return ", ".join(f"{measure} {claim}" for measure, claim in claims.items())


def _swapped(line: Line, known: Known, slack: float) -> str:
    """Returns a sentence about two values that would be possible if they changed places."""
    for one, other in itertools.combinations(line.claims, 2):
        changed = {**line.claims, one: line.claims[other], other: line.claims[one]}
        near = one.dataset == other.dataset or one.split == other.split
        if near and possible(changed, known, line.runs, slack):
            return f" {one} and {other} may have changed places."
    return ""


def _over_datasets(line: Line, known: Known, slack: float) -> Iterator[Finding]:
    """Yields why the values of all datasets cannot be those of one search."""
    datasets = dict.fromkeys(measure.dataset for measure in line.claims)
    if line.searched == "each" or len(datasets) < 2 or possible(line.claims, known, line.runs, slack):
        return
    words = f"no archs have all of these: {_listed(line.claims)}."
    if line.searched == "once":
        yield Finding(line, IMPOSSIBLE, words + _swapped(line, known, slack))
    else:
        yield Finding(
            line,
            DOUBTFUL,
            f"{words} They can only come from a search on each dataset by itself; say which it was.",
        )


def _of_copies(line: Line, before: Sequence[Line], known: Known, slack: float) -> list[Finding]:
    """Returns of which row a row is a copy; rows of one and the same arch may well be equal."""
    for other in before:
        equal = [measure for measure, claim in line.claims.items() if other.claims.get(measure) == claim]
        numbers = sum(
            1 + bool(line.claims[measure].deviation) for measure in equal
        )  # a deviation of 0 says nothing new
        if numbers < _FEWEST_EQUAL or _one_arch(line, equal, known, slack):
            continue
        what = "all of its values" if len(equal) == len(line.claims) else ", ".join(map(str, equal))
        return [
            Finding(line, REPEATED, f"{what} are those of row {other.number} ({other.name}), to every digit.")
        ]
    return []


def _one_arch(line: Line, measures: Sequence[Measure], known: Known, slack: float) -> bool:
    """Returns whether values without deviation are those of one arch."""
    fits = np.ones(len(next(iter(known.values()))), bool)
    for measure in measures:
        claim = line.claims[measure]
        if claim.deviation:
            return False
        fits &= np.abs(known[measure] - claim.mean) <= claim.rounding + slack + 1e-9
    return bool(fits.any())


def _notes(line: Line, known: Known) -> Iterator[Finding]:
    """Yields what is possible, but not by choosing archs by validation accuracy on the dataset itself."""
    for measure, claim in line.claims.items():
        chosen_by = Measure(measure.dataset, VALID, measure.epochs)
        if measure.split != TEST or chosen_by not in known:
            continue
        best = float(known[measure][known[chosen_by].argmax()])
        if best + claim.rounding < claim.mean <= float(known[measure].max()) + claim.rounding:
            yield Finding(
                line,
                NOTE,
                f"{measure}: {claim} is above {best:.2f}, the accuracy of the arch that is best by "
                "validation accuracy; who chooses by that does not end higher but by luck.",
            )
