"""The events that a search consists of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nas_ray.errors import encodable
from nas_ray.rows import (
    ERROR,
    FOUND,
    RAISED,
    Event,
    Failure,
    Row,
    copied,
    error_kind_of,
    failed,
    shown,
    with_error_kind,
)
from nas_ray.spaces.found import space_of_found
from nas_ray.spaces.needs import is_member
from nas_ray.spaces.wrapping import innermost

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace


def copied_event(event: Event) -> Event:
    """Returns an event of its own, with a row of its own."""
    return {**event, "row": copied(event["row"])} if "row" in event else dict(event)


def unfinished(events: Sequence[Event]) -> dict[int, str]:
    """Returns the archs that were asked for and never told, by number, in the order of the asks.

    Raises:
        ValueError: a row was never asked for.
    """
    left: dict[int, str] = {}
    for event in events:
        if event["event"] == "ask":
            left[event["trial"]] = event["arch"]
        elif event["event"] == "tell":
            arch = left.pop(event["trial"], "")
            if not arch or event["row"].get("arch") != arch:
                raise ValueError(f"the row of trial {event['trial']} in the journal was never asked for.")
    return left


def check_ask(event: Event, trial: int, arch: str | None) -> None:
    """Checks that a search being replayed asks for what the journal says.

    Raises:
        ValueError: it asks for another arch.
    """
    if (event["trial"], event["arch"]) != (trial, arch):
        raise ValueError(
            f"Trial {event['trial']} of the journal is {event['arch']!r}, but this search would ask for "
            f"{arch!r}: it was made with other arguments or another version."
        )


def ends_with_ask(events: Sequence[Event]) -> bool:
    """Returns whether no evaluation ended after the last ask: a trial was being filled, or all were out."""
    last = next((event for event in reversed(events) if not _is_repeat(event)), None)
    return last is not None and last["event"] == "ask"


def _is_repeat(event: Event) -> bool:
    """Returns whether the event tells a known row again, which happens while a trial is being filled."""
    return event["event"] == "tell" and bool(event["row"].get("reused"))


def check_arch(arch: object, searcher: str) -> None:
    """Checks what `ask` of a searcher returned.

    Raises:
        TypeError: no string.
        ValueError: a string that UTF-8, and so a table of rows, cannot hold.
    """
    if flaw := _flaw(arch):
        kind = ValueError if isinstance(arch, str) else TypeError
        raise kind(f"{searcher}.ask() must return an arch {flaw}, got {arch!r}.")


def _flaw(arch: object) -> str | None:
    """Returns what an arch must be and this one is not."""
    if not isinstance(arch, str):
        return "as a string"
    return None if encodable(arch) == arch else "that UTF-8 can hold"


def checked(row: Row | None, scores: Sequence[str] = (), space: SearchSpace | None = None) -> Row | None:
    """Returns a row as a searcher takes it, None for none: with its kind of error, and an arch as `found`.

    Args:
        row: of an evaluation.
        scores: what a fitness looks at; what is no number makes it a failed row.
        space: which is searched, and says what archs are found in; None where it is not known.
    """
    if row is None:
        return None
    return with_error_kind(_with_numbers(_with_arch_found(row, scores, space), scores))


def _with_numbers(row: Row, scores: Sequence[str]) -> Row:
    wrong = [name for name in scores if isinstance(row.get(name), (str, bool))]
    if not wrong:
        return row
    said = f"the score {wrong[0]} must be a number, got {shown(row[wrong[0]])}"
    return {**row, **dict.fromkeys(wrong, math.nan), **_failed_too(row, said)}


def _failed_too(row: Row, said: str) -> Row:
    known = [Failure(str(row[ERROR]), error_kind_of(row) or RAISED)] if row.get(ERROR) else []
    return failed([*known, Failure(said, RAISED)])


def _with_arch_found(row: Row, scores: Sequence[str], space: SearchSpace | None) -> Row:
    """Returns a row whose `found` is an arch or missing; what is none makes it fail, without scores."""
    found = row.get(FOUND)
    if found is None:
        return row
    flaw = "that is not empty" if found == "" else _flaw(found)
    within = None if space is None else space_of_found(space)
    if flaw is None and within is not space and within is not None and not is_member(within, found):
        flaw = f"of the space {type(innermost(within)).__name__}"  # the space said where archs are found
    if flaw is None:
        return row
    said = f"the column {FOUND!r} of a row must be an arch {flaw}, got {shown(found)}"
    rest = {name: value for name, value in row.items() if name != FOUND}
    lost = dict.fromkeys((name for name in scores if name in rest), math.nan)
    return {**rest, **lost, **_failed_too(row, said)}
