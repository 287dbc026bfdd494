"""`perf/one_shot_step.py` compares forms of supernets that are equal, as it checks itself."""

from __future__ import annotations

from pathlib import Path

import pytest

PERF = Path(__file__).parents[2] / "perf"


@pytest.mark.parametrize(
    ("space", "method"), [("nats-tss", "darts2"), ("darts", "darts1"), ("darts", "both")]
)
def test_losses_are_equal_in_all_forms(
    space: str, method: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(PERF))
    import one_shot_step

    args = one_shot_step.Args(
        space=space, methods=(method,), channels=4, cells=1, batch_size=4, image_size=16, rounds=1
    )
    one_shot_step.main(args)
    lines = [line for line in capsys.readouterr().out.splitlines() if method in line]
    assert len(lines) == 4
    assert sum("x ours" in line for line in lines) == 3
