"""Foreign proxies and spaces beside ours: in every evaluator they cost nobody else's score."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from nas_ray.evaluation.proxy_scores import ProxyScores
from nas_ray.proxies import PROXIES, Proxy
from nas_ray.proxies.l2_norm import l2_norm
from nas_ray.proxies.plugin import resolve_proxies, score_names
from nas_ray.searchers import Row
from nas_ray.shared_weights.chunk_scores import ChunkScores
from nas_ray.spaces import NatsTss

SPACE = NatsTss(channels=4, cells=1)
ARCHS = [SPACE[6111], SPACE[77]]
OURS = {name: PROXIES[name] for name in ("synflow", "naswot", "grad_norm")}
RNG = np.random.default_rng(0)
BATCH = RNG.normal(size=(8, 3, 16, 16)).astype(np.float32), RNG.integers(10, size=8)
TINY = 10
"""Modules of the net on which a plug-in is checked: what it does on larger ones the check cannot see."""


def large(net: nn.Module) -> bool:
    return sum(1 for _ in net.modules()) > TINY


def rows_by(kind: type, proxies: dict[str, Proxy], space: Any = SPACE) -> list[Row]:
    evaluate = kind(space, 10, *BATCH, proxies)
    rows: list[Row] = []
    for arch in ARCHS:
        evaluate(arch, rows.append)
    return rows


KINDS = pytest.mark.parametrize("kind", [ProxyScores, ChunkScores])


def changes_state(net: nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> float:
    if large(net):
        torch.set_default_dtype(torch.float64)
        torch.set_num_threads(2)
        torch.set_grad_enabled(False)
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.manual_seed(99)
        torch.nn.modules.module.register_module_forward_hook(lambda module, args, out: out * 2)
        inputs.zero_()
        targets.zero_()
        for parameter in net.parameters():
            parameter.requires_grad_(False)
            parameter.data.zero_()
    return 1.0


@KINDS
def test_what_a_plug_in_changes_on_large_nets_changes_no_other_score(kind: type) -> None:
    expected = rows_by(kind, OURS)
    proxies = resolve_proxies([changes_state, *OURS])
    found = rows_by(kind, {**proxies})
    after = rows_by(kind, OURS)
    for name in OURS:
        assert [row[name] for row in found] == [row[name] for row in expected] == [row[name] for row in after]
    assert torch.get_default_dtype() == torch.float32
    assert (torch.get_num_threads(), torch.is_grad_enabled()) == (1, True)


def calls_ours_twice(net: nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> dict[str, float]:
    first = PROXIES["grad_norm"](net, inputs, targets)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(0.5)
    return {"first": first, "second": PROXIES["grad_norm"](net, inputs, targets)}  # type: ignore[dict-item]


@KINDS
def test_a_plug_in_that_calls_ours_shares_no_pass(kind: type) -> None:
    for row in rows_by(kind, resolve_proxies([calls_ours_twice])):
        assert row["calls_ours_twice.first"] != row["calls_ours_twice.second"]


class Own(BaseException):
    """No `Exception`."""


def on_large(raised: BaseException | type[BaseException]) -> Proxy:
    def raises(net: nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> float:
        if large(net):
            raise raised
        return 1.0

    return raises  # type: ignore[return-value]


@KINDS
@pytest.mark.parametrize(
    "raised", [SystemExit(1), KeyboardInterrupt, Own("own"), GeneratorExit, asyncio.CancelledError]
)
def test_a_plug_in_that_ends_the_process_is_a_failed_row(kind: type, raised: Any) -> None:
    rows = rows_by(kind, resolve_proxies([on_large(raised), "synflow"]))
    name = type(raised).__name__ if isinstance(raised, BaseException) else raised.__name__
    for row, expected in zip(rows, rows_by(kind, OURS), strict=True):
        assert row["error"].startswith(f"raises: {name}")
        assert np.isnan(row["raises"])
        assert row["synflow"] == expected["synflow"]


def returns_on_large(value: Any, before: Any = 1.0) -> Proxy:
    def returns(net: nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> Any:
        return value if large(net) else before

    return returns  # type: ignore[return-value]


@KINDS
@pytest.mark.parametrize("value", [Decimal("0.5"), Fraction(1, 2), np.float32(0.5), torch.tensor([0.5])])
def test_numbers_of_any_kind_are_floats_in_rows(kind: type, value: Any) -> None:
    for row in rows_by(kind, resolve_proxies([returns_on_large(value, value)])):
        assert row["returns"] == 0.5
        assert type(row["returns"]) is float
        assert row["error"] is None


@KINDS
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"3", "TypeError: a proxy must return a float or a dict of floats, but got b'3' of type bytes"),
        ("3", "TypeError: a proxy must return a float or a dict of floats, but got '3' of type str"),
        (10**400, "OverflowError: a proxy must return a float or a dict of floats, but got a int that is too "
                  "large for a float"),
        (torch.zeros(3), "TypeError: a proxy must return a float or a dict of floats, but got a Tensor of "
                         "shape (3,)"),
        ({}, "TypeError: a proxy must return a float or a dict of floats, got an empty dict"),
    ],
)  # fmt: skip
def test_what_is_no_number_on_a_large_net_is_a_failed_row(kind: type, value: Any, said: str) -> None:
    for row in rows_by(kind, resolve_proxies([returns_on_large(value)])):
        assert row["error"] == f"returns: {said}"
        assert np.isnan(row["returns"])


@KINDS
def test_keys_that_a_large_net_has_not_are_told(kind: type) -> None:
    proxies = resolve_proxies([returns_on_large({"a": 1.0, "new": 3.0}, {"a": 1.0, "b": 2.0})])
    assert score_names(proxies) == ["returns.a", "returns.b"]
    for row in rows_by(kind, proxies):
        assert row["error"] == "returns: gave no 'b' as on a small net"
        assert (row["returns.a"], row["returns.new"]) == (1.0, 3.0)
        assert np.isnan(row["returns.b"])


@KINDS
def test_the_columns_of_a_failure_are_those_announced(kind: type) -> None:
    def fails(net: nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> dict[str, float]:
        if large(net):
            raise ValueError("no")
        return {"a": 1.0, "b": 2.0}

    for row in rows_by(kind, resolve_proxies([fails])):
        assert np.isnan([row["fails.a"], row["fails.b"]]).all()
        assert "fails" not in row
    evaluate = ProxyScores(SPACE, 10, *BATCH, resolve_proxies([fails]))
    rows: list[Row] = []
    evaluate("no arch", rows.append)
    assert {"fails.a", "fails.b"} < set(rows[0])


class ForeignSpace:
    """Nets that change the process, or end it, when they are built or run."""

    def __init__(self, act: Callable[[], object], when_run: bool) -> None:
        self.act, self.when_run = act, when_run

    def build(self, arch: str, num_classes: int) -> nn.Module:
        if not self.when_run:
            self.act()
        net = SPACE.build(arch, num_classes)
        if self.when_run:
            net.register_forward_pre_hook(lambda module, args: self.act() and None)
        return net


def end() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("when_run", [False, True])
def test_the_nets_of_a_foreign_space_may_change_or_end_the_process(when_run: bool) -> None:
    before = rows_by(ProxyScores, OURS)
    rows_by(ProxyScores, OURS, ForeignSpace(lambda: torch.set_num_threads(2), when_run))
    rows_by(
        ProxyScores,
        {"l2_norm": l2_norm},
        ForeignSpace(lambda: torch.set_default_dtype(torch.float64), when_run),
    )
    ended = rows_by(ProxyScores, OURS, ForeignSpace(end, when_run))
    assert all("KeyboardInterrupt" in row["error"] for row in ended)
    assert torch.get_default_dtype() == torch.float32
    for name in OURS:
        assert [row[name] for row in rows_by(ProxyScores, OURS)] == [row[name] for row in before]
