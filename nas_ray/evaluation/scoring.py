"""A LightningModule that scores one net with zero-cost proxies on one minibatch."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from nas_ray.errors import failure
from nas_ray.process.foreign_code import Contained, ForeignCode
from nas_ray.process.lightning import pl
from nas_ray.proxies import PROXIES, Proxy
from nas_ray.proxies.losses import Loss, loss_of
from nas_ray.proxies.sharing import nothing_shared, shared_work, widest_first
from nas_ray.proxies.values import announced, named_values
from nas_ray.rows import UNDEFINED, Failure


class ScoringModule(pl.LightningModule):
    """Scores `net` in `test_step`: one value per proxy, and a failure for each that has none.

    A proxy of this package leaves net and batch as they were, so these share them, and the passes that
    several of them need (`nas_ray.proxies.sharing`); any other gets copies.

    Args:
        net: an untrained net, such as `[B, 3, H, W] -> [B, classes]`.
        proxies: proxies by column name.
        columns: the columns that each must fill, as far as they are known.
        loss: of which proxies take gradients; None for cross-entropy of labels.

    Attributes:
        scores: value per column; a proxy that returned a dict gives one column `name.key` per entry, one that
            raised gives NaN.
        seconds: seconds that each proxy takes alone, as column `name_seconds`: measured, with those of the
            work that it took over from another.
        failures: one for each proxy that raised and each score that is not finite.
    """

    def __init__(
        self,
        net: nn.Module,
        proxies: Mapping[str, Proxy],
        columns: Mapping[str, Sequence[str]] | None = None,
        loss: Loss | None = None,
    ) -> None:
        super().__init__()
        self.loss = loss
        self.columns = columns or {}
        self.net = net
        self.proxies = proxies
        self.scores: dict[str, float] = {}
        self.seconds: dict[str, float] = {}
        self.failures: list[Failure] = []

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Scores the net on `(inputs [B, ...], targets [B, ...])`."""
        self.net.train()  # as built; Lightning switched to evaluation mode
        found = {}
        with torch.enable_grad(), loss_of(self.loss), shared_work() as work:
            for name in widest_first(self.proxies):
                start, saved = time.perf_counter(), work.saved_seconds
                found[name] = self._score(name, *batch)
                alone = time.perf_counter() - start + work.saved_seconds - saved
                self.seconds[f"{name}_seconds"] = alone
        for name in self.proxies:
            values, failures = found[name]
            self.scores.update(values)
            self.failures += failures

    def _score(self, name: str, inputs: Tensor, targets: Tensor) -> tuple[dict[str, float], list[Failure]]:
        proxy = self.proxies[name]
        foreign = PROXIES.get(name) is not proxy
        columns = self.columns.get(name, ())
        return score_net(name, proxy, self.net, inputs, targets, copies=foreign, columns=columns)


def score_net(
    name: str,
    proxy: Proxy,
    net: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    *,
    copies: bool,
    columns: Sequence[str] = (),
) -> tuple[dict[str, float], list[Failure]]:
    """Returns the scores of one proxy by column, and a failure for each that is not finite or not there.

    Args:
        name: column of the proxy.
        proxy: what scores; one that raises gives NaN.
        net: what is scored.
        inputs: `[B, ...]`, such as images `[B, 3, H, W]`.
        targets: `[B, ...]`, such as labels `[B]`.
        copies: the proxy is foreign: it gets copies, since it may change what it is given, shares no pass,
            and what it changes of the process is put back.
        columns: those that it must fill, as far as they are known.
    """
    try:
        with foreign_call() if copies else Contained():
            if copies:
                net, inputs, targets = copy.deepcopy(net), inputs.clone(), targets.clone()
            found = proxy(net, inputs, targets)
        values, said = announced(name, named_values(name, found), columns)
    except Exception as error:
        return dict.fromkeys(columns or (name,), math.nan), [failure(error, f"{name}: ")]
    missing = len(said)
    said += [f"{key} is {value}" for key, value in list(values.items())[missing:] if not math.isfinite(value)]
    return values, [Failure(sentence, UNDEFINED) for sentence in said]


@contextmanager
def foreign_call() -> Iterator[None]:
    """The surroundings of a call of a foreign proxy."""
    with ForeignCode(), nothing_shared():
        yield
