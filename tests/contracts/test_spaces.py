"""What every search space must do, run over the whole dict."""

from __future__ import annotations

import pytest

from nas_ray.spaces import SPACES, SearchSpace
from nas_ray.testing import SpaceContract


@pytest.fixture(params=sorted(SPACES))
def space(request: pytest.FixtureRequest) -> SearchSpace:
    return SPACES[request.param]()


class TestEverySpace(SpaceContract):
    pass
