"""Methods as they are written: names parted by commas, changes behind each; a light module."""

from __future__ import annotations

from collections.abc import Sequence

from nas_ray.errors import UsageError, printable
from nas_ray.terminal.lists import parted


def method_texts(given: Sequence[str]) -> list[str]:
    """Returns each method once with its changes, such as `darts1,derive=perturbation`.

    Args:
        given: texts in which a name begins a method and `name=value` changes the one before it, separated by
            commas or spaces.

    Raises:
        UsageError: there is no method, a change before the first, or a seed among the changes.
    """
    found: list[list[str]] = []
    for part in parted(given):
        name, equals, _ = part.partition("=")
        if equals and name == "seed":
            raise UsageError(f"--method sets no seed, got '{printable([part])[0]}'; use --seed and --seeds.")
        if equals and not found:
            raise UsageError(
                f"--method must begin with a method, got the change '{printable([part])[0]}' first."
            )
        if equals:
            found[-1].append(part)
        else:
            found.append([part])
    if not found:
        raise UsageError("--method must name a method, such as darts1, got nothing.")
    return list(dict.fromkeys(",".join(parts) for parts in found))
