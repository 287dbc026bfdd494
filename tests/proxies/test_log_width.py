from __future__ import annotations

import math
import random
from typing import Any

import pytest
import torch

from nas_ray.proxies import log_width
from nas_ray.spaces import NatsSss
from tests.proxies.nets import batch, built, tss

SPACE = NatsSss()


def net(arch: str, classes: int) -> Any:
    return built(lambda: SPACE.build(arch, classes))


@pytest.mark.parametrize(
    ("arch", "classes", "product"),
    [
        ("8:16:24:32:40", 10, 8 * 16 * 24 * 32 * 40 * 10),
        ("8:16:24:32:40", 120, 8 * 16 * 24 * 32 * 40 * 40),
        ("64:8:8:8:8", 8, 64 * 8**5),
    ],
)
def test_by_hand(arch: str, classes: int, product: int) -> None:
    found = log_width(net(arch, classes), *batch())
    assert type(found) is float
    assert found == pytest.approx(math.log(product), rel=1e-12)


def test_what_the_net_tells_are_its_channels() -> None:
    """The widths are those of the built layers, whatever the attribute says."""
    arch = "16:8:24:40:32"
    made = net(arch, 7)
    channels = [block.edges[-2][1].out_channels if hasattr(block, "edges") else block.conv_b[1].out_channels
                for block in made.body]  # fmt: skip
    assert made.sizes == (*channels, made.classifier.out_features)


def test_it_leaves_everything_as_it_was_and_needs_no_weights() -> None:
    with torch.device("meta"):
        made = SPACE.build("8:16:24:32:40", 10)
    inputs, targets = batch()
    images, states = inputs.clone(), (torch.random.get_rng_state(), random.getstate())
    first = log_width(made, inputs, targets)
    with torch.inference_mode():
        assert log_width(made.eval(), inputs[:0], targets[:0]) == first
    assert torch.equal(inputs, images)
    assert torch.equal(torch.random.get_rng_state(), states[0])
    assert random.getstate() == states[1]


def test_a_net_of_another_kind() -> None:
    said = "^log_width: needs a net with the attribute sizes, which nats-sss gives to its nets, got TssNet.$"
    with pytest.raises(ValueError, match=said):
        log_width(tss(), *batch())
