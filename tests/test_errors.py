"""How errors of others are told in a line."""

from __future__ import annotations

import errno

import pytest
import torch

from nas_ray.errors import LONGEST, describe, failure


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("first\nsecond"), "ValueError: first"),
        (ValueError(""), "ValueError"),
        (MemoryError(), "out of memory"),
        (ValueError("x" * (LONGEST + 1)), f"ValueError: {'x' * LONGEST} ..."),
        (RuntimeError('Traceback (most recent call last):\n  File "a"\nOSError: gone\n'), "OSError: gone"),
    ],
)
def test_one_line(error: Exception, told: str) -> None:
    assert describe(error) == told


AFTER = ValueError("mine: cannot score")
AFTER.__context__ = MemoryError()
ITSELF = ValueError("a")
ITSELF.__cause__ = ITSELF


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), "out_of_memory"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB"), "out_of_memory"),
        (RuntimeError("CUDA error: out of memory"), "out_of_memory"),
        (
            RuntimeError("[enforce fail] can't allocate memory: you tried"),
            "out_of_memory",
        ),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "out_of_memory"),
        (AFTER, "out_of_memory"),
        (ValueError("what a user wrote on out of memory"), "raised"),
        (OSError(errno.ENOSPC, "full"), "raised"),
        (ITSELF, "raised"),
    ],
)
def test_the_kind_comes_from_the_error_and_not_from_its_text(error: Exception, kind: str) -> None:
    assert failure(error, "mine: ") == (f"mine: {describe(error)}", kind)


class Unspeakable(RuntimeError):
    """An error of foreign code whose message raises."""

    def __str__(self) -> str:
        raise ValueError("no message")


def test_an_error_whose_message_raises_is_told_by_its_type() -> None:
    assert failure(Unspeakable(), "mine: ") == ("mine: Unspeakable", "raised")
