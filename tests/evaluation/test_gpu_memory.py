from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest
import torch

from nas_ray.evaluation.gpu_memory import COLUMN, PER_PROCESS, packing, with_gpu_memory

TOTAL = 8 * 2**30


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A GPU of 8 GiB in which 2 GiB less what a process takes are reserved; returns what was called."""
    called: list[str] = []
    answers = {
        "is_initialized": lambda: True,
        "current_device": lambda: 0,
        "get_device_properties": lambda device: SimpleNamespace(total_memory=TOTAL),
        "max_memory_reserved": lambda: 2 * 2**30 - PER_PROCESS,
        "reset_peak_memory_stats": lambda: called.append("reset"),
        "empty_cache": lambda: called.append("empty"),
    }
    for name, answer in answers.items():
        monkeypatch.setattr(torch.cuda, name, answer)
    return called


def test_rows_of_a_gpu_say_how_much_of_it_they_took(gpu: list[str]) -> None:
    rows = with_gpu_memory(lambda: [{"x": 1.0}, {"error": "broken"}])
    assert rows == [{"x": 1.0, COLUMN: 0.25}, {"error": "broken", COLUMN: 0.25}]
    assert gpu == ["reset", "empty"]


def test_what_the_first_trial_of_a_process_kept_goes_back_too(
    gpu: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[bool] = []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: bool(used))

    def first() -> list[dict[str, object]]:
        used.append(True)
        return [{"x": 1.0}]

    assert with_gpu_memory(first) == [{"x": 1.0, COLUMN: 0.25}]
    assert gpu == ["empty"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is there")
def test_rows_of_a_cpu_are_left_alone() -> None:
    assert with_gpu_memory(lambda: [{"x": 1.0}]) == [{"x": 1.0}]


@pytest.mark.parametrize(
    ("taken", "now", "said"),
    [
        (0.2, 0.25, "a trial took up to 20% of a GPU; 4 shared one, 5 fit (--gpus-per-trial 0.2)."),
        (0.3, 0.25, "a trial took up to 30% of a GPU; 4 shared one."),
        (0.04, 1.0, "a trial took up to 4% of a GPU; 1 shared one, 25 fit (--gpus-per-trial 0.04)."),
    ],
)
def test_what_the_memory_says_of_trials_per_gpu(taken: float, now: float, said: str) -> None:
    rows = pd.DataFrame({COLUMN: [0.01, taken, None]})
    assert packing(rows, now) == f"GPU memory: {said}"


def test_nothing_is_said_where_nothing_was_measured() -> None:
    assert packing(pd.DataFrame({"x": [1.0]}), 0.25) is None
