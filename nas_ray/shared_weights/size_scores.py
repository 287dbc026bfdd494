"""The evaluator of archs of the size space, one or several per trial."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
from torch import Tensor

from nas_ray.errors import failure
from nas_ray.evaluation.scoring import score_net
from nas_ray.process.seeded import seeded
from nas_ray.proxies import Proxy
from nas_ray.proxies.plugin import known_columns
from nas_ray.proxies.sharing import shared_work, widest_first
from nas_ray.rows import UNDEFINED, Failure, Row, failed
from nas_ray.shared_weights.scorer import built_in_name
from nas_ray.shared_weights.size_supernet import SizeSupernet
from nas_ray.shared_weights.sizes import SHARING, SizeScorer
from nas_ray.shared_weights.supernet_scores import SupernetScores
from nas_ray.spaces.nats_sss import NatsSss

Found = tuple[dict[str, float], list[Failure]]


class SizeScores(SupernetScores):
    """Scores archs of the size space on slices of one net; what they begin alike is computed once.

    NASWOT and SynFlow are sums over blocks, and share what archs begin with; any other proxy sees the plain
    net with a copy of the weights.

    Args:
        space: whose stem the nets have.
        num_classes: outputs of the nets.
        inputs: images `[B, 3, H, W]`, float32.
        targets: labels `[B]`, int64.
        proxies: names of built-in proxies, or proxies by column name.
        options: those of `SupernetScores`: `init_seed`, `accelerator`, `limits`.
    """

    def __init__(
        self,
        space: NatsSss,
        num_classes: int,
        inputs: np.ndarray,
        targets: np.ndarray,
        proxies: Sequence[str] | Mapping[str, Proxy],
        **options: Any,
    ) -> None:
        super().__init__(num_classes, inputs, targets, proxies=proxies, **options)
        self.space = space
        self.columns = {name: known_columns(name, proxy) for name, proxy in self.proxies.items()}
        sharing = {name: built_in_name(proxy) for name, proxy in self.proxies.items()}
        self.sharing = {name: str(known) for name, known in sharing.items() if known in SHARING}

    def scored(self, archs: Sequence[str]) -> list[Row]:
        """Returns a row per arch: scores, `seconds` (the mean of the trial), `error` or None."""
        start = time.perf_counter()
        try:
            found = self.run(self._supernet.widest, partial(self._on, archs))
        except Exception as error:  # all or none: the shared beginnings belong to all
            names = [column for name in self.proxies for column in self.columns[name] or (name,)]
            row = {**dict.fromkeys(names, float("nan")), "seconds": 0.0, **failed([failure(error)])}
            return [dict(row) for _ in archs]
        seconds = (time.perf_counter() - start) / len(archs)
        return [{**found[arch][0], "seconds": seconds, **failed(found[arch][1])} for arch in archs]

    def _on(self, archs: Sequence[str], inputs: Tensor, targets: Tensor) -> dict[str, Found]:
        """Returns the scores of each different arch, in the order of the proxies, and what failed."""
        scorer = SizeScorer(self._supernet, inputs, sorted(set(self.sharing.values())))
        together = scorer(archs) if self.sharing else {}
        found: dict[str, Found] = {}
        for arch in dict.fromkeys(archs):
            shared = {name: together[arch][known] for name, known in self.sharing.items()}
            bad = [f"{name} is {value}" for name, value in shared.items() if not np.isfinite(value)]
            others, failures = self._others(arch, inputs, targets)
            scores = {name: {name: shared[name]} if name in shared else others[name] for name in self.proxies}
            flat = {column: value for values in scores.values() for column, value in values.items()}
            found[arch] = flat, [*(Failure(said, UNDEFINED) for said in bad), *failures]
        return found

    def _others(
        self, arch: str, inputs: Tensor, targets: Tensor
    ) -> tuple[dict[str, dict[str, float]], list[Failure]]:
        """Returns the scores of the proxies that see the plain net, by proxy and column."""
        names = [name for name in widest_first(self.proxies) if name not in self.sharing]
        scores: dict[str, dict[str, float]] = {}
        failures: list[Failure] = []
        if not names:
            return scores, failures
        net = self._supernet.net(arch)
        with seeded(self.init_seed), shared_work():  # what draws does so alike in any trial
            for name in names:
                proxy, columns = self.proxies[name], self.columns[name]
                foreign = built_in_name(proxy) is None
                scores[name], said = score_net(
                    name, proxy, net, inputs, targets, copies=foreign, columns=columns
                )
                failures += said
        return scores, failures

    @cached_property
    def _supernet(self) -> SizeSupernet:
        return SizeSupernet(self.num_classes, self.init_seed, self.space.stem, self.device)
