"""Where results are, said only if they are there."""

from __future__ import annotations

import os
from pathlib import Path


def kept_in(place: str | Path, folder: Path | None = None, *, file: str = "") -> str:
    """Returns the end of "they are ...": "kept in PLACE", or that they are lost with what was removed.

    Args:
        place: a folder, or the URI of a run.
        folder: of this machine, if `place` is a URI; what had reached the storage stays there.
        file: what holds them in the folder, if not the folder as such.
    """
    here = Path(place) if folder is None else folder
    if os.path.exists(here / file):
        return f"kept in {place}"
    what = f"the folder {here}" if not os.path.isdir(here) else f"{here / file}"
    if str(here) != str(place):
        return f"kept in {place} as far as they had reached it: {what} was removed meanwhile"
    return f"lost, because {what} was removed meanwhile"
