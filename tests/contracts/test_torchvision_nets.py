"""Every proxy on classifiers of torchvision: a number that depends on the net, or a refusal of its own."""

from __future__ import annotations

import math
from functools import lru_cache

import pytest
import torch
from torch import Tensor, nn

from nas_ray.proxies import OF_ONE_SPACE, PROXIES
from tests.contracts.torchvision_nets import CLASSES, NETS, PIXELS

OF_OTHERS = dict.fromkeys(OF_ONE_SPACE, "needs a net with the attribute")
NO_RELUS = dict.fromkeys(("linear_regions", "naswot", "swap"), "no ReLU module")
NO_BN = {"zen": "has no BN"}
SMALL_MAPS = {"meco": "needs a feature map with more positions than channels"}
BELOW = {"logsynflow_released": "a gradient below -1"}
TWO_BLOCKS = dict.fromkeys(
    ("az_expressivity", "az_progressivity", "az_trainability"), "needs a net of at least two blocks"
)
ZERO_HEAD = dict.fromkeys(
    [
        *("epe_nas", "fisher", "fisher_channels", "jacob_cov", "lcmnas", "logsynflow", "plain", "snip"),
        *("synflow", "synflow_released", "vkdnw"),
    ],
    "says nothing of the net, since the weight of heads.head is all zeros",
)
"""torchvision draws no weights for the classifier of its vision transformers."""

REFUSED: dict[str, dict[str, str]] = {
    "mlp": {"meco": "no feature map", **NO_BN},
    "shufflenet_v2_x0_5": {},
    "mobilenet_v2": {},
    "resnet18": {},
    "densenet121": {},
    "googlenet": {**NO_RELUS, "near": "calls no activation module"},
    "efficientnet_b0": NO_RELUS,
    "convnext_tiny": {**NO_RELUS, **NO_BN, **BELOW, **SMALL_MAPS},
    "vit_b_16": {**NO_RELUS, **NO_BN, **BELOW, **SMALL_MAPS, **TWO_BLOCKS, **ZERO_HEAD},
    "swin_t": {**NO_RELUS, **NO_BN, **BELOW, **SMALL_MAPS},
}
"""What each proxy that does not give a number says; all others give one."""

BLIND_TO_WIDTH = {"num_conv", "linear_regions"}
"""It counts layers; and it is at its ceiling, the number of images, for nets of this size."""

AT_ITS_CEILING = {("densenet121", "swap")}
"""All sign patterns that twelve images can have occur."""

FAST = {
    *(("mlp", name) for name in PROXIES),
    *(("mobilenet_v2", name) for name in ("synflow", "logsynflow", "flops", "vkdnw", "swap", "fisher")),
    *(("efficientnet_b0", name) for name in ("synflow", "grasp", "naswot", "flops")),
    *(("swin_t", name) for name in ("flops", "synflow", "near")),
}
"""What is tried in every run of the tests; the rest of the table is slow."""

SLOW = pytest.mark.slow(faster="test_a_number_that_depends_on_the_net_or_a_refusal")

TABLE = [
    pytest.param(net, name, marks=() if (net, name) in FAST else SLOW)
    for net in NETS
    for name in sorted(PROXIES)
]


@lru_cache(maxsize=2)
def built(net: str, half: bool) -> nn.Module:
    """Returns a net in float32; the tests of one net follow each other, so each is built once."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return NETS[net](half)


def images() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(12, 3, PIXELS, PIXELS, generator=generator), torch.arange(12) % CLASSES


@pytest.mark.parametrize(("net", "name"), TABLE)
def test_a_number_that_depends_on_the_net_or_a_refusal(net: str, name: str) -> None:
    proxy = PROXIES[name]
    expected = {**OF_OTHERS, **REFUSED[net]}.get(name)
    if expected is not None:
        with pytest.raises(ValueError, match=rf"^{name}: [^\n]*{expected}[^\n]*\.$"):
            proxy(built(net, half=False), *images())
        return
    score = proxy(built(net, half=False), *images())
    assert isinstance(score, float)
    assert math.isfinite(score)
    if name in BLIND_TO_WIDTH or (net, name) in AT_ITS_CEILING:
        assert score > 0 or net == "mlp"
    else:
        assert score != proxy(built(net, half=True), *images())


def test_the_table_names_proxies_and_nets_that_there_are() -> None:
    assert set(REFUSED) == set(NETS)
    assert {name for refused in REFUSED.values() for name in refused} <= set(PROXIES)
