"""Options of searchers on the command line: numpy and pandas are imported for them, and torch is not."""

from __future__ import annotations

from collections.abc import Sequence

from nas_ray.commands.names import SEARCHERS


def check_options(searcher: str, texts: Sequence[str]) -> None:
    """Checks the options of a built-in searcher, given as `name=value`.

    Raises:
        UsageError: unknown, or of another type.
    """
    if texts and searcher in SEARCHERS:
        from nas_ray.searchers import SEARCHERS as KINDS
        from nas_ray.searchers.options import parse_options

        parse_options(KINDS[searcher], texts)


def check_compared(searchers: Sequence[str]) -> None:
    """Checks the options of the searchers that are compared, each as `NAME,option=value,...`.

    Raises:
        UsageError: unknown, or of another type.
    """
    from nas_ray.searchers.options import parts_of

    for text in searchers:
        name, options = parts_of(text)
        check_options(name, options)
