"""The nets of the space `macro`."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from nas_ray.spaces.macro.fitting import shape_of
from nas_ray.spaces.macro.plan import LINEAR, Step
from nas_ray.spaces.macro.variant import RELEASED, Variant


class Bottleneck(nn.Module):
    """A residual block `[B, C, H, W] -> [B, 2 P, H / s, W / s]` of `P` inner channels, rounded up.

    Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, with twice the inner
        channels and not four times.
    """

    def __init__(self, step: Step) -> None:
        super().__init__()
        taken, inner, given = step.takes[0], step.inner, step.gives[0]
        stride = 2 if step.token.word == "down" else 1
        self.body = nn.Sequential(
            *(nn.Conv2d(taken, inner, 1, bias=False), nn.BatchNorm2d(inner), nn.ReLU()),
            *(nn.Conv2d(inner, inner, 3, stride, 1, bias=False), nn.BatchNorm2d(inner), nn.ReLU()),
            *(nn.Conv2d(inner, given, 1, bias=False), nn.BatchNorm2d(given)),
        )
        self.shortcut = nn.Sequential()
        if step.projected:
            self.shortcut = nn.Sequential(
                nn.Conv2d(taken, given, 1, stride, bias=False), nn.BatchNorm2d(given)
            )
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Returns what comes out of the block."""
        made: Tensor = self.body(x)
        return self.relu(made + self.shortcut(x))  # type: ignore[no-any-return]


class LinearLayer(nn.Module):
    """A linear layer on all values of a map `[B, C, H, W]`, or on features `[B, F]`.

    Args:
        features: that come in.
        given: features that come out.
        square: whether a map of the same shape comes out.
    """

    def __init__(self, features: int, given: int, *, square: bool) -> None:
        super().__init__()
        self.linear = nn.Linear(features, given)
        self.square = square

    def forward(self, x: Tensor) -> Tensor:
        """Returns `[B, given]`, or a map."""
        made: Tensor = self.linear(x.flatten(1))
        return made.view_as(x) if self.square else made


class MacroNet(nn.Module):
    """The layers of a chain, `[B, C, H, W] -> [B, classes]`.

    Args:
        steps: planned for images of `size` pixels.
        size: height and width to which other images are averaged, or repeated.
        variant: which classes maximum pooling and ReLU6 are.
    """

    def __init__(self, steps: Sequence[Step], size: int, variant: Variant = RELEASED) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(_layer(step, variant) for step in steps))
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """Returns `[B, classes]` of images of any size."""
        if x.shape[-2:] != (self.size, self.size):
            x = nn.functional.adaptive_avg_pool2d(x, self.size)
        made: Tensor = self.layers(x)
        return made


def _layer(step: Step, variant: Variant) -> nn.Module:
    word, taken, given = step.token.word, step.takes[0], step.gives[0]
    if word == "conv":
        stride, padding, dilation = shape_of(step.token)
        return nn.Conv2d(taken, given, step.token.sides, stride, padding, dilation, step.token.groups)
    if word in ("res", "down"):
        return Bottleneck(step)
    if word == "bn":
        return nn.BatchNorm2d(taken)
    if word in ("max", "avg"):
        stride, padding, _ = shape_of(step.token)
        kind = getattr(nn, variant.max_pool if word == "max" else "AvgPool2d")
        return kind(step.token.sides, stride, padding)  # type: ignore[no-any-return]
    if word == "to":
        return nn.AdaptiveAvgPool2d(step.gives[1:])
    if word == "dropout":
        return nn.Dropout(float(step.token.p))
    if word in LINEAR:
        features = taken * step.takes[1] * step.takes[2]
        return LinearLayer(features, features if word == "square" else given, square=word == "square")
    return getattr(nn, variant.relu6 if word == "relu6" else "ReLU")()  # type: ignore[no-any-return]
