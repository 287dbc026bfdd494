"""What the scores of archs say: whether larger is better, and what the number of parameters says as well."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np

from nas_ray.correlate.check_proxy.subject import DOUBT, FAULT, FINE, NOTE, UNKNOWN, Finding, Subject, ranked
from nas_ray.report.correlation import interval, spearman
from nas_ray.report.same_size import partial
from nas_ray.terminal.text import counted

CONFIDENCE: Final = 0.95
EXPLAINED: Final = 0.9
"""Share of the variance of ranks above which parameters are all that a score tells: a tenth is its own."""


def direction(subject: Subject) -> Iterator[Finding]:
    """Whether a larger score is a better arch."""
    if subject.constant:
        return
    values = ranked(subject.scores(subject.archs))
    if subject.accuracy is None:
        yield _direction_of_counts(subject, values)
        return
    rho, low, high = _correlation(subject, values, subject.accuracy)
    figures = f"{rho:+.2f} (95 % of draws: {low:+.2f} to {high:+.2f})"
    known = f"Rank correlation with accuracy over {counted(len(values), 'arch')}: {figures}."
    if high < 0:
        said = "Reversed: a larger score is a worse arch, and a search finds the worst; return its negative."
        yield Finding("direction", FAULT, f"{said} {known}", rho)
    elif low > 0:
        yield Finding("direction", FINE, f"Larger is better. {known}", rho)
    else:
        said = "Not to be told from these archs, as the interval holds 0; --num-archs 100 tells more."
        yield Finding("direction", DOUBT, f"{known} {said}", rho)


def _direction_of_counts(subject: Subject, values: np.ndarray) -> Finding:
    params = _params(subject)
    rho = math.nan if params is None else spearman(values, params)
    beside = "" if math.isnan(rho) else f" Its rank correlation with the number of parameters is {rho:+.2f}."
    said = f"Unknown, as no accuracy of these archs is known ({subject.source}).{beside}"
    return Finding("direction", UNKNOWN, said, rho)


def size(subject: Subject) -> Iterator[Finding]:
    """Whether it is the number of parameters in disguise."""
    params = _params(subject)
    if subject.constant:
        return
    if params is None or np.ptp(params) == 0:
        yield Finding("size", NOTE, "All archs have the same number of parameters, so size decides nothing.")
        return
    values = ranked(subject.scores(subject.archs))
    rho = spearman(values, params)
    live = _live_ops(subject)
    beside = "" if live is None else f", with live operations {spearman(values, live):+.2f}"
    low, own = _beyond(subject, values, params)
    figures = f"Rank correlation with parameters {rho:+.2f}{beside}{own}."
    if subject.counts:
        yield Finding("size", NOTE, f"It is a count of the arch, and its name says so. {figures}", rho)
    elif rho**2 >= EXPLAINED and low > 0:
        said = f"{rho**2:.0%} of the variance of its ranks is that of parameters, and it says more besides."
        yield Finding("size", NOTE, f"{said} {figures}", rho)
    elif rho**2 >= EXPLAINED:
        known = subject.accuracy is not None
        said = (
            f"A parameter count in disguise: {rho**2:.0%} of the variance of its ranks is that of parameters"
        )
        said += ", and of accuracy it tells nothing that they do not." if known else "."
        yield Finding("size", FAULT if known else DOUBT, f"{said} {figures}", rho)
    else:
        yield Finding("size", FINE, figures, rho)


def _beyond(subject: Subject, values: np.ndarray, params: np.ndarray) -> tuple[float, str]:
    """Returns the lower end of the partial correlation with accuracy given parameters, and all in words."""
    if subject.accuracy is None:
        return math.nan, ""
    beyond = partial(values, subject.accuracy, params)
    if math.isnan(beyond):
        return math.nan, "; given parameters nothing is left of it"
    low, high = interval(
        values, subject.accuracy, partial, subject.resamples, CONFIDENCE, subject.seed, params
    )
    return low, f"; with accuracy given parameters {beyond:+.2f} ({low:+.2f} to {high:+.2f})"


def _correlation(subject: Subject, values: np.ndarray, truth: np.ndarray) -> tuple[float, float, float]:
    return (
        spearman(values, truth),
        *interval(values, truth, spearman, subject.resamples, CONFIDENCE, subject.seed),
    )


def _params(subject: Subject) -> np.ndarray | None:
    known = [facts.params for arch in subject.archs if (facts := subject.facts(arch))]
    return np.array(known, float) if len(known) == len(subject.archs) else None


def _live_ops(subject: Subject) -> np.ndarray | None:
    known = [facts.live_ops for arch in subject.archs if (facts := subject.facts(arch))]
    if len(known) < len(subject.archs) or None in known or len(set(known)) < 2:
        return None
    return np.array(known, float)


CHECKS: Sequence[Callable[[Subject], Iterator[Finding]]] = (direction, size)
