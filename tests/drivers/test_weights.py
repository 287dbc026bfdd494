"""Nets that no memory of this machine could hold are refused."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from nas_ray.drivers import weights
from nas_ray.drivers.resources import Request
from nas_ray.drivers.weights import check_weights
from nas_ray.errors import UsageError
from nas_ray.score_space.memory_limit import GIB
from nas_ray.shared_weights.supernet import Supernet
from nas_ray.spaces import NatsTss


def machine(monkeypatch: pytest.MonkeyPatch, size: float) -> None:
    monkeypatch.setattr(weights.psutil, "virtual_memory", lambda: SimpleNamespace(total=size))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


def test_weights_that_do_not_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, 64 * GIB)
    check_weights(NatsTss(), Request())
    with pytest.raises(UsageError) as caught:
        check_weights(NatsTss(1024, 100), Request())
    assert str(caught.value) == (
        "--channels 1024 and --cells 100 make a supernet whose weights take 492 GiB, but this machine has 64 "
        "GiB; lower them."
    )
    check_weights(NatsTss(1024, 100), Request(address="head:6379"))


def test_the_estimate_is_what_a_supernet_has_in_its_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    space = NatsTss(16, 2)
    with torch.device("meta"):
        net = Supernet(space, 10)
    cells = sum(p.numel() for name, p in net.named_parameters() if ".edges." in name)
    machine(monkeypatch, 4 * cells)
    check_weights(space, Request())
    machine(monkeypatch, 4 * cells - 1)
    with pytest.raises(UsageError):
        check_weights(space, Request())
