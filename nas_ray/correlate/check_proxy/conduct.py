"""What a proxy does to others: global random states, nets, images, settings, processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from nas_ray.correlate.check_proxy.subject import DOUBT, FAULT, FINE, ROUNDING, Finding, Subject, differences


def repeated(subject: Subject) -> Iterator[Finding]:
    """Whether equal nets have equal scores, whatever the global random state is."""
    main = subject.scores(subject.fewest)
    again, drawn = (subject.scores(subject.fewest, **{how: 1}) for how in ("again", "draws"))
    off = differences(main, again)
    if (off > ROUNDING).any():
        place = int(np.argmax(off))
        yield Finding(
            "random state",
            FAULT,
            f"The same net on the same images scores {main[place]:.6g} and then {again[place]:.6g}; it must "
            "be deterministic.",
            float(off.max()),
        )
    elif (differences(main, drawn) > ROUNDING).any():
        place = int(np.argmax(differences(main, drawn)))
        yield Finding(
            "random state",
            FAULT,
            f"It draws from a global random state: {main[place]:.6g} with one seed and {drawn[place]:.6g} "
            "with another; take a generator of its own, such as torch.Generator().manual_seed(0).",
            float(differences(main, drawn).max()),
        )
    changed = sorted({name for _, answer in subject.made() for name in answer.random})
    if changed:
        said = f"It changes {' and '.join(changed)}, from which others draw; take a generator of its own."
        yield Finding("random state", FAULT, said)
    if not changed and not (differences(main, drawn) > ROUNDING).any() and not (off > ROUNDING).any():
        yield Finding("random state", FINE, "It neither uses nor changes a global random state.")


def side_effects(subject: Subject) -> Iterator[Finding]:
    """Whether net, images, labels and settings are as they were."""
    answers = [answer for _, answer in subject.made()]
    settings = sorted({name for answer in answers for name in answer.settings})
    if any(answer.batch for answer in answers):
        said = (
            "It changes the images or labels that it is given, or leaves a gradient there; work on a clone."
        )
        yield Finding("side effects", FAULT, said)
    if settings:
        yield Finding("side effects", FAULT, f"It changes {' and '.join(settings)}; put it back.")
    net = sorted({name for answer in answers for name in answer.net})
    if net:
        yield Finding(
            "side effects",
            DOUBT,
            f"It changes the net: {', '.join(net)}. Foreign proxies get copies here; elsewhere the next one "
            "would see it.",
        )
    if not (net or settings or any(answer.batch for answer in answers)):
        yield Finding(
            "side effects", FINE, "Net, images, labels and settings of the process are left as they were."
        )


def endings(subject: Subject) -> Iterator[Finding]:
    """Whether every call came back."""
    ended = [(piece, answer) for piece, answer in subject.answers.items() if answer.ended]
    if ended:
        piece, answer = ended[0]
        said = f"A call {answer.ended}: images {piece.images}, arch {piece.arch}; and {len(ended) - 1} more."
        yield Finding("scores", FAULT, said, len(ended))


CHECKS: Sequence[Callable[[Subject], Iterator[Finding]]] = (endings, repeated, side_effects)
