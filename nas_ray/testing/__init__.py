"""Contract tests for plug-ins: what every proxy, searcher, space and benchmark must do, for pytest.

Three lines are a test file of one's own::

    from mine import active_share
    from nas_ray.testing import proxy_contract

    TestActiveShare = proxy_contract(active_share)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nas_ray.plugins import imported_when_used

if TYPE_CHECKING:
    from nas_ray.testing.benchmarks import BenchmarkContract, benchmark_contract
    from nas_ray.testing.proxies import ProxyContract, proxy_contract
    from nas_ray.testing.searchers import SearcherContract, searcher_contract
    from nas_ray.testing.spaces import SpaceContract, space_contract

__all__ = [
    "BenchmarkContract",
    "ProxyContract",
    "SearcherContract",
    "SpaceContract",
    "benchmark_contract",
    "proxy_contract",
    "searcher_contract",
    "space_contract",
]

_KINDS = {"benchmark": "benchmarks", "proxy": "proxies", "searcher": "searchers", "space": "spaces"}
pytest.register_assert_rewrite(*(f"{__name__}.{module}" for module in _KINDS.values()))

__getattr__ = imported_when_used(
    __name__,
    {f"{kind.title()}Contract": module for kind, module in _KINDS.items()}
    | {f"{kind}_contract": module for kind, module in _KINDS.items()},
)
