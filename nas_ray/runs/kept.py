"""Where results are, said only if they are there."""

from __future__ import annotations

import os
from pathlib import Path


def lost(place: str | Path, folder: Path | None = None, *, file: str = "") -> str | None:
    """Returns the sentence about results that were removed while they were made; None where they are there.

    Args:
        place: a folder, or the URI of a run.
        folder: of this machine, if `place` is a URI.
        file: what holds them in the folder, if not the folder as such.
    """
    here = Path(place) if folder is None else folder
    if os.path.exists(here / file):
        return None
    what = f"the folder {here}" if not os.path.isdir(here) else f"{here / file}"
    if str(here) != str(place):
        return f"{what} was removed meanwhile, so only what had reached {place} is kept"
    return f"{what} was removed meanwhile, and what was done with it"
