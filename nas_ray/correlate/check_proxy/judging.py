"""From answers to findings, worst first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from nas_ray.correlate.check_proxy import behaviour, conduct, figures, luck, numbers
from nas_ray.correlate.check_proxy.args import CheckProxyArgs
from nas_ray.correlate.check_proxy.known import Known
from nas_ray.correlate.check_proxy.pieces import FEWEST, Answer, Piece
from nas_ray.correlate.check_proxy.subject import FAULT, WORST_FIRST, Finding, Subject
from nas_ray.correlate.check_proxy.world import World
from nas_ray.errors import UsageError
from nas_ray.proxies import PROXIES
from nas_ray.proxies.needs import needs_of
from nas_ray.report.correlation import BASELINES

COUNTS: Final = (*BASELINES, "skip")
"""Built-in proxies that are counts of the arch, as their names say."""
GRAVITY: Final = (
    *("scores", "constant", "direction", "size", "random state", "order of images", "overflow"),
    *("dead branches", "side effects", "initialisations", "minibatches", "precision", "nothing to see"),
    *("batched form", "scale", "cost"),
)
"""The checks, those first whose faults mislead a search most."""
CHECKS: Final = (*behaviour.CHECKS, *conduct.CHECKS, *figures.CHECKS, *luck.CHECKS, *numbers.CHECKS)


def subjects_of(
    args: CheckProxyArgs, world: World, known: Known, answers: Mapping[Piece, Answer]
) -> list[Subject]:
    """Returns what is judged: a subject for each column of the proxy's scores."""
    columns = dict.fromkeys(column for answer in answers.values() for column in answer.values)
    return [
        Subject(
            name=world.name,
            column=column,
            archs=known.archs,
            apart=known.apart,
            batch=args.batch_size,
            train_images=len(world.images.train_images),
            answers=answers,
            accuracy=known.accuracy,
            source=known.source,
            counts=world.name in COUNTS and PROXIES[world.name] is world.proxy,
            parts=needs_of(world.proxy).parts,
            resamples=args.resamples,
            seed=args.seed,
        )
        for column in columns
    ]


def judged(subject: Subject) -> list[Finding]:
    """Returns what all checks say of a column, worst first."""
    found = [finding for check in CHECKS for finding in check(subject)]
    return sorted(found, key=lambda one: (WORST_FIRST.index(one.verdict), GRAVITY.index(one.check)))


def has_fault(found: Sequence[Finding]) -> bool:
    """Returns whether anything found is a fault."""
    return any(finding.verdict == FAULT for finding in found)


def check_usable(world: World, answers: Mapping[Piece, Answer], archs: Sequence[str]) -> None:
    """Checks that a proxy gave at least one score.

    Args:
        world: with the proxy.
        answers: to the first calls.
        archs: of these calls.

    Raises:
        UsageError: it gave none, in the words of the first that failed.
    """
    there = [answers[piece] for arch in archs[:FEWEST] if (piece := Piece(arch, facts=True)) in answers]
    scores = [value for one in there for value in one.values.values()]
    if any(not math.isnan(value) for value in scores) or not there:
        return
    first = next((one for one in there if one.ended or one.error), None)
    if first is None:
        why = "its scores are NaN"
    elif first.ended:
        why = f"a call {first.ended}"
    else:
        why = f"a call gave {first.error}"
    raise UsageError(
        f"The proxy {world.name!r} must score at least one of {len(there)} archs, as a function of a net, "
        f"images [B, 3, H, W] and labels [B], but {why}; mend it, or choose another --space or --images."
    )
