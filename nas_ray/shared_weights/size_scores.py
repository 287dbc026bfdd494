"""The evaluator for several archs of the size space per trial."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch

from nas_ray.errors import UsageError, failure
from nas_ray.rows import UNDEFINED, Failure, Row, failed
from nas_ray.shared_weights.size_supernet import SizeSupernet
from nas_ray.shared_weights.sizes import SHARING, SizeScorer
from nas_ray.shared_weights.together_scores import TogetherScores
from nas_ray.spaces.nats_sss import NatsSss


class SizeScores(TogetherScores):
    """Scores archs of the size space on slices of one net; what they begin alike is computed once.

    A score depends on the arch, the minibatch and `init_seed` alone. It is not that of `ProxyScores`, which
    initialises each net by itself.

    Args:
        space: whose stem the nets have.
        num_classes: outputs of the nets.
        inputs: images `[B, 3, H, W]`, float32.
        targets: labels `[B]`, int64; not used, but part of the minibatch.
        proxies: names out of `naswot` and `synflow`.
        init_seed: seed of the weights.
        accelerator: Lightning's name of the device, `cpu` or `gpu`.

    Raises:
        UsageError: another proxy.
    """

    def __init__(
        self,
        space: NatsSss,
        num_classes: int,
        inputs: np.ndarray,
        targets: np.ndarray,
        proxies: Iterable[str],
        **options: Any,
    ) -> None:
        super().__init__(num_classes, inputs, targets, **options)
        proxies = tuple(proxies)
        others = [name for name in proxies if name not in SHARING]
        if others:
            raise UsageError(
                f"Several archs of nats-sss per trial can be scored by {' and '.join(SHARING)} alone, got "
                f"{others[0]}; leave --archs-per-trial out."
            )
        self.space = space
        self.proxies = proxies

    def rows(self, archs: Sequence[str]) -> list[Row]:
        """Returns a row per arch: scores, `seconds` (the mean of the chunk), `error` or None."""
        start = time.perf_counter()
        try:
            found = self._scorer(archs)
        except Exception as error:  # all or none: the shared beginnings belong to all
            told = failed([failure(error)])
            return [{**dict.fromkeys(self.proxies, float("nan")), "seconds": 0.0, **told} for _ in archs]
        seconds = (time.perf_counter() - start) / len(archs)
        return [self._row(found[arch], seconds) for arch in archs]

    def _row(self, scores: dict[str, float], seconds: float) -> Row:
        bad = [
            Failure(f"{name} is {value}", UNDEFINED)
            for name, value in scores.items()
            if not np.isfinite(value)
        ]
        return {**scores, "seconds": seconds, **failed(bad)}

    @cached_property
    def _scorer(self) -> SizeScorer:
        supernet = SizeSupernet(self.num_classes, self.init_seed, self.space.stem, self.device)
        return SizeScorer(supernet, torch.tensor(self.inputs).to(self.device), self.proxies)
