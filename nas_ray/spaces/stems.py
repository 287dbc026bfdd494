"""The first layers of a net, which the size of its images decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nas_ray.errors import UsageError

if TYPE_CHECKING:
    from torch import nn

LARGEST = 2_048
"""Height and width in pixels of the largest images."""
STRIDED_ABOVE = 64
"""Largest height and width in pixels of the images that the stem leaves at their size."""
SMALL, STRIDED = "small", "strided"
STEMS = (SMALL, STRIDED)


def stem_for(image_size: int) -> str:
    """Returns the name of the stem for square images of `image_size` pixels."""
    return STRIDED if image_size > STRIDED_ABOVE else SMALL


def check_image_size(image_size: int) -> None:
    """Checks that the two halvings of a net, and those of its stem, come out even.

    Raises:
        UsageError: the size is too small or no multiple of what it must be.
    """
    step = 16 if image_size > STRIDED_ABOVE else 4
    if not 8 <= image_size <= LARGEST or image_size % step:
        raise UsageError(
            f"The image size must be a multiple of 4 from 8 to {STRIDED_ABOVE}, or a multiple of 16 above, "
            f"up to {LARGEST}, got {image_size}."
        )


def make_stem(name: str, channels: int) -> nn.Sequential:
    """Returns the stem `[B, 3, H, W] -> [B, channels, H, W]`, or `H / 4` and `W / 4` if it is strided.

    `small` is a 3x3 convolution and BN. `strided` has two 3x3 convolutions with stride 2, half of the
    channels after the first, and a ReLU between them.

    Source: Dong and Yang, "NAS-Bench-201", ICLR 2020, for the small one; Liu et al., "DARTS", ICLR 2019,
    whose nets for ImageNet start like the strided one.
    """
    from torch import nn  # for those who build nets alone

    if name == SMALL:
        return nn.Sequential(nn.Conv2d(3, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))
    half = max(1, channels // 2)
    return nn.Sequential(
        nn.Conv2d(3, half, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(half),
        nn.ReLU(),
        nn.Conv2d(half, channels, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(channels),
    )
