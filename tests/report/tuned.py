"""The folder of an experiment as `ray.tune.Tuner` leaves it, made by hand in no time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PICKLED = {"_type": "CLOUDPICKLE_FALLBACK", "value": "80059500"}
"""How Ray writes what is no JSON."""


def trial(
    number: int, config: dict[str, Any], result: dict[str, Any] | None, status: str = "TERMINATED"
) -> list[str]:
    """Returns one entry of `trial_data`: what the trial is, and what it reported last."""
    own = {
        "trial_id": f"0a_{number}",
        "timestamp": 1000 + number,
        "time_total_s": 0.5,
        "pid": 3,
        "done": True,
    }
    last = None if result is None else {**result, **own, "config": config, "training_iteration": 1}
    told = {"trial_id": f"0a_{number}", "status": status, "config": config, "storage": PICKLED}
    return [json.dumps(told), json.dumps({"last_result": last, "error_filename": None, "x": PICKLED})]


def make_tuned(folder: Path, trials: Sequence[list[str]]) -> Path:
    """Writes the folder of an experiment."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {"trial_data": list(trials), "runner_data": {}, "stats": {"start_time": 999.0}}
    (folder / "experiment_state-2025-01-01_10-00-00.json").write_text(json.dumps(state))
    (folder / "tuner.pkl").write_bytes(b"never read")
    return folder
