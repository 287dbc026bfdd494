"""From a thing to the tests of it, and the sentence of a test that fails."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import pytest

from nas_ray.errors import UsageError
from nas_ray.errors.checks import Kind
from nas_ray.process.global_state import KeptState
from nas_ray.rows import shown

Contract = TypeVar("Contract")

NOTHING: Final = object()


def contract_of(contract: type[Contract], **given: Any) -> type[Contract]:
    """Returns a class of tests for pytest, whose fixtures are what is given by name."""
    fixtures = {name: _fixture(name, value) for name, value in given.items()}
    return type(contract.__name__, (contract,), fixtures)


def must(holds: object, what: str, found: object = NOTHING) -> None:
    """Goes on where `holds` is true.

    Args:
        holds: the outcome of a check.
        what: what must hold, such as "`sample` must return a string".
        found: what is there instead; left out where `what` says it.

    Raises:
        AssertionError: it is not true; the sentence is what the author of a plug-in reads.
    """
    __tracebackhide__ = True
    if not holds:
        raise AssertionError(f"{what}." if found is NOTHING else f"{what}, got {shown(found)}.")


def must_equal(found: object, wanted: object, what: str) -> None:
    """Goes on where both are equal; raises an AssertionError that says `what` must hold and shows both."""
    __tracebackhide__ = True
    must(found == wanted, f"{what}, got {shown(found)} and {shown(wanted)}")


def must_be(kind: Kind, name: str, value: object) -> None:
    """Goes on where a value is of a kind; raises an AssertionError with the sentence of `kind` where not."""
    __tracebackhide__ = True
    try:
        kind.check(name, value)
    except UsageError as error:
        raise AssertionError(str(error)) from None


def must_be_same(found: Sequence[object], wanted: Sequence[object], what: str) -> None:
    """Goes on where both are equal; else the AssertionError shows the first place where they differ."""
    __tracebackhide__ = True
    if list(found) != list(wanted):
        pairs = enumerate(itertools.zip_longest(found, wanted, fillvalue="nothing more"))
        place, (one, other) = next((place, pair) for place, pair in pairs if pair[0] != pair[1])
        must(False, f"{what}, got {shown(one)} and not {shown(other)} at place {place}")


def must_leave(kept: KeptState, who: str) -> None:
    """Goes on where the global state of the process is as it was; raises an AssertionError if not."""
    __tracebackhide__ = True
    advice = "".join(f"; {piece.advice}" for piece in kept.changed[:1] if piece.advice)
    names = ", ".join(piece.name for piece in kept.changed)
    must(not kept.changed, f"{who} must leave {names} alone{advice}")


def _fixture(name: str, value: Any) -> Any:
    @pytest.fixture(name=name)
    def fixture(self: Any) -> Any:
        return value

    return fixture
