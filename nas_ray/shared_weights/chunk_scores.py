"""Evaluating the archs of one trial: together where the evaluator can, else one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Protocol, cast, runtime_checkable

import numpy as np
import torch

from nas_ray.errors import failure
from nas_ray.evaluation.proxy_scores import Evaluator
from nas_ray.process.foreign_code import Contained, around, is_ours
from nas_ray.process.time_limit import TimedOut, time_limit
from nas_ray.proxies import Proxy
from nas_ray.rows import ERROR, ERROR_KIND, OUT_OF_MEMORY, TIMED_OUT, Failure, Row, copied, failed, plain_row
from nas_ray.shared_weights.scorer import ChunkScorer
from nas_ray.spaces.nats_tss import NatsTss


@runtime_checkable
class ChunkEvaluator(Protocol):
    """An evaluator that takes several archs at once as well."""

    def rows(self, archs: Sequence[str]) -> list[Row]:
        """Returns a row per arch, in the order given."""


def evaluate(evaluator: Evaluator, archs: Sequence[str]) -> list[Row]:
    """Returns a row per arch, in the order given, as copies; whatever the evaluator raises is raised."""
    if hasattr(evaluator, "rows"):  # many times faster than to ask for the protocol
        return [copied(row) for row in cast(ChunkEvaluator, evaluator).rows(archs)]
    return [_row(evaluator, arch) for arch in archs]


def attempt(evaluator: Evaluator, archs: Sequence[str], timeout_s: float | None = None) -> list[Row]:
    """Returns a row per arch, whatever is raised; what fails as a whole is tried again arch by arch.

    Args:
        evaluator: what turns archs into rows.
        archs: what to evaluate.
        timeout_s: seconds for each arch; all together may take their sum.
    """
    start = time.perf_counter()
    surroundings = Contained() if is_ours(evaluator) else around(evaluator)()
    try:
        with time_limit(None if timeout_s is None else timeout_s * len(archs)), surroundings:
            rows = evaluate(evaluator, archs)
        if len(rows) != len(archs):
            raise ValueError(f"an evaluator must return a row per arch, got {len(rows)} for {len(archs)}.")
        return [plain_row(row) for row in rows]
    except Exception as error:
        row: Row = {"seconds": 0.0, **failed([failure(error)])}
    except TimedOut as error:
        row = {"seconds": time.perf_counter() - start, **failed([Failure(str(error), TIMED_OUT)])}
    if len(archs) == 1:
        return [row]
    return [attempt(evaluator, [arch], timeout_s)[0] for arch in archs]


def _row(evaluator: Evaluator, arch: str) -> Row:
    reported: list[Row] = []
    evaluator(arch, lambda row: reported.append(copied(row)))
    return reported[-1]


class ChunkScores:
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
    """

    def __init__(
        self,
        space: NatsTss,
        num_classes: int,
        inputs: np.ndarray,
        targets: np.ndarray,
        proxies: Sequence[str] | Mapping[str, Proxy],
        *,
        init_seed: int = 0,
        accelerator: str = "cpu",
    ) -> None:
        self.space = space
        self.num_classes = num_classes
        self.inputs = inputs
        self.targets = targets
        self.proxies = proxies
        self.init_seed = init_seed
        self.accelerator = accelerator

    def __call__(self, arch: str, report: Callable[[Row], None]) -> None:
        """Reports the row of one arch."""
        report(self.rows([arch])[0])

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
            device="cuda" if self.accelerator == "gpu" else "cpu",
        )


def _free_gpu() -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
