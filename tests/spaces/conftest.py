"""What tests of several spaces share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Fault = Callable[[object, str, int], "str | None"]


@pytest.fixture(name="fault")
def fault_(monkeypatch: pytest.MonkeyPatch) -> Fault:
    """What an arch lacks that is run forward and backward, as `perf/random_archs.py` finds it."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "perf"))
    import random_archs

    return random_archs.fault
