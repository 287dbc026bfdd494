"""Nets of sentences, beside the same nets written plainly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torchvision
from torch import Tensor, nn

from nas_ray.proxies.flops import flops
from nas_ray.spaces import Grammar, GrammarNets
from nas_ray.spaces.grammar.named import NETS
from nas_ray.spaces.grammar.space import SIMPLEST
from tests.spaces.conftest import Fault


def norm(width: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(width)


class ResidualBlock(nn.Module):
    def __init__(self, taken: int, given: int, stride: int) -> None:
        super().__init__()
        self.shortcut = nn.Sequential()
        if stride > 1:
            self.shortcut = nn.Sequential(nn.Conv2d(taken, given, 1, stride, bias=False), norm(given))
        self.body = nn.Sequential(
            *(nn.Conv2d(taken, given, 3, stride, 1, bias=False), norm(given), nn.ReLU()),
            *(nn.Conv2d(given, given, 3, 1, 1, bias=False), norm(given)),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.body(x) + self.shortcut(x))


class PlainResNet(nn.Module):
    def __init__(self, stem: nn.Module, widths: tuple[int, ...], blocks: int, classes: int) -> None:
        super().__init__()
        self.stem = stem
        self.blocks, before = nn.Sequential(), widths[0]
        for stage, width in enumerate(widths):
            for block in range(blocks):
                self.blocks.append(ResidualBlock(before, width, 2 if stage and not block else 1))
                before = width
        self.classifier = nn.Linear(before, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.blocks(self.stem(x)).mean((2, 3)))


class TransformerBlock(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm1(x)
        x = x + self.attention(y, y, y)[0]
        return x + self.mlp(self.norm2(x))


class MixerBlock(nn.Module):
    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.norm1, hidden = nn.LayerNorm(width), width // 2
        self.tokens = nn.Sequential(nn.Linear(tokens, hidden), nn.GELU(), nn.Linear(hidden, tokens))
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.tokens(self.norm1(x).mT).mT
        return x + self.mlp(self.norm2(x))


class PlainTokens(nn.Module):
    """ViT without a class token, and MLP-Mixer, which has no positions."""

    def __init__(self, blocks: list[nn.Module], width: int, patch: int, tokens: int, classes: int) -> None:
        super().__init__()
        if tokens:
            self.positions = nn.Parameter(torch.randn(1, tokens, width))
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.LayerNorm(width)
        self.classifier = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).mT
        if hasattr(self, "positions"):
            x = x + self.positions
        return self.classifier(self.norm(self.blocks(x)).mean(1))

    def ordered(self) -> dict[str, Tensor]:
        """Weights in the order of the sentence, in which patches come before positions."""
        state = self.state_dict()
        first = {name: state.pop(name) for name in list(state) if name.startswith("patches")}
        return first | state


def vit(width: int, heads: int, depth: int, patch: int, tokens: int) -> PlainTokens:
    return PlainTokens([TransformerBlock(width, heads) for _ in range(depth)], width, patch, tokens, 10)


def mixer(width: int, depth: int, patch: int, tokens: int) -> PlainTokens:
    return PlainTokens([MixerBlock(tokens, width) for _ in range(depth)], width, patch, 0, 10)


def small_stem(width: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, width, 3, 1, 1, bias=False), norm(width), nn.ReLU())


def large_stem() -> nn.Module:
    strided = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
    return nn.Sequential(strided, norm(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1))


PLAIN = {
    "resnet-20": (lambda: PlainResNet(small_stem(16), (16, 32, 64), 3, 10), 32),
    "resnet-18": (lambda: PlainResNet(large_stem(), (64, 128, 256, 512), 2, 10), 64),
    "vit-tiny-16": (lambda: vit(192, 3, 12, 16, 16), 64),
    "vit-small-4": (lambda: vit(96, 3, 6, 4, 64), 32),
    "mixer-s-16": (lambda: mixer(512, 8, 16, 16), 64),
    "mixer-small-4": (lambda: mixer(128, 8, 4, 64), 32),
}


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_named_nets_are_those_that_are_written_plainly(name: str) -> None:
    """Given the weights of the plain net, the sentence computes the same to rounding."""
    make, size = PLAIN[name]
    torch.manual_seed(0)
    plain = make()
    net = GrammarNets(size).build(name, 10)
    weights = plain.ordered() if isinstance(plain, PlainTokens) else plain.state_dict()
    own = net.state_dict()
    assert [value.shape for value in own.values()] == [value.shape for value in weights.values()]
    net.load_state_dict(dict(zip(own, weights.values(), strict=True)))
    images = torch.randn(2, 3, size, size)
    torch.testing.assert_close(net.eval()(images), plain.eval()(images), rtol=1e-3, atol=1e-4)
    assert Grammar(size).cost(NETS[name], 10, (3, size, size))[0] == sum(
        p.numel() for p in plain.parameters()
    )


@pytest.mark.parametrize(
    ("name", "of_torchvision", "fewer"),
    [
        ("resnet-18", "resnet18", 0),
        # without the biases of depthwise convolutions and the scales of blocks
        ("convnext-t", "convnext_tiny", 2 * (3 * 96 + 3 * 192 + 9 * 384 + 3 * 768)),
    ],
)
def test_named_nets_have_the_weights_of_published_ones(name: str, of_torchvision: str, fewer: int) -> None:
    with torch.device("meta"):
        there = sum(p.numel() for p in torchvision.models.get_model(of_torchvision).parameters())
    assert GrammarNets(224).cost(name, 1000, (3, 224, 224))[0] == there - fewer


def test_a_vit_lacks_its_class_token_alone() -> None:
    """ViT-Tiny of DeiT has 5,717,416 weights, and the class token and its position 192 each."""
    assert GrammarNets(224).cost("vit-tiny-16", 1000, (3, 224, 224))[0] == 5_717_416 - 2 * 192


def test_every_kind_of_layer_works_as_it_says() -> None:
    """On maps whose sides no stride and no patch divides, which never get below a pixel."""
    arch = (
        "conv7:8/2-max3-avg3/2-bn-(dw3/2&patch2:8)-patch4:24-(lin:48+ln-conv1:48)-max3/2-"
        "tokens(pos-attn:3-mix:16-map(dw5-gelu)-lin:64-relu)"
    )
    for size in (1, 5, 17, 33):
        space = Grammar(size)
        assert arch in space
        net = space.build(arch, 7)
        assert net.body(torch.randn(2, 3, size, size)).shape == (2, 64, 1, 1)
        images = torch.randn(2, 3, size, size)
        assert net.eval()(images).shape == (2, 7)
        assert space.cost(arch, 7, (3, size, size)) == (
            sum(p.numel() for p in net.parameters()),
            flops(net, images, torch.zeros(2)),
        )


def test_patches_that_do_not_fit_are_filled_with_zeros() -> None:
    net = Grammar(5).build("patch4:8", 2)
    images = torch.randn(2, 3, 5, 5)
    filled = nn.functional.pad(images, (0, 3, 0, 3))
    torch.testing.assert_close(net.body(images), net.body[0].project(filled))


def test_images_of_other_sizes_are_averaged() -> None:
    net = Grammar(16).build("patch4:8-tokens(pos-mix:8)", 3)
    assert net(torch.randn(2, 3, 20, 33)).shape == (2, 3)
    images = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(net(images), net(nn.functional.avg_pool2d(images, 2)))
    assert Grammar(224).build(SIMPLEST, 2).size == 64
    assert Grammar(224, pixels=300).build(SIMPLEST, 2).size == 224


def drawn_nets(count: int, size: int) -> list[str]:
    """Random archs, mutations of them, and children of two, each of those before."""
    space, rng, archs = Grammar(size), np.random.default_rng(size), []
    for number in range(count):
        parents = [archs[place] for place in rng.integers(len(archs), size=2)] if archs else []
        archs.append(space.sample_from(parents, rng) if parents and number % 3 else space.sample(rng))
    return archs


def learns(arch: str, size: int, fault: Fault) -> None:
    """An arch can be built, its cost is right, and every weight has a finite gradient."""
    space = Grammar(size)
    assert arch in space
    assert fault(space, arch, size) is None, arch
    with torch.device("meta"):
        net = space.build(arch, 10)
    assert space.cost(arch, 10, (3, size, size))[0] == sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize("size", [16, 32, 64])
def test_random_nets_learn(size: int, fault: Fault) -> None:
    torch.manual_seed(0)
    for arch in drawn_nets(256 // size, size):
        learns(arch, size, fault)


@pytest.mark.slow(faster="test_random_nets_learn")
@pytest.mark.parametrize("size", [16, 32, 64])
def test_a_thousand_random_nets_learn(size: int, fault: Fault) -> None:
    torch.manual_seed(0)
    for arch in drawn_nets(1000, size):
        learns(arch, size, fault)
