"""What a search by pruning returns: the arch, and every operation that it weighed on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from nas_ray.errors import UsageError
from nas_ray.shared_weights.supernet import INITIAL, Supernet, check_supernet
from nas_ray.spaces.nats_tss import NatsTss


@dataclass(frozen=True)
class Weighed:
    """One operation of one edge in one decision.

    Attributes:
        proposal: which of several searches from the same supernet.
        step: which decision of it, from 0.
        edge: place of the edge.
        op: the operation.
        values: what it was judged by, by name.
        stays: whether it is still there after the decision.
    """

    proposal: int
    step: int
    edge: int
    op: str
    values: Mapping[str, float]
    stays: bool


@dataclass(frozen=True)
class Pruned:
    """What was found.

    Attributes:
        arch: canonical string.
        trail: all that was weighed, in order.
        scores: archs that were proposed, with what they were compared by, where several were.
    """

    arch: str
    trail: tuple[Weighed, ...]
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Minibatches:
    """Small batches that are drawn from given images, the same for equal seeds.

    Args:
        inputs: `[M, 3, H, W]`.
        targets: `[M]`.
        size: images of a batch; all where there are fewer.
        rng: draws.
    """

    inputs: Tensor
    targets: Tensor
    size: int
    rng: np.random.Generator

    def draw(self) -> tuple[Tensor, Tensor]:
        """Returns different images `[B, 3, H, W]`, channels last, and their labels `[B]`."""
        size = min(self.size, len(self.inputs))
        places = torch.from_numpy(self.rng.permutation(len(self.inputs))[:size])
        inputs = self.inputs[places].contiguous(memory_format=torch.channels_last)
        return inputs, self.targets[places]


def pruned_space(space: object, name: str) -> NatsTss:
    """Returns `space`, known to have a supernet that can be pruned.

    Args:
        space: any.
        name: of the method, for messages.

    Raises:
        UsageError: another space than nats-tss, or another stem than the published one.
    """
    if not isinstance(space, NatsTss):
        got = getattr(space, "name", type(space).__name__)
        raise UsageError(f"The method {name} needs the space nats-tss, got {got}; choose another method.")
    check_supernet(space)
    return space


def new_supernet(
    space: object,
    num_classes: int,
    seed: int,
    like: Tensor,
    *,
    channels: int = 0,
    cells: int = 0,
    statistics: str = INITIAL,
    name: str,
) -> Supernet:
    """Returns a supernet with new weights, in dtype and on the device of `like`.

    Args:
        space: nats-tss.
        num_classes: outputs.
        seed: draws the weights; no global random state changes.
        like: the images.
        channels: width of the first cells; 0 for that of the space.
        cells: of a stage; 0 for those of the space.
        statistics: as `Supernet`.
        name: of the method, for messages.

    Raises:
        UsageError: another space.
    """
    space = pruned_space(space, name)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        net = Supernet(NatsTss(channels or space.channels, cells or space.cells), num_classes, statistics)
    return net.to(like.device, like.dtype)


def check_least(name: str, method: object, least: Mapping[str, int]) -> None:
    """Checks that the numbers of a method are not too small.

    Raises:
        UsageError: one is.
    """
    for option, limit in least.items():
        if (value := getattr(method, option)) < limit:
            raise UsageError(f"{option} of {name} must be at least {limit}, but {value} was given.")


def check_images(inputs: Tensor, targets: Sequence[int] | Tensor, name: str) -> None:
    """Checks that there are images to score with.

    Raises:
        UsageError: fewer than two, or labels that do not fit them.
    """
    if len(inputs) < 2 or len(inputs) != len(targets):
        raise UsageError(
            f"The method {name} needs at least 2 images and a label for each, got {len(inputs)} images and "
            f"{len(targets)} labels."
        )
