"""What searchers and filters need of a space beyond drawing from it, or the sentence that it is not there.

Who needs something asks for it here when it is made, so that a run that cannot work does not start. What a
space may have or not, such as a label, has its answer without it here as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from nas_ray.errors import UsageError
from nas_ray.rows import shown
from nas_ray.spaces.base import (
    CellSpace,
    DecisionSpace,
    IndexedSpace,
    LabelledSpace,
    LayeredSpace,
    Neighborhood,
    RankedSpace,
    RecombiningSpace,
    SequenceSpace,
    StemmedSpace,
    lacking,
    questions,
)
from nas_ray.spaces.by_rank import RankedSequences
from nas_ray.spaces.product import Product
from nas_ray.spaces.sequences import as_sequence, sequence_children
from nas_ray.spaces.setting_kinds import Choice
from nas_ray.spaces.settings import written
from nas_ray.spaces.wrapping import innermost

if TYPE_CHECKING:
    import numpy as np

    from nas_ray.spaces.base import SearchSpace


def neighborhood(space: SearchSpace, user: str, rng: np.random.Generator) -> Callable[[str], list[str]]:
    """Returns the function from an arch to the archs one mutation away.

    They are the `neighbors` of the space, or else the children by one decision of a sequence
    (`sequence_children`) or of a space with a fixed number of decisions.

    Args:
        space: any space.
        user: who needs them, for the message.
        rng: where what follows a changed decision of a sequence is drawn from.

    Raises:
        UsageError: it has neither.
    """
    if not lacking(space, Neighborhood):
        return cast(Neighborhood, space).neighbors
    sequence = as_sequence(space)
    if sequence is None:
        raise _refusal(space, user, Neighborhood, " or the methods of a SequenceSpace or DecisionSpace")
    return partial(sequence_children, sequence, rng=rng)


def sequence_space(space: SearchSpace, user: str) -> SequenceSpace:
    """Returns `space` as sequences of decisions; those of a `DecisionSpace` have one length.

    Raises:
        UsageError: its archs are no sequences.
    """
    sequence = as_sequence(space)
    if sequence is None:
        raise _no_sequences(space, user)
    return sequence


def decision_space(space: SearchSpace, user: str) -> DecisionSpace:
    """Returns `space`, known to have decisions.

    Args:
        space: any space.
        user: who needs them, for the message.

    Raises:
        UsageError: it has none.
    """
    if lacking(space, DecisionSpace):
        raise _no_decisions(space, user)
    decided = cast(DecisionSpace, space)
    choices = decided.choices()
    if not choices or not all(choices):
        raise UsageError(
            f"{user} needs a space whose choices() name at least one decision, each with an option or more, "
            f"got {shown(choices)} of {type(innermost(space)).__name__}."
        )
    return decided


def cell_space(space: SearchSpace, user: str) -> CellSpace:
    """Returns `space`, known to be a cell space.

    Raises:
        UsageError: it is none.
    """
    cells: CellSpace = _answering(space, user, CellSpace)
    return cells


def layered_space(space: SearchSpace, user: str) -> LayeredSpace:
    """Returns `space`, known to tell archs of one depth apart.

    Raises:
        UsageError: it does not.
    """
    layered: LayeredSpace = _answering(space, user, LayeredSpace)
    return layered


def _answering(space: SearchSpace, user: str, protocol: type) -> Any:
    """Returns `space`, known to answer what `protocol` asks.

    Raises:
        UsageError: it does not.
    """
    if lacking(space, protocol):
        raise _refusal(space, user, protocol)
    return space


def _no_sequences(space: SearchSpace, user: str) -> UsageError:
    """Returns the refusal of a space without sequences: for a range beside its archs, one of ours, or any."""
    ours = _refusal_of_ours(
        space, user, "are made of decisions", lambda archs: as_sequence(archs) is not None
    )
    return ours or _refusal(space, user, SequenceSpace, " or the methods of a DecisionSpace")


def _no_decisions(space: SearchSpace, user: str) -> UsageError:
    """Returns the refusal of a space without a fixed number of decisions, likewise."""
    what = "are a fixed number of decisions"
    ours = _refusal_of_ours(space, user, what, lambda archs: not lacking(archs, DecisionSpace))
    return ours or _refusal(space, user, DecisionSpace)


def _refusal_of_ours(
    space: SearchSpace, user: str, what: str, fits: Callable[[SearchSpace], bool]
) -> UsageError | None:
    """Returns the refusal of a space that nobody can add methods to; None of one of a user.

    Args:
        space: that is refused.
        user: who refuses it.
        what: the archs of a space that it takes do.
        fits: whether it takes a space, for archs beside which only a range is too much.
    """
    inner = innermost(space)
    archs = inner.space if isinstance(inner, Product) else inner
    if isinstance(inner, Product) and fits(archs):
        ranges = {name: kind for name, kind in inner.settings.items() if not isinstance(kind, Choice)}
        return UsageError(
            f"{user} needs settings that are choices, such as {next(iter(ranges))}=0.1/0.01, got the range "
            f"{written(ranges)}; list its values, or search with rea, which takes ranges."
        )
    if type(archs).__module__.startswith("nas_ray."):
        others = "rea, local_search or random_search"
        if lacking(space, Neighborhood):
            others = "rea or random_search" if recombining(space) else "random_search"
        return UsageError(
            f"{user} needs a space whose archs {what}, such as nats-tss, got {type(archs).__name__}; search "
            f"it with {others}."
        )
    return None


def _refusal(space: SearchSpace, user: str, protocol: type, instead: str = "") -> UsageError:
    names, missing = questions(protocol), lacking(space, protocol)
    needed = f"the method{'s' if len(names) > 1 else ''} {', '.join(names)}"
    without = f" without {', '.join(missing)}" if len(missing) < len(names) else ""
    return UsageError(
        f"{user} needs a space with {needed}, got {type(innermost(space)).__name__}{without}; add "
        f"{'them' if len(missing) > 1 else 'it'}{instead} (nas_ray/spaces/base.py says what they return) or "
        "choose another way."
    )


def recombining(space: SearchSpace) -> RecombiningSpace | None:
    """Returns `space` if it makes children itself."""
    return space if isinstance(space, RecombiningSpace) else None


def ranked_space(space: SearchSpace, user: str, least: int) -> RankedSpace:
    """Returns what draws the parts of an arch from ranked parents: `space`, or its decisions.

    Args:
        space: any space.
        user: who needs it, for the message.
        least: the rank of the worst parent of a decision (`RankedSequences`); a space of its own kind has its
            own rule.

    Raises:
        UsageError: it does not, and its archs are no sequences.
    """
    return space if isinstance(space, RankedSpace) else RankedSequences(sequence_space(space, user), least)


def members(space: SearchSpace) -> list[str]:
    """Returns the archs of `space` in its published order, none if it cannot be listed."""
    return list(space) if isinstance(space, Iterable) else []


def is_member(space: SearchSpace, arch: str) -> bool:
    """Returns whether `arch` is in `space`, by all that it says; True where it says nothing."""
    try:
        if hasattr(space, "__contains__") and arch not in space:
            return False
        sequence = as_sequence(space)
        return sequence is None or sequence.assemble(sequence.decisions(arch)) == arch
    except Exception:  # whatever a space says of what is not its own
        return False


def index_of(space: SearchSpace, arch: str) -> int | None:
    """Returns the published number of `arch`, None in a space without."""
    return space.index(arch) if isinstance(space, IndexedSpace) else None


def stem_of(space: SearchSpace) -> str | None:
    """Returns the name of the stem, None in a space with one alone."""
    return space.stem if isinstance(space, StemmedSpace) else None


def label_of(space: SearchSpace, arch: str) -> str | None:
    """Returns the label of `arch`, None in a space without; one that cannot be given costs nobody a run."""
    if not isinstance(space, LabelledSpace):
        return None
    try:
        label = space.label(arch)
    except Exception:  # code of a user, at the end of a long search
        return None
    return " ".join(label.split()) or None if isinstance(label, str) else None
