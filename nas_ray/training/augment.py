"""Augmentation of a whole batch at once, on the device where the images are."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import pad

Policy = Callable[[Tensor], Tensor]
"""One image `[3, H, W]` uint8 to another."""


def mirror(images: Tensor, generator: torch.Generator) -> Tensor:
    """Returns `images` `[B, C, H, W]`, each mirrored left to right with probability 1/2."""
    chosen = torch.rand(len(images), generator=generator) < 0.5
    return torch.where(_there(chosen, images)[:, None, None, None], images.flip(-1), images)


def shift(images: Tensor, padding: int, generator: torch.Generator) -> Tensor:
    """Returns a random `[H, W]` part of each of `images` `[B, C, H, W]` with `padding` zeros around it.

    Zeros are black where images are not standardised yet.
    """
    count, _, height, width = images.shape
    moved = _there(torch.randint(0, 2 * padding + 1, (2, count), generator=generator), images)
    rows = moved[0][:, None] + torch.arange(height, device=images.device)
    columns = moved[1][:, None] + torch.arange(width, device=images.device)
    which = torch.arange(count, device=images.device)[:, None, None]
    padded = pad(images, (padding,) * 4).permute(0, 2, 3, 1)
    return padded[which, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def cutout(images: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """Returns `images` `[B, C, H, W]` with a square of `side` pixels set to 0 in each.

    The centre is any pixel, so that a part of the square may lie outside. On standardised images 0 is the
    mean colour.

    Source: DeVries and Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout", 2017.
    """
    inside = []
    for size in images.shape[2:]:
        first = torch.randint(0, size, (len(images), 1), generator=generator) - side // 2
        first, place = _there(first, images), torch.arange(size, device=images.device)
        inside.append((place >= first) & (place < first + side))
    hole = inside[0][:, :, None] & inside[1][:, None, :]
    return images.masked_fill(hole[:, None], 0.0)


def policy(name: str) -> Policy:
    """Returns torchvision's policy `name` for one image `[3, H, W]` uint8; it draws from the global state.

    Source: Cubuk et al., "AutoAugment", CVPR 2019 and "RandAugment", 2020; Mueller and Hutter,
    "TrivialAugment", ICCV 2021.
    """
    from torchvision.transforms import v2

    made: Policy = {
        "cifar10": lambda: v2.AutoAugment(v2.AutoAugmentPolicy.CIFAR10),
        "imagenet": lambda: v2.AutoAugment(v2.AutoAugmentPolicy.IMAGENET),
        "randaugment": v2.RandAugment,
        "trivial": v2.TrivialAugmentWide,
    }[name]()
    return made


def by_policy(images: Tensor, chosen: Policy, seed: int) -> Tensor:
    """Returns `images` `[B, 3, H, W]` uint8 after a policy, image by image; the global state stays."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        done = torch.stack([chosen(image) for image in images.cpu()])
    return done.to(images.device)


def _there(drawn: Tensor, images: Tensor) -> Tensor:
    """Returns numbers drawn on the CPU, so equal for every device, where `images` are; waits for no GPU."""
    return drawn.to(images.device, non_blocking=True)
