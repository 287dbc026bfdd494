"""Measured costs: what they count, and what a limit on them does to a search."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nas_ray.drivers.simulation import simulate
from nas_ray.errors import UsageError
from nas_ray.evaluation.proxy_scores import ProxyScores
from nas_ray.proxies import PROXIES
from nas_ray.proxies.measured import MEASURED, MIB, latency_ms, peak_memory_mib
from nas_ray.search.arguments import SearchArgs
from nas_ray.search.experiment import prepare
from nas_ray.spaces import NatsTss

IMAGES, LABELS = torch.zeros(4, 3, 32, 32), torch.zeros(4, dtype=torch.int64)


class Slow(nn.Module):
    """Waits 20 ms, and a second in the first pass."""

    def __init__(self) -> None:
        super().__init__()
        self.passes = 0

    def forward(self, x: Tensor) -> Tensor:
        self.passes += 1
        time.sleep(0.3 if self.passes == 1 else 0.02)
        return x


def test_latency_is_the_median_after_warming_up() -> None:
    net = Slow().train()
    assert 19 < latency_ms(net, IMAGES, LABELS) < 60
    assert net.training


def test_memory_is_weights_image_and_the_maps_that_live_together() -> None:
    # 64 maps of 32x32 and their ReLU live together; then those of the ReLU and the eight of the second.
    net = nn.Sequential(nn.Conv2d(3, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 8, 3, padding=1))
    weights = sum(parameter.numel() for parameter in net.parameters())
    floats = weights + 3 * 32 * 32 + 2 * 64 * 32 * 32
    assert peak_memory_mib(net, IMAGES, LABELS) == pytest.approx(4 * floats / MIB)
    in_place = nn.Sequential(nn.Conv2d(3, 64, 3, padding=1), nn.ReLU(inplace=True))
    floats = sum(parameter.numel() for parameter in in_place.parameters()) + 3 * 32 * 32 + 64 * 32 * 32
    assert peak_memory_mib(in_place, IMAGES, LABELS) == pytest.approx(4 * floats / MIB)


def test_wider_nets_need_more() -> None:
    nets = [NatsTss(channels, 1).build(NatsTss()[0], 10) for channels in (4, 16)]
    small, large = (peak_memory_mib(net, IMAGES, LABELS) for net in nets)
    assert small < large


def evaluator(limits: dict[str, float]) -> ProxyScores:
    proxies: dict[str, Any] = {"naswot": PROXIES["naswot"], **MEASURED}
    inputs = np.random.default_rng(0).normal(size=(4, 3, 16, 16)).astype(np.float32)
    return ProxyScores(NatsTss(4, 1), 10, inputs, np.zeros(4, dtype=np.int64), proxies, limits=limits)


def test_an_arch_above_a_limit_is_a_failed_row_that_says_what_it_costs() -> None:
    rows: list[dict[str, Any]] = []
    evaluator({"peak_memory_mib": 1e-6})(NatsTss()[0], rows.append)
    assert np.isnan(rows[0]["naswot"])
    assert rows[0]["peak_memory_mib"] > 0
    assert "is above the limit 1e-06" in rows[0]["error"]
    evaluator({"peak_memory_mib": 1e6, "latency_ms": 1e6})(NatsTss()[0], rows.append)
    assert rows[1]["error"] is None
    assert np.isfinite(rows[1]["naswot"])


def test_a_search_goes_on_below_a_limit() -> None:
    limit = 3.0
    args = SearchArgs(
        images="digits", batch_size=4, max_memory_mib=limit, proxies=("naswot",), benchmark="none"
    )
    experiment = prepare("random_search", args, "random_search")
    assert experiment.scores == ("naswot", "peak_memory_mib")
    assert str(experiment.fitness) == "naswot"
    rows = simulate(experiment.searcher, experiment.evaluator, num_samples=12)
    above = rows["peak_memory_mib"] > limit
    assert 0 < above.sum() < 12
    assert (rows["error"].notna() == above).all()
    assert np.isneginf(rows["fitness"][above]).all()


def test_costs_are_objectives() -> None:
    args = SearchArgs(images="digits", batch_size=4, proxies=("naswot,latency_ms",), benchmark="none")
    experiment = prepare("search", args, "nsga2")
    assert str(experiment.fitness) == "naswot"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"max_latency_ms": 0.0}, "--max-latency-ms must be above 0"),
        ({"max_memory_mib": float("nan")}, "--max-memory-mib must be above 0"),
        ({"proxies": ("latency_ms",)}, "needs a score to maximise"),
        ({"max_latency_ms": 5.0, "archs_per_trial": 4}, "cannot measure latency_ms"),
    ],
)
def test_bad_options(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        prepare("search", SearchArgs(images="digits", **options), "random_search")
    assert said in str(caught.value)
