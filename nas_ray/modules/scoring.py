"""A LightningModule that scores one net with zero-cost proxies on one minibatch."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from nas_ray.errors import describe
from nas_ray.proxies import PROXIES, Proxy
from nas_ray.proxies.sharing import shared_work, widest_first


class ScoringModule(pl.LightningModule):
    """Scores `net` in `test_step`: one value per proxy, and one sentence for each that failed.

    A proxy of this package leaves net and batch as they were, so these share them, and the passes that
    several of them need (`nas_ray.proxies.sharing`); any other gets copies.

    Args:
        net: an untrained net `[B, 3, H, W] -> [B, classes]`.
        proxies: proxies by column name.

    Attributes:
        scores: value per column; a proxy that returned a dict gives one column `name.key` per entry, one that
            raised gives NaN.
        seconds: seconds that each proxy takes alone, as column `name_seconds`: measured, with those of the
            work that it took over from another.
        errors: one entry per proxy that raised or returned something that is not finite.
    """

    def __init__(self, net: nn.Module, proxies: Mapping[str, Proxy]) -> None:
        super().__init__()
        self.net = net
        self.proxies = proxies
        self.scores: dict[str, float] = {}
        self.seconds: dict[str, float] = {}
        self.errors: list[str] = []

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Scores the net on `(inputs [B, 3, H, W], targets [B])`."""
        self.net.train()  # as built; Lightning switched to evaluation mode
        found = {}
        with torch.enable_grad(), shared_work() as work:
            for name in widest_first(self.proxies):
                start, saved = time.perf_counter(), work.saved_seconds
                found[name] = self._score(name, *batch)
                alone = time.perf_counter() - start + work.saved_seconds - saved
                self.seconds[f"{name}_seconds"] = alone
        for name in self.proxies:
            values, errors = found[name]
            self.scores.update(values)
            self.errors += errors

    def _score(self, name: str, inputs: Tensor, targets: Tensor) -> tuple[dict[str, float], list[str]]:
        proxy = self.proxies[name]
        foreign = PROXIES.get(name) is not proxy
        return score_net(name, proxy, self.net, inputs, targets, copies=foreign)


def score_net(
    name: str, proxy: Proxy, net: nn.Module, inputs: Tensor, targets: Tensor, *, copies: bool
) -> tuple[dict[str, float], list[str]]:
    """Returns the scores of one proxy by column, and a sentence for each that is not finite or not there.

    Args:
        name: column of the proxy.
        proxy: what scores; one that raises gives NaN.
        net: what is scored.
        inputs: images `[B, 3, H, W]`.
        targets: labels `[B]`.
        copies: the proxy gets copies, since it may change what it is given.
    """
    if copies:
        net, inputs, targets = copy.deepcopy(net), inputs.clone(), targets.clone()
    try:
        values = named_values(name, proxy(net, inputs, targets))
    except (Exception, SystemExit) as error:  # SystemExit: a plug-in must not end the worker
        return {name: math.nan}, [f"{name}: {describe(error)}"]
    return values, [f"{key} is {value}" for key, value in values.items() if not math.isfinite(value)]


def named_values(name: str, value: Any) -> dict[str, float]:
    """Returns what a proxy returned as columns: `{name: value}`, or `{name.key: value}` for a dict.

    Raises:
        TypeError: the value is no number and no dict of numbers.
    """
    if isinstance(value, dict):
        return {f"{name}.{key}": float(item) for key, item in value.items()}
    if not isinstance(value, (int, float)) and not (
        hasattr(value, "item") and getattr(value, "size", 1) != 0
    ):
        raise TypeError(f"a proxy returns a float or a dict of floats, got {type(value).__name__}")
    return {name: float(value)}
