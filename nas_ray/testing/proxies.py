"""What every proxy must do."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from nas_ray.drivers.by_value import travelled
from nas_ray.errors import describe
from nas_ray.process.global_state import KeptState
from nas_ray.proxies import Proxy
from nas_ray.proxies.plugin import resolve_proxies
from nas_ray.proxies.values import Values, named_values
from nas_ray.spaces.nats_tss import NatsTss
from nas_ray.testing.given import contract_of, must, must_equal, must_leave

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


def is_finite(values: Values | str) -> bool:
    """Returns whether all scores are finite; a refusal has none."""
    return isinstance(values, str) or all(map(math.isfinite, values.values()))


class ProxyContract:
    """The tests of the fixture `proxy`."""

    def test_it_passes_what_is_checked_before_a_search(self, proxy: Proxy) -> None:
        """Its name can be a column, and it runs on a tiny net."""
        found = resolve_proxies([proxy])
        must(len(found) == 1, "A proxy must be one function with one name", list(found))

    def test_a_healthy_arch_has_finite_scores(self, proxy: Proxy) -> None:
        """A cell of NATS-TSS can be scored."""
        values = scores(proxy, cell_net)
        must(isinstance(values, dict), "A proxy must score a healthy cell of NATS-TSS", values)
        must(is_finite(values), "The score of a healthy cell of NATS-TSS must be finite", values)

    @pytest.mark.parametrize("net", NETS)
    def test_every_kind_of_net_has_finite_scores_or_an_error_that_names_the_proxy(
        self, proxy: Proxy, net: Callable[[], nn.Module]
    ) -> None:
        """A search goes on past a refusal, and its table says who refused."""
        values = scores(proxy, net)
        must(is_finite(values), f"A score must be finite or an error, also of the net {net.__name__}", values)

    @pytest.mark.parametrize("net", NETS)
    def test_equal_nets_have_equal_scores(self, proxy: Proxy, net: Callable[[], nn.Module]) -> None:
        """Noise comes from a generator with a seed."""
        first, second = scores(proxy, net), scores(proxy, net)
        must_equal(
            first, second, "Equal nets must have equal scores: take noise from a generator with a seed"
        )

    @pytest.mark.parametrize("net", NETS)
    def test_what_others_use_is_left_as_it_was(self, proxy: Proxy, net: Callable[[], nn.Module]) -> None:
        """Images, labels and the global random states are everyone's."""
        inputs, targets = batch()
        built_net = built(net)
        with KeptState() as kept:
            try:
                proxy(built_net, inputs, targets)
            except Exception as error:
                describe(error)  # a refusal is to leave no trace either
        must_leave(kept, "A proxy")
        must(torch.equal(inputs, batch()[0]), "A proxy must not change the images; work on a copy")
        must(torch.equal(targets, batch()[1]), "A proxy must not change the labels; work on a copy")
        must(
            not inputs.requires_grad and inputs.grad is None,
            "A proxy must leave no gradient at the images; take inputs.clone().requires_grad_()",
        )

    def test_every_net_fills_the_same_columns(self, proxy: Proxy) -> None:
        """A column that is missing is NaN, and an error of its row."""
        found = [tuple(values) for net in NETS if isinstance(values := scores(proxy, net), dict)]
        must(found, "A proxy must score at least one kind of net, got a refusal of all")
        must(len(set(found)) == 1, "A proxy must fill the same columns for every net", sorted(set(found)))

    def test_an_arch_without_a_path_is_not_the_best(self, proxy: Proxy) -> None:
        """Plus infinity would win every search."""
        values = scores(proxy, lambda: cell_net(DISCONNECTED))
        best = isinstance(values, dict) and any(value == math.inf for value in values.values())
        must(not best, "The score of a net without a path must not be plus infinity", values)

    def test_one_image_gives_a_number_or_an_error_that_names_the_proxy(self, proxy: Proxy) -> None:
        """The smallest minibatch."""
        values = scores(proxy, cell_net, images=1)
        must(values, "A proxy must give one image a number or an error that names the proxy", values)

    def test_it_travels_to_another_process(self, proxy: Proxy) -> None:
        """Ray's workers get a copy."""
        here, there = scores(proxy, cell_net), scores(travelled(proxy), cell_net)
        must_equal(there, here, "A copy in another process must score as the proxy does")
