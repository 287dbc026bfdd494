"""Options of a searcher as text, `name=value`, such as a command line gives them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from nas_ray.errors import UsageError, printable, unknown_name
from nas_ray.process.plugins import resolve
from nas_ray.spaces.options import ARGUMENTS
from nas_ray.terminal.ranges import MOST_SEED, Range

GIVEN = ("self", "space", "fitness", "seed")
"""Arguments that every searcher gets from elsewhere."""

NUMBERS = {int: Range(-MOST_SEED, MOST_SEED), float: Range(-1e300, 1e300)}
"""What any searcher can compute with; each says itself which of these numbers it can use."""
TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def option_defaults(make: Callable[..., Any]) -> dict[str, Any]:
    """Returns the options of a searcher with their defaults, those passed on to a base class included."""
    found: dict[str, Any] = {}
    chain = [
        kind.__dict__["__init__"] for kind in getattr(make, "__mro__", ()) if "__init__" in kind.__dict__
    ]
    for function in chain or [make]:
        parameters = inspect.signature(function).parameters.values()
        named = [p for p in parameters if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)]
        found = {p.name: p.default for p in named if p.name not in GIVEN} | found
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return found


def parts_of(text: str) -> tuple[str, list[str]]:
    """Returns name and options of `NAME,option=value,...`; a comma without an option belongs to a value."""
    name, *pieces = text.split(",")
    options: list[str] = []
    for piece in pieces:
        if "=" in piece or not options:
            options.append(piece)
        else:
            options[-1] += f",{piece}"
    return name.strip(), options


def parse_options(make: Callable[..., Any], texts: Sequence[str]) -> dict[str, Any]:
    """Returns the keyword arguments that `texts` give, each of the type of its default.

    Args:
        make: the searcher.
        texts: `name=value`, or several with commas between them; a dash in a name is an underscore, and a
            function is `module:name`.

    Raises:
        UsageError: not of that form, unknown, or of another type.
    """
    known = option_defaults(make)
    options: dict[str, Any] = {}
    for text in (each for given in texts for each in parts_of(f",{given}")[1]):
        name, equals, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if name not in known:  # as=released is the argument variant, or as_
            name = next((one for one in (ARGUMENTS.get(name), f"{name}_") if one in known), name)
        if not equals or name in options:
            raise UsageError(
                f"Options of a searcher read name=value, each once, such as population=20; got {text!r}."
            )
        if name not in known:
            names = [one.rstrip("_") for one in known]
            raise UsageError(unknown_name("option of the searcher", name, names))
        options[name] = _typed(name, value.strip(), known[name])
    return options


def _typed(name: str, value: str, default: Any) -> Any:
    if callable(default) and default is not inspect.Parameter.empty:
        return resolve(f"value of {name}", value, {})
    try:
        if isinstance(default, bool):
            return TRUTH[value.lower()]
        if not isinstance(default, (int, float)):
            return value
        number = int(value) if isinstance(default, int) else float(value)
    except (KeyError, ValueError) as error:
        shown = printable([value])[0]
        kind = {bool: "true or false", int: "a whole number", float: "a number"}[type(default)]
        raise UsageError(f"The option {name} of the searcher must be {kind}, got '{shown}'.") from error
    NUMBERS[type(number)].check(f"The option {name} of the searcher", number)
    return number
