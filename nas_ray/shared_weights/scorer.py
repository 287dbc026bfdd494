"""Scores chunks of archs on the weights of one supernet."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from nas_ray.evaluation.scoring import score_net
from nas_ray.process.seeded import seeded
from nas_ray.proxies import PROXIES, Proxy
from nas_ray.proxies.plugin import known_columns
from nas_ray.proxies.sharing import shared_work, widest_first
from nas_ray.rows import ERROR, ERROR_KIND, UNDEFINED, Failure, failed
from nas_ray.shared_weights.batched import BATCHED, ONE_BY_ONE
from nas_ray.shared_weights.one_by_one import WHOLE, Way, first_of_each
from nas_ray.shared_weights.out_of_memory import in_halves
from nas_ray.shared_weights.precision import in_precision
from nas_ray.shared_weights.supernet import Supernet
from nas_ray.spaces.nats_tss import NatsTss


class ChunkScorer:
    """Turns a list of archs into a table, on the CPU or a GPU; pickles as its arguments.

    Scores depend on the arch, the minibatch and `init_seed` alone, not on the other archs of a chunk, but for
    the rounding of sums. Archs that are the same to a proxy are scored once.

    Args:
        space: whose archs these are.
        num_classes: outputs of the nets.
        inputs: images `[B, 3, H, W]`, float32.
        targets: labels `[B]`, int64.
        proxies: names of built-in proxies, or proxies by column name. One without a batched form
            (`nas_ray.shared_weights.BATCHED`) sees the plain net with the weights of the supernet.
        columns: the columns of scores, where they are known; a proxy that returns a dict fills several.
        init_seed: seed of the weights of the supernet.
        device: where to compute.
        together: the most archs that run as one batch.
        precision: one of `nas_ray.shared_weights.precision.PRECISIONS`.
    """

    def __init__(
        self,
        space: NatsTss,
        num_classes: int,
        inputs: np.ndarray,
        targets: np.ndarray,
        proxies: Sequence[str] | Mapping[str, Proxy],
        *,
        columns: Sequence[str] | None = None,
        init_seed: int = 0,
        device: str = "cpu",
        together: int = 64,
        precision: str = "float32",
    ) -> None:
        self.space = space
        self.num_classes = num_classes
        self.inputs = inputs
        self.targets = targets
        self.proxies = named_proxies(proxies)
        self.known = {name: known_columns(name, proxy) for name, proxy in self.proxies.items()}
        self.columns = None if columns is None else tuple(columns)
        self.init_seed = init_seed
        self.device = device
        self.together = together
        self.precision = precision

    def __call__(self, archs: Sequence[str]) -> pd.DataFrame:
        """Returns a row per arch, in the order given: `arch`, a column per score, `seconds`, and failures.

        `seconds` is the mean of the chunk. A proxy that fails for an arch gives NaN and an entry in `error`,
        and `error_kind` says of what kind; both are missing where nothing failed.
        """
        return self.on(archs, *self._batch)

    def on(self, archs: Sequence[str], *batch: Tensor) -> pd.DataFrame:
        """Returns the same on a minibatch that is given: images `[B, 3, H, W]` and labels `[B]`."""
        start = time.perf_counter()
        rows: list[dict[str, float]] = [{} for _ in archs]
        failures: list[list[Failure]] = [[] for _ in archs]
        for name, proxy in self.proxies.items():
            if self._runs_together(proxy):
                for row, own, score in zip(rows, failures, self._together(proxy, archs, batch), strict=True):
                    row[name] = score
                    if not np.isfinite(score):
                        own.append(Failure(f"{name} is {score}", UNDEFINED))
        for way, proxies in self._by_way().items():
            different, where = first_of_each(archs, way.key)
            found = [self._one(way, arch, proxies, batch) for arch in different]
            for row, own, place in zip(rows, failures, where, strict=True):
                row.update(found[place][0])
                own += found[place][1]
        table = pd.DataFrame({"arch": list(archs)})
        for column in self._columns(rows):
            table[column] = [row.get(column, float("nan")) for row in rows]
        table["seconds"] = (time.perf_counter() - start) / max(1, len(archs))
        told = [failed(own) for own in failures]
        for column in (ERROR, ERROR_KIND):
            table[column] = pd.array([one.get(column) for one in told], dtype="string")
        return table

    @property
    def names(self) -> list[str]:
        """The columns of scores, as far as they are known before anything was scored."""
        return self._columns([])

    def _columns(self, rows: Sequence[Mapping[str, float]]) -> list[str]:
        """Returns the columns of scores, in the order of the proxies."""
        if self.columns is not None:
            return list(self.columns)
        columns: list[str] = []
        for name in self.proxies:
            own = [column for row in rows for column in row if column.startswith(f"{name}.")]
            columns += list(dict.fromkeys(own)) or list(self.known[name]) or [name]
        return columns

    @staticmethod
    def _runs_together(proxy: Proxy) -> bool:
        name = built_in_name(proxy)
        return name in BATCHED and name not in ONE_BY_ONE

    def _together(self, proxy: Proxy, archs: Sequence[str], batch: Sequence[Tensor]) -> list[float]:
        parts = [archs[i : i + self.together] for i in range(0, len(archs), self.together)]
        name = built_in_name(proxy) or ""
        batched = BATCHED[name]
        scores: list[Tensor] = []
        with in_precision(self.precision, name, self.device):
            for part in parts:
                scores += in_halves(lambda some: batched(self.supernet, some, *batch), part)
        return torch.cat(scores).tolist() if scores else []

    def _by_way(self) -> dict[Way, dict[str, Proxy]]:
        """Returns the proxies that go arch by arch, by the net that they see."""
        ways: dict[Way, dict[str, Proxy]] = {}
        columns = {name: built_in_name(proxy) or "" for name, proxy in self.proxies.items()}
        order = widest_first(columns.values())
        for name, known in sorted(columns.items(), key=lambda column: order.index(column[1])):
            if known in ONE_BY_ONE:
                way, own = ONE_BY_ONE[known]
                ways.setdefault(way, {})[name] = own
            elif known not in BATCHED:
                ways.setdefault(WHOLE, {})[name] = self.proxies[name]
        return ways

    def _one(
        self, way: Way, arch: str, proxies: Mapping[str, Proxy], batch: Sequence[Tensor]
    ) -> tuple[dict[str, float], list[Failure]]:
        net = way.net(self.supernet, arch)
        inputs, targets = batch
        scores: dict[str, float] = {}
        failures: list[Failure] = []
        foreign = any(built_in_name(self.proxies[name]) is None for name in proxies)
        draws = seeded(self.init_seed) if foreign else nullcontext()  # alike in any chunk
        with draws, shared_work():
            for name, proxy in proxies.items():
                known = built_in_name(self.proxies[name])  # any other may change what it is given
                with in_precision(self.precision, known or "", self.device):
                    values, said = score_net(
                        name, proxy, net, inputs, targets, copies=known is None, columns=self.known[name]
                    )
                scores.update(values)
                failures += said
        return scores, failures

    @property
    def supernet(self) -> Supernet:
        """The net whose weights all archs share."""
        return self._supernet

    @cached_property
    def _supernet(self) -> Supernet:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(self.init_seed)
            return Supernet(self.space, self.num_classes).to(self.device)

    @cached_property
    def _batch(self) -> tuple[Tensor, Tensor]:
        inputs = torch.tensor(self.inputs).to(self.device, memory_format=torch.channels_last)
        return inputs, torch.tensor(self.targets).to(self.device)

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if not name.startswith("_")}


def built_in_name(proxy: Proxy) -> str | None:
    """Returns what this package calls a proxy, whatever its column is named; None for any other."""
    name = getattr(proxy, "__name__", "")
    return name if PROXIES.get(name) is proxy else None


def named_proxies(proxies: Sequence[str] | Mapping[str, Proxy]) -> dict[str, Proxy]:
    """Returns proxies by column, from names of built-in ones or from themselves."""
    return dict(proxies) if isinstance(proxies, Mapping) else {name: PROXIES[name] for name in proxies}
