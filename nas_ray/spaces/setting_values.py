"""How the value of a setting is written: a number or a word, each with one text; a light module."""

from __future__ import annotations

import numbers
import re

from nas_ray.errors import UsageError, printable
from nas_ray.errors.checks import Kind

LARGEST = 1e300
LONGEST = 60
"""Characters of one value."""
VALUE = r"[A-Za-z0-9+-][A-Za-z0-9_.+-]*"
"""How a value is written."""

ONE = Kind(
    "a number, a word or a truth value",
    lambda value: isinstance(value, (str, numbers.Real)) or hasattr(value, "item"),
)

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def number_text(number: float) -> str:
    """Returns the one text of a number, such as 0.1, 64 or 1e-05."""
    return str(number) if isinstance(number, int) else repr(number + 0.0).removesuffix(".0")


def is_number(text: str) -> bool:
    """Returns whether `text` writes a finite number."""
    return len(text) <= LONGEST and _NUMBER.fullmatch(text) is not None and abs(float(text)) <= LARGEST


def number_of(text: str) -> float:
    """Returns the number that `text` writes: a whole one, or one with a point or an exponent."""
    return int(text) if text.lstrip("+-").isdecimal() else float(text)


def value_text(value: str | float) -> str:
    """Returns the one text of a number, a word or a truth value.

    Raises:
        UsageError: it is none that can be written.
    """
    ONE.check("An option", value)
    text = str(value).strip()
    if is_number(text):
        return number_text(number_of(text))
    text = text.lower() if text.lower() in ("true", "false") else text
    if not re.fullmatch(VALUE, text) or ".." in text or len(text) > LONGEST:
        shown = printable([text[:LONGEST]])[0]
        raise UsageError(f"A value must be a number or a word of letters, digits and _.+-, got '{shown}'.")
    return text
