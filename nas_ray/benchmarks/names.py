"""What a benchmark may be called; a light module, for quick answers."""

from __future__ import annotations

import os

from nas_ray.errors import UsageError, unknown_name

NAMES = ("auto", "nats", "nb201", "none")
"""A file of such a name needs a path, as in `./auto`."""


def check_benchmark(spec: str) -> None:
    """Checks that `spec` is a name, or the path of something.

    Raises:
        UsageError: it is neither.
    """
    if spec not in NAMES and not os.path.exists(os.path.expanduser(spec)):
        raise unknown_benchmark(spec)


def unknown_benchmark(spec: str) -> UsageError:
    """Returns what to raise where `spec` names nothing."""
    known = unknown_name("benchmark", spec, list(NAMES)).removesuffix(".")
    return UsageError(
        f"{known}, or the path of an official NATS-Bench directory or of a table file, and no such path "
        "exists."
    )
