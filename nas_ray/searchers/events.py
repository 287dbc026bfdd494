"""The events that a search consists of."""

from __future__ import annotations

from collections.abc import Sequence

from nas_ray.rows import Event, copied
from nas_ray.text import encodable


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
        else:
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
    if not isinstance(arch, str):
        raise TypeError(f"{searcher}.ask() must return an arch as a string, got {arch!r}.")
    if encodable(arch) != arch:
        raise ValueError(f"{searcher}.ask() must return an arch that UTF-8 can hold, got {arch!r}.")
