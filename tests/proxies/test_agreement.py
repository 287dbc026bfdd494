from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from nas_ray.proxies import agreement as module
from nas_ray.proxies.agreement import agreement, bytes_are_faster, of_bytes, of_floats

SHAPES = [(5, 3), (4, 6, 5, 5), (9, 1, 2, 2), (2, 7, 1, 1), (3, 4, 5), (1, 4)]


@pytest.fixture(autouse=True)
def measured_anew() -> Iterator[None]:
    bytes_are_faster.cache_clear()
    yield
    bytes_are_faster.cache_clear()


def by_hand(activations: Tensor) -> list[list[float]]:
    signs = [(row > 0).flatten().tolist() for row in activations]
    return [[float(sum(a == b for a, b in zip(x, y, strict=True))) for y in signs] for x in signs]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("bytewise", [False, True])
@pytest.mark.parametrize("halved_from", [0, module.LARGE])
def test_counts_exactly_with_either_product(
    shape: tuple[int, ...], bytewise: bool, halved_from: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGE", halved_from)
    monkeypatch.setattr(module, "bytes_are_faster", lambda: bytewise)
    activations = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    activations.view(-1)[::4] = 0
    orders = [activations]
    if activations.dim() == 4:
        orders.append(activations.contiguous(memory_format=torch.channels_last))
    for given in (*orders, activations.double(), activations.bfloat16()):
        counts = agreement(given)
        assert counts.dtype == torch.float64
        assert counts.tolist() == by_hand(activations)


@pytest.mark.parametrize("product", [of_bytes, of_floats])
def test_more_units_than_bfloat16_can_count(
    product: module.Multiply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "bytes_are_faster", lambda: product is of_bytes)
    same = torch.ones(2, 1001)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert agreement(same).tolist() == [[1001.0] * 2] * 2


def test_units_are_counted_in_parts_that_float32_can_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EXACT_IN_FLOAT32", 7)
    activations = torch.randn(4, 30, generator=torch.Generator().manual_seed(0))
    assert agreement(activations).tolist() == by_hand(activations)


def test_the_faster_product_is_found_by_measuring(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {of_bytes: 1.0, of_floats: 2.0}
    monkeypatch.setattr(module, "fastest", lambda multiply, active: seconds[multiply])
    assert bytes_are_faster()
    bytes_are_faster.cache_clear()
    seconds[of_bytes] = 3.0
    assert not bytes_are_faster()


def test_without_a_product_of_bytes_floats_are_multiplied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch, "_int_mm")
    assert not bytes_are_faster()
    assert agreement(torch.tensor([[1.0, -1.0], [1.0, 1.0]])).tolist() == [[2.0, 1.0], [1.0, 2.0]]
