"""What a proxy gives for ordinary nets, for broken ones, and for images in which there is nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from nas_ray.correlate.check_proxy.pieces import (
    DEGENERATE,
    EQUAL,
    ONE_CLASS,
    PAIR,
    ZEROS,
    Answer,
    first,
    sizes,
)
from nas_ray.correlate.check_proxy.subject import (
    DOUBT,
    FAULT,
    FINE,
    NOTE,
    Finding,
    Subject,
    is_constant,
)
from nas_ray.terminal.text import counted

HALF = 0.5
WORDS = {
    EQUAL: "images that are all equal",
    ZEROS: "images of zeros",
    ONE_CLASS: "images of one class",
}


def scores(subject: Subject) -> Iterator[Finding]:
    """Whether ordinary nets have finite scores."""
    healthy = [arch for arch in subject.archs if not _is_dead(subject, arch)]
    if not healthy:
        healthy = list(subject.archs)
    answers = [subject.main(arch) for arch in healthy]
    values = subject.scores(healthy)
    broken = [one for one in answers if one is not None and one.ended]
    raised = [one for one in answers if one is not None and one.error is not None]
    count = f"of {counted(len(healthy), 'arch')}"
    if broken:
        yield Finding("scores", FAULT, f"The call {broken[0].ended}, for {len(broken)} {count}.", len(broken))
    infinite = [arch for arch in subject.archs if subject.score(arch) == math.inf]
    if infinite:
        yield Finding(
            "scores",
            FAULT,
            f"{len(infinite)} of {counted(len(subject.archs), 'arch')} score plus infinity, and would win "
            f"every search: {infinite[0]}.",
            len(infinite),
        )
    undefined = sum(
        answer is not None and answer.error is None and (math.isnan(value) or value == -math.inf)
        for answer, value in zip(answers, values, strict=True)
    )
    if undefined:
        yield Finding(
            "scores", FAULT, f"{undefined} {count} without a dead weight are NaN or -inf.", undefined
        )
    if raised:
        named = all(one.named for one in raised)
        yield Finding(
            "scores",
            DOUBT,
            f"{len(raised)} {count} are {'refused' if named else 'errors that do not name it'}: "
            f"{raised[0].error}.",
            len(raised),
        )
    if not (broken or infinite or undefined or raised):
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        yield Finding(
            "scores",
            FINE,
            f"All {counted(len(healthy), 'arch')} without dead weights score {low:.4g} to {high:.4g}.",
        )


def dead_branches(subject: Subject) -> Iterator[Finding]:
    """Whether a part of a net without effect, as a `none` in a cell, spoils its score."""
    dead = [arch for arch in subject.archs if _is_dead(subject, arch) and _has_path(subject, arch)]
    answers = [(subject.main(arch), "") for arch in dead]
    answers += [(subject.one(arch, branch=True), " with a branch of no effect") for arch in subject.fewest]
    apart = [arch for arch in (*subject.apart, *subject.archs) if not _has_path(subject, arch)]
    lone = [one for one in (subject.main(arch) for arch in apart) if one is not None]
    there = [(one, what) for one, what in answers if one is not None and not one.ended]
    spoiled = [(one, what) for one, what in there if _is_undefined(subject, one)]
    unnamed = [(one, what) for one, what in [*there, *((one, "") for one in lone)] if _is_unnamed(one)]
    if spoiled:
        value = spoiled[0][0].values[subject.column]
        yield Finding(
            "dead branches",
            FAULT,
            f"{len(spoiled)} of {len(there)} nets with weights of no effect score {value:g}, though their "
            "outputs depend on the images; leave out weights without a gradient, and do not divide by it.",
            len(spoiled),
        )
    if unnamed:
        own = [one for one, what in unnamed if not what]
        error, what = unnamed[0]
        yield Finding(
            "dead branches",
            FAULT if own else DOUBT,
            f"{len(unnamed)} of {len(there) + len(lone)} nets with dead parts raise an error that does not "
            f"name the proxy{what}: {error.error}.",
            len(unnamed),
        )
    if not spoiled and not unnamed and there:
        said = sorted({_in_words(subject, one) for one in lone})
        more = f" A net without a path from images to outputs: {', '.join(said)}." if said else ""
        yield Finding(
            "dead branches", FINE, f"{len(there)} nets with dead parts have scores or are refused.{more}"
        )


def degenerate(subject: Subject) -> Iterator[Finding]:
    """What it gives for images and nets that hold nothing."""
    scores = subject.scores(subject.archs)
    best = max(scores[np.isfinite(scores)], default=math.inf)
    fine = []
    asked: list[tuple[dict[str, Any], str]] = [
        *(({"images": kind}, WORDS[kind]) for kind in DEGENERATE),
        ({"zeroed": True}, "weights of zero"),
    ]
    for how, words in asked:
        there = [one for arch in subject.fewest if (one := subject.one(arch, **how)) and not one.ended]
        values = np.array([one.values.get(subject.column, math.nan) for one in there])
        unnamed = [one for one in there if one.error is not None and not one.named]
        if (values == math.inf).any():
            yield Finding(
                "nothing to see", FAULT, f"For {words} it is plus infinity, the best of all scores."
            )
        elif "zeroed" in how and (values > best).any():
            yield Finding(
                "nothing to see",
                FAULT,
                f"A net whose weights are all zero scores {np.nanmax(values):.4g}, above the best of "
                f"{counted(len(subject.archs), 'arch')}, {best:.4g}.",
            )
        elif unnamed:
            said = f"For {words} it raises an error that does not name it: {unnamed[0].error}."
            yield Finding("nothing to see", DOUBT, said)
        elif there:
            fine.append(f"{words}: {_in_words(subject, there[0])}")
    if fine:
        yield Finding("nothing to see", FINE, f"{'; '.join(fine)}.")


def batch_sizes(subject: Subject) -> Iterator[Finding]:
    """Whether archs are told apart, at any number of images."""
    whole = subject.scores(subject.archs)
    if is_constant(whole):
        value = whole[np.isfinite(whole)][0]
        said = f"All {counted(len(whole), 'arch')} score {value:.6g}: it says nothing of archs here."
        yield Finding("constant", FAULT, said, 1.0)
    found = []
    for size in sizes(subject.batch):
        values = subject.scores(subject.few, images=first(size))
        if is_constant(values) and not is_constant(subject.scores(subject.few)):
            value = values[np.isfinite(values)][0]
            found.append(f"{value:.6g} with {size} images")
    if found:
        yield Finding(
            "constant",
            FAULT,
            f"All of {counted(len(subject.few), 'arch')} score the same on small minibatches: "
            f"{', '.join(found)}.",
        )
    pair = [one for arch in subject.few if (one := subject.one(arch, images=first(PAIR))) and not one.ended]
    refused = [one for one in pair if one.error is not None]
    if refused:
        named = all(one.named for one in refused)
        what = "are refused" if named else "raise an error that does not name it"
        said = f"{PAIR} images {what}: {refused[0].error}."
        yield Finding("constant", NOTE if named else DOUBT, said)
    known = whole[np.isfinite(whole)]
    if len(known) and not is_constant(whole):
        share = np.unique(known, return_counts=True)[1].max() / len(known)
        words = (
            f"{share:.0%} of the archs share one score, and {len(np.unique(known))} of {len(known)} differ"
        )
        many = share > HALF
        if many or not found:
            why = "; more than half cannot be told apart" if many else ""
            yield Finding("constant", DOUBT if many else FINE, f"{words}{why}.", float(share))


def _is_dead(subject: Subject, arch: str) -> bool:
    facts = subject.facts(arch)
    return facts is not None and (facts.dead or not facts.path)


def _has_path(subject: Subject, arch: str) -> bool:
    facts = subject.facts(arch)
    return facts is None or facts.path


def _is_unnamed(answer: Answer) -> bool:
    return answer.error is not None and not answer.named


def _is_undefined(subject: Subject, answer: Answer) -> bool:
    return answer.error is None and not math.isfinite(answer.values.get(subject.column, math.nan))


def _in_words(subject: Subject, answer: Answer) -> str:
    if answer.error is not None:
        return "refused"
    value = answer.values.get(subject.column, math.nan)
    return f"{value:.4g}" if math.isfinite(value) else str(value)


CHECKS: Sequence[Callable[[Subject], Iterator[Finding]]] = (batch_sizes, dead_branches, scores, degenerate)
