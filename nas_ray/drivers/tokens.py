"""The secret that a Ray cluster may ask for: where Ray looks for it, and how it is sent.

Source: Ray's documentation, "Token authentication". Ray sends the token only if `RAY_AUTH_MODE` is `token`.
"""

from __future__ import annotations

import os
from pathlib import Path

MODE, VALUE, PATH = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
HOME_FILE = "~/.ray/auth_token"


def sends_token(*, found_locally: bool = False) -> bool:
    """Returns whether Ray sends its token: if told to, or if it has one and found the cluster here."""
    mode = os.environ.get(MODE)
    return found_locally and find_token()[0] is not None if mode is None else mode.lower() == "token"


def find_token() -> tuple[str | None, str]:
    """Returns Ray's token, None if there is none, and the place that it is or should be in."""
    if value := os.environ.get(VALUE):
        return value.strip(), VALUE
    path = os.environ.get(PATH)
    place = f"{path} ({PATH})" if path else HOME_FILE
    try:
        return Path(path or HOME_FILE).expanduser().read_text().strip() or None, place
    except (OSError, ValueError, RuntimeError):  # the last: no home
        return None, place
