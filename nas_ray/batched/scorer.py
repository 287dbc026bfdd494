"""Scores chunks of archs on the weights of one supernet."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from nas_ray.batched import BATCHED, ON_VIEWS
from nas_ray.errors import describe
from nas_ray.proxies.sharing import shared_work, widest_first
from nas_ray.spaces.nats_tss import NatsTss
from nas_ray.spaces.supernet import Supernet


class ChunkScorer:
    """Turns a list of archs into a table, on the CPU or a GPU; pickles as its arguments.

    Scores depend on the arch, the minibatch and `init_seed` alone, not on the other archs of a chunk, but for
    the rounding of sums.

    Args:
        space: whose archs these are.
        num_classes: outputs of the nets.
        inputs: images `[B, 3, H, W]`, float32.
        targets: labels `[B]`, int64.
        proxies: names of proxies that have a batched form (`nas_ray.batched.BATCHED`).
        init_seed: seed of the weights of the supernet.
        device: where to compute.
    """

    def __init__(
        self,
        space: NatsTss,
        num_classes: int,
        inputs: np.ndarray,
        targets: np.ndarray,
        proxies: Sequence[str],
        *,
        init_seed: int = 0,
        device: str = "cpu",
    ) -> None:
        self.space = space
        self.num_classes = num_classes
        self.inputs = inputs
        self.targets = targets
        self.proxies = tuple(proxies)
        self.init_seed = init_seed
        self.device = device

    def __call__(self, archs: Sequence[str]) -> pd.DataFrame:
        """Returns a row per arch, in the order given: `arch`, a column per proxy, `seconds`, `error` or None.

        `seconds` is the mean of the chunk. A proxy that fails for an arch gives NaN and an entry in `error`.
        """
        start = time.perf_counter()
        table = pd.DataFrame({"arch": list(archs)})
        errors: list[list[str]] = [[] for _ in archs]
        for name in self.proxies:
            if name not in ON_VIEWS:
                table[name] = BATCHED[name](self._supernet, archs, *self._batch).cpu().numpy()
        rows = [self._on_view(arch, errors[i]) for i, arch in enumerate(archs)]
        for name in self.proxies:
            if name in ON_VIEWS:
                table[name] = [row[name] for row in rows]
        for name in self.proxies:
            for i in np.flatnonzero(~np.isfinite(table[name].to_numpy(dtype=float))):
                if not any(error.startswith(f"{name}:") for error in errors[i]):
                    errors[i].append(f"{name} is {table[name][i]}")
        table["seconds"] = (time.perf_counter() - start) / max(1, len(archs))
        table["error"] = pd.array(["; ".join(e) or None for e in errors], dtype="string")
        return table[["arch", *self.proxies, "seconds", "error"]]

    def _on_view(self, arch: str, errors: list[str]) -> dict[str, float]:
        scores = {}
        view = self._supernet.view(arch)
        with shared_work():
            for name in widest_first(self.proxies):
                if name in ON_VIEWS:
                    try:
                        scores[name] = ON_VIEWS[name](view, *self._batch)
                    except Exception as error:
                        scores[name] = float("nan")
                        errors.append(f"{name}: {describe(error)}")
        return scores

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
