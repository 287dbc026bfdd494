"""The nets of the space `grammar`."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.spaces.grammar.shapes import IMAGE, Shape, after, inside
from nas_ray.spaces.grammar.terms import TOKENS, Branch, Chain, Leaf, Term


class GrammarNet(nn.Module):
    """The net of a sentence, global average pooling and a linear layer; `[B, 3, H, W] -> [B, classes]`.

    Args:
        chain: the sentence.
        size: height and width of the images; others are averaged, or repeated, to it.
        num_classes: outputs.
    """

    def __init__(self, chain: Chain, size: int, num_classes: int) -> None:
        super().__init__()
        self.size = size
        self.body = sequence(chain, IMAGE, size)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(after(chain).width, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns class scores of images of any size."""
        if x.shape[-2:] != (self.size, self.size):
            x = F.adaptive_avg_pool2d(x, self.size)
        scores: Tensor = self.classifier(self.pool(self.body(x)).flatten(1))
        return scores


class Sum(nn.ModuleList):
    """Branches that are added; what comes in is of any shape, what comes out of theirs."""

    def forward(self, x: Tensor) -> Tensor:
        """Returns the sum of what the branches make of `x`."""
        made: Tensor = self[0](x)
        for branch in self[1:]:
            made = made + branch(x)
        return made


class Concatenation(nn.ModuleList):
    """Branches of maps `[B, C, H, W]` or tokens `[B, N, C]`, one behind the other in depth."""

    def forward(self, x: Tensor) -> Tensor:
        """Returns what the branches make of `x`, along the channels."""
        return torch.cat([branch(x) for branch in self], 1 if x.dim() == 4 else 2)


class AsTokens(nn.Module):
    """Modules that work on the places of a map as tokens; `[B, C, H, W] -> [B, D, H, W]`."""

    def __init__(self, inner: nn.Module, side: int) -> None:
        super().__init__()
        self.inner = inner
        self.side = side

    def forward(self, x: Tensor) -> Tensor:
        """Returns the map of the tokens that come out."""
        tokens: Tensor = self.inner(x.flatten(2).transpose(1, 2))
        return _as_map(tokens, self.side)


class AsMap(nn.Module):
    """Modules that work on tokens as on their map; `[B, N, C] -> [B, N, D]`."""

    def __init__(self, inner: nn.Module, side: int) -> None:
        super().__init__()
        self.inner = inner
        self.side = side

    def forward(self, x: Tensor) -> Tensor:
        """Returns the tokens of the map that comes out."""
        made: Tensor = self.inner(_as_map(x, self.side))
        return made.flatten(2).transpose(1, 2)


def _as_map(tokens: Tensor, side: int) -> Tensor:
    """Returns tokens `[B, H W, C]` as the map `[B, C, H, W]` of `side` rows."""
    made: Tensor = tokens.transpose(1, 2).unflatten(2, (side, side))  # type: ignore[no-untyped-call]
    return made


class Patches(nn.Module):
    """A linear layer on patches; `[B, C, H, W] -> [B, D, H / p, W / p]`, with zeros where p does not divide.

    Source: Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021.
    """

    def __init__(self, taken: int, given: int, patch: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(taken, given, patch, patch)
        self.patch = patch

    def forward(self, x: Tensor) -> Tensor:
        """Returns a map of one place for each patch."""
        below, right = (-side % self.patch for side in x.shape[2:])
        made: Tensor = self.project(F.pad(x, (0, right, 0, below)) if below or right else x)
        return made


class MapNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each place of a map `[B, C, H, W]`."""

    def forward(self, x: Tensor) -> Tensor:
        """Returns a map of the same shape."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Positions(nn.Module):
    """A learned vector for each token, added to it; `[B, N, C] -> [B, N, C]`."""

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.empty(1, tokens, width).normal_(std=0.02))

    def forward(self, x: Tensor) -> Tensor:
        """Returns tokens that tell where they stand."""
        return x + self.positions


class Attention(nn.Module):
    """Multi-head self-attention, `[B, N, C] -> [B, N, C]`.

    Source: Vaswani et al., "Attention Is All You Need", NeurIPS 2017.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Returns for each token what it reads of all."""
        parts = self.query_key_value(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind(0)
        scores = (query @ key.transpose(2, 3)) * query.shape[-1] ** -0.5
        read = scores.softmax(-1) @ value
        made: Tensor = self.out(read.transpose(1, 2).flatten(2))
        return made


class TokenMixing(nn.Module):
    """Two linear layers over the tokens with GELU between them, for each channel; `[B, N, C] -> [B, N, C]`.

    Source: Tolstikhin et al., "MLP-Mixer: An all-MLP Architecture for Vision", NeurIPS 2021.
    """

    def __init__(self, tokens: int, hidden: int) -> None:
        super().__init__()
        self.mix = nn.Sequential(nn.Linear(tokens, hidden), nn.GELU(), nn.Linear(hidden, tokens))

    def forward(self, x: Tensor) -> Tensor:
        """Returns mixed tokens."""
        made: Tensor = self.mix(x.transpose(1, 2))
        return made.transpose(1, 2)


def sequence(chain: Chain, takes: Shape, size: int) -> nn.Sequential:
    """Returns the modules of a chain for images of `size` pixels, an empty one for none."""
    modules = []
    for term in chain:
        modules.append(_module(term, takes, size))
        takes = after((term,), takes)
    return nn.Sequential(*modules)


def _module(term: Term, takes: Shape, size: int) -> nn.Module:
    if isinstance(term, Leaf):
        return _layer(term, takes, after((term,), takes), size)
    if isinstance(term, Branch):
        kind = Sum if term.sign == "+" else Concatenation
        return kind([sequence(part, takes, size) for part in term.parts])
    routed = AsTokens if term.kind == TOKENS else AsMap
    return routed(sequence(term.inner, inside(term, takes), size), takes.side(size))


def _layer(leaf: Leaf, takes: Shape, gives: Shape, size: int) -> nn.Module:
    word, taken, given, half = leaf.word, takes.width, gives.width, leaf.kernel // 2
    tokens = takes.side(size) ** 2
    if word in ("conv", "dw"):
        groups = taken if word == "dw" else 1
        return nn.Conv2d(taken, given, leaf.kernel, leaf.stride, half, groups=groups, bias=False)
    if word == "max":
        return nn.MaxPool2d(leaf.kernel, leaf.stride, half)
    if word == "avg":
        return nn.AvgPool2d(leaf.kernel, leaf.stride, half, count_include_pad=False)
    if word == "patch":
        return Patches(taken, given, leaf.kernel)
    if word == "lin":
        return nn.Linear(taken, given) if takes.tokens else nn.Conv2d(taken, given, 1)
    if word == "bn":
        return nn.BatchNorm2d(taken)
    if word == "ln":
        return nn.LayerNorm(taken) if takes.tokens else MapNorm(taken)
    if word == "pos":
        return Positions(tokens, taken)
    if word == "attn":
        return Attention(taken, leaf.number)
    if word == "mix":
        return TokenMixing(tokens, leaf.number)
    return nn.GELU() if word == "gelu" else nn.ReLU()
