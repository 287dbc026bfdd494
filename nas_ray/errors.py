"""The one exception that means "the user can mend this"."""

from __future__ import annotations


class UsageError(ValueError):
    """One sentence that says what must hold, what was given and what to do.

    The command line prints it without a traceback and exits with code 2.
    """
