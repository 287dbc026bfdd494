"""Evaluation by zero-cost proxies, net by net."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from nas_ray.errors import failure
from nas_ray.errors.checks import Kind
from nas_ray.evaluation.base import EpochEvaluator, Evaluator, changed
from nas_ray.evaluation.lookup import Lookup
from nas_ray.evaluation.on_minibatch import OnMinibatch
from nas_ray.evaluation.scoring import ScoringModule
from nas_ray.process.seeded import seeded
from nas_ray.proxies import Proxy
from nas_ray.proxies.forms import as_stored
from nas_ray.proxies.losses import Loss
from nas_ray.proxies.needs import check_needs
from nas_ray.proxies.plugin import known_columns
from nas_ray.rows import ERROR_KIND, OUT_OF_MEMORY, OVER_LIMIT, Failure, Row, failed
from nas_ray.spaces.base import SPACE, SearchSpace
from nas_ray.training.epoch_module import quiet_trainer
from nas_ray.training.task import SCORED_TASK, Task

__all__ = ["EpochEvaluator", "Evaluator", "Lookup", "ProxyScores", "quiet_trainer"]


PROXIES = Kind(
    "proxies by name, such as resolve_proxies(['naswot']) returns",
    lambda value: isinstance(value, Mapping) and all(map(callable, value.values())),
)


class ProxyScores:
    """Scores archs with zero-cost proxies on one fixed minibatch, through a Lightning `Trainer`.

    A score depends on the arch, the proxies, the minibatch and `init_seed` alone: every net is initialised
    from the same seed on the CPU, whatever was evaluated before and wherever the evaluator runs. The global
    random state is left as it was. A failure is a row: its scores are NaN, `error` says
    why and `error_kind` of what kind it is.

    Args:
        space: how an arch becomes a net.
        num_classes: outputs of the net.
        inputs: `[B, ...]`, such as images `[B, 3, H, W]`, float32.
        targets: `[B, ...]`, such as labels `[B]`, int64.
        proxies: proxies by column name.
        init_seed: seed of the nets' initialisation.
        accelerator: Lightning's name of the device, `cpu` or `gpu`.
        timed: add the seconds of each proxy to the row, as `name_seconds`.
        limits: most that a score, such as a measured latency, may be; an arch above it is a failed row.
        loss: `(outputs, targets) -> mean`, of which proxies take gradients; None for cross-entropy of labels.
    """

    def __init__(
        self,
        space: SearchSpace,
        num_classes: int,
        inputs: np.ndarray,
        targets: np.ndarray,
        proxies: Mapping[str, Proxy],
        *,
        init_seed: int = 0,
        accelerator: str = "cpu",
        timed: bool = False,
        limits: Mapping[str, float] | None = None,
        loss: Loss | None = None,
    ) -> None:
        SPACE.check("space", space)
        PROXIES.check("proxies", proxies)
        self.limits = dict(limits or {})
        self.space = space
        self.num_classes = num_classes
        self.inputs = inputs
        self.targets = targets
        self.proxies = dict(proxies)
        self.columns = {name: known_columns(name, proxy) for name, proxy in self.proxies.items()}
        self.init_seed = init_seed
        self.accelerator = accelerator
        self.timed = timed
        self.loss = loss

    @classmethod
    def of_task(
        cls, space: SearchSpace, task: Task, proxies: Mapping[str, Proxy], **options: Any
    ) -> ProxyScores:
        """Returns the scores of the nets of `space` on the minibatch of `task`, with its loss.

        Args:
            space: how an arch becomes a net.
            task: of any kind.
            proxies: proxies by column name.
            **options: those of the class.

        Raises:
            UsageError: a proxy needs other data, or nets of another kind (`nas_ray.proxies.needs`).
        """
        SCORED_TASK.check("task", task)
        PROXIES.check("proxies", proxies)
        inputs, targets = task.minibatch()
        check_needs(proxies, inputs, targets, task.num_outputs, _some_nets(space, task.num_outputs))
        arrays = inputs.numpy(), targets.numpy()
        return cls(space, task.num_outputs, *arrays, proxies, loss=task.loss, **options)

    def __call__(self, arch: str, report: Callable[[Row], None]) -> None:
        """Reports one row: scores, `seconds` of computation, `error` or None, and its kind."""
        start = time.perf_counter()
        try:
            scores, failures = self._score(arch)
        except Exception as error:  # the net could not be built or moved: a row like any other
            scores, failures = {}, [failure(error)]
        told = failed(failures)
        if told.get(ERROR_KIND) == OUT_OF_MEMORY and torch.cuda.is_available():
            torch.cuda.empty_cache()
        names = [column for name in self.proxies for column in self.columns[name] or (name,)]
        missing = dict.fromkeys(names, math.nan) if not scores else {}
        seconds = time.perf_counter() - start
        report({**missing, **scores, "seconds": seconds, **told})

    def placed(self, accelerator: str, folder: Path | None) -> ProxyScores:
        """Returns the same for another device; nothing is kept in a folder."""
        return changed(self, accelerator=accelerator)

    def in_forms(self, stored: object) -> ProxyScores:
        """Returns the same with proxies in the forms of a run."""
        return changed(self, proxies=as_stored(self.proxies, stored))

    def _score(self, arch: str) -> tuple[dict[str, float], list[Failure]]:
        self._run.prepare()  # what it sets for the process stays
        with seeded(self.init_seed):
            net = self.space.build(arch, self.num_classes)
            module = ScoringModule(net, self.proxies, self.columns, self.loss)
            self._run(module)  # loops draw seeds as well
        scores = {**module.scores, **(module.seconds if self.timed else {})}
        above = above_limits(scores, self.limits)
        if above:  # what it was measured to cost is kept
            scores |= {name: math.nan for name in module.scores if name not in self.limits}
        return scores, module.failures + above

    @cached_property
    def _run(self) -> OnMinibatch:
        return OnMinibatch(self.inputs, self.targets, self.accelerator)


def above_limits(scores: Mapping[str, Any], limits: Mapping[str, float]) -> list[Failure]:
    """Returns a failure for each score that is above its limit."""
    return [
        Failure(f"{name} {scores[name]:.4g} is above the limit {limit:g}", OVER_LIMIT)
        for name, limit in limits.items()
        if scores[name] > limit
    ]


def _some_nets(space: SearchSpace, num_outputs: int, count: int = 8) -> Iterator[nn.Module]:
    """Yields the nets of some archs of a space."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        try:
            with seeded(0):
                net = space.build(space.sample(rng), num_outputs)
        except Exception:  # in the search it becomes a row
            continue
        yield net
