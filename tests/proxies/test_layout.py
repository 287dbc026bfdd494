from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from nas_ray.proxies import PROXIES
from nas_ray.proxies.sharing import shared_work
from tests.proxies.nets import HEALTHY, batch, tss

MOVED = (
    "epe_nas",
    "fisher",
    "fisher_channels",
    "grad_norm",
    "grasp",
    "jacob_cov",
    "lcmnas",
    "linear_regions",
)
MOVED += ("naswot", "plain", "snip", "zen", "zico")


LAST: list[bool] = []
"""Whether the map of each pass had its channels last."""


class Watched(nn.Module):
    """Notes in which order its maps lie, and looks at them by `view` or `flatten`."""

    def __init__(self, views: bool) -> None:
        super().__init__()
        self.conv, self.norm, self.relu = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()
        self.head, self.views = nn.Linear(4 * 36, 5), views

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.norm(self.conv(x)))
        LAST.append(x.is_contiguous(memory_format=torch.channels_last))
        return self.head(x.view(len(x), -1) if self.views else x.flatten(1))


def watched(views: bool) -> Watched:
    LAST.clear()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Watched(views)


INPUTS, TARGETS = batch()
IMAGES = INPUTS.float()


@pytest.mark.parametrize("name", MOVED)
def test_maps_have_their_channels_last_and_images_stay_as_they_are(name: str) -> None:
    net, images = watched(views=False), IMAGES.clone()
    score = PROXIES[name](net, images, TARGETS)
    assert set(LAST) == {True}
    assert images.is_contiguous()
    assert torch.equal(images, IMAGES)
    assert score == PROXIES[name](net, images.contiguous(memory_format=torch.channels_last), TARGETS)


@pytest.mark.parametrize("name", MOVED)
def test_a_net_that_looks_by_view_is_scored_in_the_order_given(name: str) -> None:
    net = watched(views=True)
    score = PROXIES[name](net, IMAGES, TARGETS)
    assert [LAST[0], LAST[-1]] == [True, False]
    same = watched(views=False)
    assert score == pytest.approx(PROXIES[name](same, IMAGES, TARGETS), rel=1e-3, abs=1e-4)


def test_what_else_a_net_raises_is_raised_at_once() -> None:
    net = watched(views=False)
    net.head = nn.Linear(3, 5)
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        PROXIES["snip"](net, IMAGES, TARGETS)
    assert LAST == [True]


@pytest.mark.parametrize("name", sorted({*MOVED} - {"plain", "grasp", "zico"}))
def test_the_order_changes_the_rounding_alone(name: str) -> None:
    exact = PROXIES[name](tss(HEALTHY), INPUTS, TARGETS)
    assert PROXIES[name](tss(HEALTHY).float(), IMAGES, TARGETS) == pytest.approx(exact, rel=1e-3)


def test_images_are_moved_once_for_all() -> None:
    net = watched(views=False)
    with shared_work():
        for name in ("fisher", "snip", "grad_norm", "plain"):
            PROXIES[name](net, IMAGES, TARGETS)
    assert LAST == [True]
