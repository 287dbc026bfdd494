"""The minibatch: the first images of a seeded order, each of them once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from nas_ray.errors import UsageError
from nas_ray.images.splits import NetImages


@dataclass(frozen=True)
class Drawn:
    """Different images.

    Attributes:
        inputs: `[B, 3, S, S]` float32.
        targets: `[B]` int64.
        repeats: positions of an image that was left out and of the drawn one that it equals.
    """

    inputs: Tensor
    targets: Tensor
    repeats: tuple[tuple[int, int], ...]


def draw(images: NetImages, order: Iterable[int], count: int) -> Drawn:
    """Returns the first `count` different images of `order`, or all of them where there are fewer.

    An image that equals an earlier one, pixel by pixel and as a net sees it, is passed over, whatever its
    label: two equal rows make the kernels of NASWOT and its like singular for every net.
    """
    places: dict[bytes, int] = {}
    drawn: list[tuple[Tensor, int]] = []
    repeats: list[tuple[int, int]] = []
    for place in order:
        if len(drawn) == count:
            break
        image, label = images[int(place)]
        seen = hashlib.sha256(image.numpy().tobytes()).digest()
        if seen in places:
            repeats.append((int(place), places[seen]))
            continue
        places[seen] = int(place)
        drawn.append((image, label))
    inputs = torch.stack([image for image, _ in drawn])
    return Drawn(inputs, torch.tensor([label for _, label in drawn]), tuple(repeats))


def said_of_repeats(drawn: Drawn, images: NetImages) -> str | None:
    """Returns the line on images that were left out of a minibatch, None where there were none."""
    if not drawn.repeats:
        return None
    count = len(drawn.repeats)
    what = "1 image that equals another was" if count == 1 else f"{count:,} images that equal others were"
    return (
        f"Images: {what} left out of the minibatch, as no net can tell them apart: {_pair(drawn, images)}"
        f"{', for example' if count > 1 else ''}. The next of the same seeded order are in their place."
    )


def check_drawn(drawn: Drawn, images: NetImages, count: int, source: str) -> None:
    """Checks that there were enough different images.

    Raises:
        UsageError: there were not.
    """
    held = len(drawn.targets)
    if held >= count:
        return
    way_out = "choose other images" if held == 1 else f"lower --batch-size to {held} or choose other images"
    raise UsageError(
        f"A minibatch needs {count} different images, but the training split of {source} has {held}, as "
        f"{_pair(drawn, images)}, for example: {way_out}."
    )


def _pair(drawn: Drawn, images: NetImages) -> str:
    left_out, kept = (repr(images.name(place))[1:-1] for place in drawn.repeats[0])  # in one line
    return f"{left_out} equals {kept}"
