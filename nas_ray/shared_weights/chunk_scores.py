"""Scores of archs of the cell space, one or several at once, on the weights of one supernet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch

from nas_ray.errors import failure
from nas_ray.evaluation.attempt import attempt, evaluate
from nas_ray.evaluation.base import ChunkEvaluator
from nas_ray.proxies import Proxy
from nas_ray.rows import ERROR, ERROR_KIND, OUT_OF_MEMORY, Failure, Row, failed
from nas_ray.shared_weights.scorer import ChunkScorer
from nas_ray.shared_weights.supernet import check_supernet
from nas_ray.shared_weights.supernet_scores import SupernetScores
from nas_ray.spaces.nats_tss import NatsTss

__all__ = ["ChunkEvaluator", "ChunkScores", "attempt", "evaluate"]


class ChunkScores(SupernetScores):
    """Scores archs of the cell space on the weights of one supernet, one or many in a trial.

    A trial that fails as a whole, such as for want of memory, is halved until what is to blame is alone: a
    row of NaN and `error`.

    Args:
        space: whose archs these are.
        num_classes: outputs of the nets.
        inputs: images `[B, 3, H, W]`, float32.
        targets: labels `[B]`, int64.
        proxies: names of built-in proxies, or proxies by column name, as `ChunkScorer` takes them.
        options: those of `SupernetScores`: `init_seed`, `accelerator`, `limits`.

    Raises:
        UsageError: there is no supernet of the space.
    """

    memory_format = torch.channels_last

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
        super().__init__(num_classes, inputs, targets, proxies=proxies, **options)
        self.space = space

    def scored(self, archs: Sequence[str]) -> list[Row]:
        """Returns a row per arch: scores, `seconds` (the mean of the chunk), `error` or None."""
        try:
            return self._score(archs)
        except Exception as error:
            told = failed([failure(error)])
        _free_gpu()  # out of the handler, which would keep the tensors of the attempt alive
        if len(archs) == 1:
            return [{**dict.fromkeys(self._scorer.names, float("nan")), "seconds": 0.0, **told}]
        half = len(archs) // 2
        return [*self.scored(archs[:half]), *self.scored(archs[half:])]

    def _score(self, archs: Sequence[str]) -> list[Row]:
        scorer = self._scorer
        table = self.run(scorer.supernet, partial(scorer.on, archs))
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
