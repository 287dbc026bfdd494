"""Scores of several archs at once, on the weights of one supernet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch

from nas_ray.errors import failure
from nas_ray.evaluation.attempt import attempt, evaluate
from nas_ray.evaluation.base import ChunkEvaluator, changed
from nas_ray.proxies import Proxy
from nas_ray.proxies.forms import as_stored
from nas_ray.rows import ERROR, ERROR_KIND, OUT_OF_MEMORY, Failure, Row, failed
from nas_ray.shared_weights.scorer import ChunkScorer, named_proxies
from nas_ray.shared_weights.supernet import check_supernet
from nas_ray.shared_weights.together_scores import TogetherScores
from nas_ray.spaces.nats_tss import NatsTss

__all__ = ["ChunkEvaluator", "ChunkScores", "attempt", "evaluate"]


class ChunkScores(TogetherScores):
    """Scores archs with zero-cost proxies on the weights of one supernet, all archs of a trial together.

    A score depends on the arch, the proxies, the minibatch and `init_seed` alone, but for the rounding of
    sums. It is not that of `ProxyScores`, which initialises each net by itself. A chunk that fails as a
    whole, such as for want of memory, is halved until what is to blame is alone: a row of NaN and `error`.

    Args:
        space: whose archs these are.
        num_classes: outputs of the nets.
        inputs: images `[B, 3, H, W]`, float32.
        targets: labels `[B]`, int64.
        proxies: names of built-in proxies, or proxies by column name, as `ChunkScorer` takes them.
        init_seed: seed of the weights of the supernet.
        accelerator: Lightning's name of the device, `cpu` or `gpu`.

    Raises:
        UsageError: there is no supernet of the space.
    """

    def __init__(
        self,
        space: NatsTss,
        num_classes: int,
        inputs: np.ndarray,
        targets: np.ndarray,
        proxies: Sequence[str] | Mapping[str, Proxy],
        **options: Any,
    ) -> None:
        check_supernet(space)
        super().__init__(num_classes, inputs, targets, **options)
        self.space = space
        self.proxies = named_proxies(proxies)

    def in_forms(self, stored: object) -> ChunkScores:
        """Returns the same with proxies in the forms of a run."""
        return changed(self, proxies=as_stored(self.proxies, stored))

    def rows(self, archs: Sequence[str]) -> list[Row]:
        """Returns a row per arch: scores, `seconds` (the mean of the chunk), `error` or None."""
        try:
            return self._score(archs)
        except Exception as error:
            told = failed([failure(error)])
        _free_gpu()  # out of the handler, which would keep the tensors of the attempt alive
        if len(archs) == 1:
            return [{**dict.fromkeys(self._scorer.names, float("nan")), "seconds": 0.0, **told}]
        half = len(archs) // 2
        return [*self.rows(archs[:half]), *self.rows(archs[half:])]

    def _score(self, archs: Sequence[str]) -> list[Row]:
        table = self._scorer(archs)
        if (table[ERROR_KIND] == OUT_OF_MEMORY).any():
            _free_gpu()
        names = [str(name) for name in table if name not in ("arch", ERROR, ERROR_KIND)]
        values = table[names].to_numpy(dtype=float).tolist()
        errors, kinds = (
            table[name].astype(object).where(table[name].notna(), None) for name in (ERROR, ERROR_KIND)
        )
        return [
            {**dict(zip(names, row, strict=True)), **failed([Failure(error, kind)] if error else [])}
            for row, error, kind in zip(values, errors, kinds, strict=True)
        ]

    @cached_property
    def _scorer(self) -> ChunkScorer:
        return ChunkScorer(
            self.space,
            self.num_classes,
            self.inputs,
            self.targets,
            self.proxies,
            init_seed=self.init_seed,
            device=self.device,
        )


def _free_gpu() -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
