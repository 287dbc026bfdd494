from __future__ import annotations

import io

import pytest
from rich.console import Console

from nas_ray.drivers.progress import SearchProgress
from nas_ray.searchers import Single


def test_the_speed_counts_what_arrives_after_the_first_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    output = io.StringIO()
    progress = SearchProgress(Console(file=output, width=120), 12, Single(("x",)), lambda arch: f"#{arch}")
    for seconds, archs in ((0.0, "012"), (20.0, "345")):
        now += seconds
        for arch in archs:
            row = {"arch": arch, "x": float(arch), "finished_at": now}
            progress({"event": "tell", "trial": int(arch), "row": row})
    assert output.getvalue().splitlines()[-1] == "4/12 done, best #3 x 3, 20 s/arch, 160 s left"
