"""What all calls have in common: the space, the images and the proxy, opened once in a process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.correlate.check_proxy.args import CheckProxyArgs
from nas_ray.correlate.check_proxy.pieces import EQUAL, ONE_CLASS, REVERSED, SHUFFLED, ZEROS, Piece
from nas_ray.images.datasets import OWN
from nas_ray.images.drawing import check_drawn, draw
from nas_ray.images.image_data import ImageDataModule
from nas_ray.process.plugins import resolve
from nas_ray.process.seeded import seeded
from nas_ray.proxies import PROXIES, Proxy
from nas_ray.proxies.plugin import GROUP
from nas_ray.spaces.base import SearchSpace, fitted_space
from nas_ray.spaces.named import open_space


@dataclass(frozen=True)
class World:
    """What `args` describe.

    Attributes:
        space: of the archs, for the size of the images.
        images: both splits.
        size: height and width of the images that nets see.
        name: the column of the proxy.
        proxy: what is checked.
    """

    space: SearchSpace
    images: ImageDataModule
    size: int
    name: str
    proxy: Proxy


@lru_cache(maxsize=1)
def world_of(args: CheckProxyArgs) -> World:
    """Returns what `args` describe, made once in a process.

    Raises:
        UsageError: anything that cannot be used.
    """
    own: dict[str, Any] = (
        {"image_size": args.image_size, "split_seed": args.split_seed} if args.dataset == OWN else {}
    )
    images = ImageDataModule(
        args.images,
        dataset=args.dataset,
        batch_size=args.batch_size,
        batch_seed=args.batch_seed,
        download=args.download,
        skip_unreadable=args.skip_unreadable,
        **own,
    )
    size = args.image_size or images.image_size
    space = fitted_space(open_space(args.space), size)
    proxy = resolve("proxy", args.proxy, PROXIES, GROUP)
    return World(space, images, size, args.proxy.rpartition(":")[2], proxy)


@lru_cache(maxsize=16)
def _drawn(args: CheckProxyArgs, batch_seed: int) -> tuple[Tensor, Tensor]:
    """Returns images `[B, 3, S, S]` and labels `[B]`, all classes in turn."""
    world = world_of(args)
    data = world.images.train_images
    order = np.random.default_rng([args.batch_seed, batch_seed]).permutation(len(data))
    drawn = draw(data, _in_turn(order, np.asarray(data.labels)), args.batch_size)
    check_drawn(drawn, data, args.batch_size, world.images.source)
    inputs = drawn.inputs
    if world.size != inputs.shape[-1]:
        inputs = F.interpolate(inputs, (world.size, world.size), mode="bilinear", antialias=True)
    return inputs, drawn.targets


def _in_turn(order: np.ndarray, labels: np.ndarray) -> Iterator[int]:
    """Yields the places `order` so that classes take turns, whatever the batch."""
    turn: dict[int, int] = {}
    keys = []
    for place in order:
        label = int(labels[place])
        turn[label] = turn.get(label, -1) + 1
        keys.append(turn[label])
    yield from (int(order[i]) for i in np.argsort(keys, kind="stable"))


def batch_of(args: CheckProxyArgs, piece: Piece) -> tuple[Tensor, Tensor]:
    """Returns the minibatch of a call, its own copy."""
    inputs, targets = (tensor.clone() for tensor in _drawn(args, piece.batch_seed))
    if piece.images.startswith("first "):
        count = int(piece.images.partition(" ")[2])
        inputs, targets = inputs[:count], targets[:count]
    elif piece.images == EQUAL:
        inputs = inputs[:1].expand_as(inputs)
    elif piece.images == ZEROS:
        inputs = torch.zeros_like(inputs)
    elif piece.images == ONE_CLASS:
        targets = targets[:1].expand_as(targets)
    elif piece.images in (REVERSED, SHUFFLED):
        order = torch.arange(len(inputs)).flip(0)
        if piece.images == SHUFFLED:
            order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(0))
        inputs, targets = inputs[order], targets[order]
    inputs = inputs.double() if piece.double else inputs
    return inputs.clone(memory_format=torch.contiguous_format), targets.clone()


def net_of(args: CheckProxyArgs, piece: Piece) -> nn.Module:
    """Returns the net of a call."""
    world = world_of(args)
    with seeded(args.init_seed + piece.init_seed):
        net = world.space.build(piece.arch, world.images.num_classes)
        if piece.branch:
            net = WithBranch(net, world.images.num_classes)
    if piece.zeroed:
        with torch.no_grad():
            for weight in net.parameters():
                weight.zero_()
    return (net.double() if piece.double else net).train()


class WithBranch(nn.Module):
    """A net beside which stand a branch that counts nothing and a layer that nobody calls.

    Args:
        net: `[B, 3, H, W] -> [B, num_classes]`.
        num_classes: of it.
    """

    def __init__(self, net: nn.Module, num_classes: int) -> None:
        super().__init__()
        self.net = net
        self.branch = nn.Sequential(
            nn.Conv2d(3, num_classes, 3, bias=False), nn.BatchNorm2d(num_classes), nn.ReLU()
        )
        self.unused = nn.Conv2d(3, num_classes, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Returns what the net returns."""
        out: Tensor = self.net(x)
        without_effect: Tensor = 0.0 * self.branch(x).mean((2, 3))
        return out + without_effect
