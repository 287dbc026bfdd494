"""What tables of costs are called on the command line; a light module, for quick answers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from nas_ray.errors import UsageError


def named(text: str) -> tuple[str, Path]:
    """Returns name and path of `PATH` or `NAME=PATH`; without a name it is the last word of the file's name.

    Raises:
        UsageError: an empty name or path, or a name with a sign that objectives use.
    """
    name, equals, path = text.partition("=")
    if not equals:
        path = text
        name = Path(path).name.partition(".")[0].replace("-", "_").rpartition("_")[2]
    name = name.strip()
    if not path.strip() or not name or any(sign in name for sign in ":,-") or len(name.split()) > 1:
        raise UsageError(
            "A table of costs must read NAME=TABLE with a name of letters, such as "
            f"latency=nats_tss_latency.csv.gz, got {text!r}."
        )
    return name, Path(path.strip()).expanduser()


def check_costs(texts: Iterable[str]) -> None:
    """Checks that the tables of `--costs` are there.

    Raises:
        UsageError: one is not.
    """
    for text in texts:
        path = named(text)[1]
        if not path.is_file():
            raise UsageError(
                f"--costs must be tables, each as TABLE or NAME=TABLE, but there is no file {path}: check "
                "the path."
            )


def absolute_costs(texts: Iterable[str]) -> tuple[str, ...]:
    """Returns the same tables by name and absolute path."""
    return tuple(f"{name}={path.absolute()}" for name, path in map(named, texts))
