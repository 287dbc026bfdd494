"""How errors of others are told in a line."""

from __future__ import annotations

import pytest

from nas_ray.errors import LONGEST, describe


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
