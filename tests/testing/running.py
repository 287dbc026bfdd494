"""Runs one test of a contract as pytest would, without pytest."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from nas_ray.spaces import SearchSpace
from nas_ray.testing.space_nets import IMAGES
from nas_ray.testing.spaces import SpaceContract
from nas_ray.testing.tasks import Dense, TaskContract
from nas_ray.training.task import Task

SENTENCE = r"(?s)^[A-Za-z'\"][^\n]* (must|and) [^\n]*\.$"
"""How what a failed test of a contract says is written."""


def run(test: str, space: SearchSpace, task: Any = IMAGES) -> None:
    """Runs a test of the contract of spaces."""
    _called(SpaceContract(), test, space=space, task=task)


def run_task(test: str, task: Task, tmp_path: Path | None = None, net: Any = Dense) -> None:
    """Runs a test of the contract of tasks."""
    _called(TaskContract(), test, task=task, net=net, tmp_path=tmp_path)


def _called(contract: object, test: str, **given: Any) -> None:
    method = getattr(contract, test)
    method(**{name: given[name] for name in inspect.signature(method).parameters})
