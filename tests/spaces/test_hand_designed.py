"""The named nets have the published numbers of parameters, for small and for large images."""

from __future__ import annotations

import pytest
import torch

from nas_ray.errors import UsageError
from nas_ray.proxies import PROXIES
from nas_ray.shared_weights.supernet import Supernet
from nas_ray.spaces import HandDesigned, NatsTss
from nas_ray.spaces.hand_designed import NETS
from nas_ray.spaces.stems import make_stem
from tests.proxies.nets import IDENTITY

# 10 classes. LeNet-5: 156 + 2,416 + 48,120 + 10,164 + 850 with full C3, and 300 for two more input channels.
# ResNet-20/56/110: .27, .85 and 1.7 million in table 6 of He et al., CVPR 2016. ResNet-18/50 and VGG-16: as
# widely used on CIFAR (11.17, 23.52 and 14.73 million).
SMALL = {
    "lenet-5": 62_006,
    "resnet-20": 269_722,
    "resnet-56": 853_018,
    "resnet-110": 1_727_962,
    "resnet-18": 11_173_962,
    "resnet-50": 23_520_842,
    "vgg-16-bn": 14_728_266,
}
# 1,000 classes, torchvision's documentation; GoogLeNet without auxiliary classifiers.
LARGE = {
    "alexnet": 61_100_840,
    "vgg-16-bn": 138_365_992,
    "googlenet": 6_624_904,
    "resnet-18": 11_689_512,
    "resnet-50": 25_557_032,
}


def size_of(space: HandDesigned, arch: str, classes: int) -> int:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in space.build(arch, classes).parameters())


@pytest.mark.parametrize("arch", SMALL)
def test_parameters_on_small_images(arch: str) -> None:
    assert size_of(HandDesigned(), arch, 10) == SMALL[arch]


@pytest.mark.parametrize("arch", LARGE)
def test_parameters_on_large_images(arch: str) -> None:
    assert size_of(HandDesigned().for_image_size(224), arch, 1000) == LARGE[arch]


@pytest.mark.parametrize("arch", NETS)
@pytest.mark.parametrize("size", [8, 32, 96])
def test_every_net_takes_every_size(arch: str, size: int) -> None:
    with torch.device("meta"):
        net = HandDesigned().for_image_size(size).build(arch, 5)
        assert net(torch.zeros(2, 3, size, size)).shape == (2, 5)


@pytest.mark.parametrize("arch", ["lenet-5", "alexnet", "googlenet", "resnet-20"])
@pytest.mark.parametrize("proxy", ["naswot", "synflow", "logsynflow", "snip"])
def test_proxies_score_them(arch: str, proxy: str) -> None:
    generator = torch.Generator().manual_seed(0)
    images, labels = torch.randn(4, 3, 32, 32, generator=generator), torch.arange(4)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = HandDesigned().build(arch, 10)
    score = PROXIES[proxy](net, images, labels)
    assert torch.isfinite(torch.tensor(score))


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        HandDesigned().build("resnet20", 10)
    assert str(caught.value).startswith(
        "Unknown hand-designed net 'resnet20'. Did you mean 'resnet-20'? Known: "
    )


def test_a_strided_stem_quarters_the_image_and_leaves_the_rest() -> None:
    assert make_stem("strided", 16)(torch.zeros(1, 3, 96, 96)).shape == (1, 16, 24, 24)
    small, large = (NatsTss(4, 1).for_image_size(size) for size in (64, 80))
    assert (small.stem, large.stem) == ("small", "strided")
    keys = [set(space.build(IDENTITY, 3).state_dict()) for space in (small, large)]
    assert all(key.startswith("stem.") for key in keys[0] ^ keys[1])
    assert large.build(IDENTITY, 3)(torch.zeros(2, 3, 80, 80)).shape == (2, 3)


def test_a_supernet_needs_the_published_stem() -> None:
    with pytest.raises(UsageError) as caught:
        Supernet(NatsTss(stem="strided"), 10)
    assert str(caught.value) == (
        "A supernet needs images of at most 64 pixels, since it has no strided stem; choose a smaller image "
        "size, or score archs one by one."
    )
