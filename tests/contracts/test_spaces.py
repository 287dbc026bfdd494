"""What every search space must do, run over the whole dict, with and without settings beside the archs."""

from __future__ import annotations

import pytest

from nas_ray.spaces import SPACES, SearchSpace
from nas_ray.spaces.named import open_space
from nas_ray.spaces.options import OPTIONS
from nas_ray.testing import SpaceContract

SETTINGS = {"": "", "range": "@lr=log:0.01..1,epochs=1..4,batch_size=32/64", "choices": "@lr=0.1/0.01"}
SMALL = {
    **dict.fromkeys(OPTIONS, ":channels=4,cells=3"),
    **dict.fromkeys(("nasnet", "pnas"), ":channels=2,cells=1,blocks=2"),
    "nasnet-cells": ":channels=2,cells=1",
}
"""Options of spaces whose nets would take long."""


@pytest.fixture(params=sorted(SPACES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class TestEverySpace(SpaceContract):
    @pytest.fixture(params=SETTINGS)
    def space(self, request: pytest.FixtureRequest, name: str) -> SearchSpace:
        return open_space(f"{name}{SMALL.get(name, '')}{SETTINGS[request.param]}")
