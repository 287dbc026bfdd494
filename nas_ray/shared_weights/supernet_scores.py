"""What the evaluators of archs on the weights of one supernet have in common."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from nas_ray.evaluation.base import changed
from nas_ray.evaluation.on_minibatch import OnMinibatch
from nas_ray.evaluation.proxy_scores import above_limits
from nas_ray.process.seeded import seeded
from nas_ray.proxies import Proxy
from nas_ray.proxies.forms import as_stored
from nas_ray.rows import ERROR, ERROR_KIND, Failure, Row, failed
from nas_ray.shared_weights.scorer import named_proxies
from nas_ray.shared_weights.shared_scoring import SharedScoring
from nas_ray.shared_weights.together_scores import TogetherScores

T = TypeVar("T")
S = TypeVar("S", bound="SupernetScores")


class SupernetScores(TogetherScores):
    """Scores archs with zero-cost proxies on the weights of one supernet, one or many in a trial.

    A trial is a `LightningModule` that a `Trainer` runs on the minibatch. A score depends on the arch, the
    proxies, the minibatch and `init_seed` alone, but for the rounding of sums. It is not that of
    `ProxyScores`, which initialises each net by itself.

    Args:
        batch: as `TogetherScores` takes it: number of classes, inputs and targets.
        proxies: names of built-in proxies, or proxies by column name.
        limits: most that a score, such as a measured latency, may be; an arch above it is a failed row.
        options: those of `TogetherScores`.
    """

    memory_format = torch.preserve_format
    """Of the images."""

    def __init__(
        self,
        *batch: Any,
        proxies: Sequence[str] | Mapping[str, Proxy],
        limits: Mapping[str, float] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*batch, **options)
        self.proxies = named_proxies(proxies)
        self.limits = dict(limits or {})

    def in_forms(self: S, stored: object) -> S:
        """Returns the same with proxies in the forms of a run."""
        return changed(self, proxies=as_stored(self.proxies, stored))

    def rows(self, archs: Sequence[str]) -> list[Row]:
        """Returns a row per arch: scores, `seconds` (the mean of all), `error` or None, and its kind."""
        rows = self.scored(archs)
        return [self._within_limits(row) for row in rows] if self.limits else rows

    @abstractmethod
    def scored(self, archs: Sequence[str]) -> list[Row]:
        """Returns the rows without regard to limits."""

    def run(self, net: nn.Module, score: Callable[[Tensor, Tensor], T]) -> T:
        """Returns what `score` returns for the minibatch, in a `Trainer` with the supernet `net`."""
        self._trainer.prepare()  # what it sets for the process stays
        module = SharedScoring(net, score)
        with seeded(self.init_seed):  # loops draw seeds
            self._trainer(module)
        return module.found

    def _within_limits(self, row: Row) -> Row:
        above = above_limits(row, self.limits)
        if not above:
            return row
        if row.get(ERROR):
            above.insert(0, Failure(row[ERROR], row[ERROR_KIND]))
        kept = {*self.limits, "seconds", ERROR, ERROR_KIND}
        return {**row, **{name: math.nan for name in row if name not in kept}, **failed(above)}

    @cached_property
    def _trainer(self) -> OnMinibatch:
        return OnMinibatch(self.inputs, self.targets, self.accelerator, self.memory_format)
