"""The command that continues a run."""

from __future__ import annotations

from pathlib import Path

from nas_ray.process.shell import in_shell, place_word
from nas_ray.process.started import again


def resume_command(place: str | Path, address: str | None = None) -> str:
    """Returns the command that continues the run at `place`, on the cluster at `address` if it had one."""
    cluster = "" if address is None else f" --address {in_shell(address)}"
    return f"{again('--resume')} {place_word(place)}{cluster}"
