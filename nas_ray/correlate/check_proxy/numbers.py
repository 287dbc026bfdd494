"""The numbers themselves, and what they take: range, whole numbers that wrap round, time, batched form."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
import torch

from nas_ray.correlate.check_proxy.pieces import first, sizes
from nas_ray.correlate.check_proxy.subject import DOUBT, FAULT, FINE, NOTE, ROUNDING, Finding, Subject

PASSES: Final = 3
"""Forward passes that a step of training takes as long as: one, and a backward pass of twice its work."""
STEEP: Final = 1.5
"""Exponent of the batch size that is nearer to its square than to itself."""
LEAST_S: Final = 0.01
"""Seconds below which a time says nothing of how it grows."""
NARROW: Final = ("int8", "uint8", "int16", "int32", "uint16", "uint32")
WIDTHS: Final = (16, 32, 64)
"""Bits of whole numbers."""
MAGNITUDES: Final = 7
"""Decimal digits of float32: over more powers of ten the smallest score is lost beside the largest."""


def scale(subject: Subject) -> Iterator[Finding]:
    """Whether the numbers themselves hold: whole ones that wrap round, or that no float32 holds."""
    values = subject.scores(subject.archs)
    known = values[np.isfinite(values)]
    told = [answer.overflow for _, answer in subject.made() if answer.overflow]
    if told:
        yield Finding(
            "overflow", FAULT, f"Whole numbers leave their range: {told[0]}; count in floats.", len(told)
        )
    elif bits := wrapped(known):
        said = (
            f"Scores are whole, of both signs and spread over all that {bits} bits hold "
            f"({known.min():,.0f} to {known.max():,.0f}), as a count that left its range; count in floats."
        )
        yield Finding("overflow", FAULT, said, bits)
    kind = next((answer.kind for _, answer in subject.made() if answer.kind), "")
    narrow = kind.rpartition(".")[2]
    if narrow in NARROW and not told:
        most = torch.iinfo(getattr(torch, narrow)).max
        reached = f"largest score {np.abs(known).max(initial=0):,.0f}"
        said = f"It returns {kind}, which holds up to {most:,} ({reached}); use a float."
        yield Finding("overflow", DOUBT, said)
    if not len(known):
        return
    largest, positive = float(np.abs(known).max()), np.abs(known[known != 0])
    spread = math.log10(largest / positive.min()) if len(positive) else 0.0
    words = f"Scores lie from {known.min():.4g} to {known.max():.4g}"
    if largest > torch.finfo(torch.float32).max:
        yield Finding("scale", NOTE, f"{words}, beyond what float32 holds; keep them in float64.", largest)
    elif spread > MAGNITUDES:
        said = (
            f"{words}, over {spread:.0f} powers of ten: in a sum the largest decide; combine them by ranks."
        )
        yield Finding("scale", NOTE, said, spread)
    else:
        yield Finding("scale", FINE, f"{words}.", spread)


def wrapped(values: np.ndarray) -> int | None:
    """Returns the bits of whole numbers whose range such scores fill with both signs; None if they do not."""
    if len(values) < 3 or (values != np.trunc(values)).any() or values.min() >= 0 or values.max() <= 0:
        return None
    least = min(-values.min(), values.max())  # each sign reaches a quarter of what the type holds
    most = np.abs(values).max()
    return next((bits for bits in WIDTHS if most <= 2.0 ** (bits - 1) and least >= 2.0 ** (bits - 3)), None)


def cost(subject: Subject) -> Iterator[Finding]:
    """What a score takes, beside a forward pass."""
    known = [
        (one.seconds, one.facts.forward_s)
        for arch in subject.archs
        if (one := subject.main(arch)) and one.facts and one.error is None and not one.ended
    ]
    if not known:
        return
    seconds = float(np.median([one for one, _ in known]))
    passes = float(np.median([one / forward for one, forward in known]))
    epoch = PASSES * subject.train_images / subject.batch
    words = (
        f"A score takes {seconds:.2g} s, as {passes:.2g} forward passes of its minibatch{_growth(subject)}."
    )
    if passes > epoch:
        said = f"An epoch of training takes as long as {epoch:,.0f} passes, so it is no cheap score."
        yield Finding("cost", DOUBT, f"{words} {said}", passes)
    else:
        yield Finding("cost", FINE, words, passes)


def _growth(subject: Subject) -> str:
    """Returns in words how the time grows with the minibatch."""
    small, large = sizes(subject.batch)[-1], subject.batch
    times = [
        (one.seconds, whole.seconds)
        for arch in subject.few
        if (one := subject.one(arch, images=first(small))) and (whole := subject.main(arch))
        if one.error is None and whole.error is None and not one.ended and not whole.ended
    ]
    if not times or min(min(pair) for pair in times) < LEAST_S:
        return ""
    slope = float(np.median([math.log(whole / one) for one, whole in times])) / math.log(large / small)
    steep = ", more than the images do" if slope > STEEP else ""
    return f"; {2**slope:.1f} times that for twice the images{steep}"


def batched(subject: Subject) -> Iterator[Finding]:
    """Whether the batched form equals the plain one."""
    wrong = [one.wrong for _, one in subject.made() if one.wrong is not None]
    if not wrong:
        return
    if max(wrong) > ROUNDING:
        said = f"On the supernet it differs from the plain net by {max(wrong):.2g} of a score, in float64."
        yield Finding("batched form", FAULT, said, max(wrong))
    else:
        said = f"On the supernet it equals the plain net to {max(wrong):.1g} of a score, in float64."
        yield Finding("batched form", FINE, said, max(wrong))


CHECKS: Sequence[Callable[[Subject], Iterator[Finding]]] = (scale, cost, batched)
