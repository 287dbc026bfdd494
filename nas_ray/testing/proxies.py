"""What every proxy must do."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nas_ray.drivers.by_value import travelled
from nas_ray.errors import describe
from nas_ray.proxies import Proxy
from nas_ray.proxies.plugin import resolve_proxies
from nas_ray.proxies.values import Values, named_values
from nas_ray.spaces.nats_tss import NatsTss
from nas_ray.testing.given import contract_of

CLASSES = 5
HEALTHY = "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_3x3~1|nor_conv_1x1~2|"
DISCONNECTED = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"


def proxy_contract(proxy: Proxy) -> type[ProxyContract]:
    """Returns the tests of a proxy."""
    return contract_of(ProxyContract, proxy=proxy)


def cell_net(arch: str = HEALTHY) -> nn.Module:
    """Returns a small net of NATS-TSS."""
    return NatsTss(channels=4, cells=1).build(arch, CLASSES)


def chain() -> nn.Module:
    """Returns convolutions with in-place ReLUs and dropout."""
    block = [nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Dropout2d()]
    again = [nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True)]
    return nn.Sequential(*block, *again, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, CLASSES))


def dense() -> nn.Module:
    """Returns a net without a convolution."""
    layers = [nn.Linear(192, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, CLASSES)]
    return nn.Sequential(nn.Flatten(), *layers)


NETS: list[Callable[[], nn.Module]] = [cell_net, chain, dense]


def built(make: Callable[[], nn.Module]) -> nn.Module:
    """Returns a net from seed 0, without a trace in the global random state."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make()


def batch(images: int = 10) -> tuple[Tensor, Tensor]:
    """Returns images `[images, 3, 8, 8]` and labels `[images]`."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(images, 3, 8, 8, generator=generator), torch.arange(images) % CLASSES


def scores(proxy: Proxy, make: Callable[[], nn.Module], images: int = 10) -> Values | str:
    """Returns the columns of a fresh net, or what the proxy says where it refuses the net."""
    (name,) = resolve_proxies([proxy])
    try:
        return named_values(name, proxy(built(make), *batch(images)))
    except Exception as error:
        if name not in describe(error):
            pytest.fail(f"an error must name the proxy {name!r}, got {error!r}")
        return describe(error)


class ProxyContract:
    """The tests of the fixture `proxy`."""

    def test_it_passes_what_is_checked_before_a_search(self, proxy: Proxy) -> None:
        """Its name can be a column, and it runs on a tiny net."""
        assert len(resolve_proxies([proxy])) == 1

    def test_a_healthy_arch_has_finite_scores(self, proxy: Proxy) -> None:
        """A cell of NATS-TSS can be scored."""
        values = scores(proxy, cell_net)
        assert isinstance(values, dict), values
        assert all(math.isfinite(value) for value in values.values())

    @pytest.mark.parametrize("net", NETS)
    def test_every_kind_of_net_has_finite_scores_or_an_error_that_names_the_proxy(
        self, proxy: Proxy, net: Callable[[], nn.Module]
    ) -> None:
        """A search goes on past a refusal, and its table says who refused."""
        values = scores(proxy, net)
        assert isinstance(values, str) or all(math.isfinite(value) for value in values.values())

    @pytest.mark.parametrize("net", NETS)
    def test_equal_nets_have_equal_scores(self, proxy: Proxy, net: Callable[[], nn.Module]) -> None:
        """Noise comes from a generator with a seed."""
        assert scores(proxy, net) == scores(proxy, net)

    @pytest.mark.parametrize("net", NETS)
    def test_what_others_use_is_left_as_it_was(self, proxy: Proxy, net: Callable[[], nn.Module]) -> None:
        """Images, labels and the global random states are everyone's."""
        inputs, targets = batch()
        built_net = built(net)
        before = torch.get_rng_state(), repr(np.random.get_state()), random.getstate()  # noqa: NPY002
        try:
            proxy(built_net, inputs, targets)
        except Exception as error:
            describe(error)  # a refusal is to leave no trace either
        assert torch.equal(torch.get_rng_state(), before[0])
        assert repr(np.random.get_state()) == before[1]  # noqa: NPY002
        assert random.getstate() == before[2]
        assert torch.equal(inputs, batch()[0])
        assert torch.equal(targets, batch()[1])
        assert not inputs.requires_grad
        assert inputs.grad is None

    def test_every_net_fills_the_same_columns(self, proxy: Proxy) -> None:
        """A column that is missing is NaN, and an error of its row."""
        found = [values for net in NETS if isinstance(values := scores(proxy, net), dict)]
        assert len({tuple(values) for values in found}) == 1

    def test_an_arch_without_a_path_is_not_the_best(self, proxy: Proxy) -> None:
        """Plus infinity would win every search."""
        values = scores(proxy, lambda: cell_net(DISCONNECTED))
        assert isinstance(values, str) or all(value != math.inf for value in values.values())

    def test_one_image_gives_a_number_or_an_error_that_names_the_proxy(self, proxy: Proxy) -> None:
        """The smallest minibatch."""
        assert scores(proxy, cell_net, images=1)

    def test_it_travels_to_another_process(self, proxy: Proxy) -> None:
        """Ray's workers get a copy."""
        assert scores(travelled(proxy), cell_net) == scores(proxy, cell_net)
