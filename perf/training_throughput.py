"""Images per second of a training, against a plain PyTorch loop with the same net and recipe.

    python perf/training_throughput.py --epochs 2
    python perf/training_throughput.py --arch resnet-20 --images npz:images.npz --threads 2

The plain loop is what one writes by hand: torchvision's RandomCrop and RandomHorizontalFlip image by image in
a DataLoader, SGD and a cosine. Both take turns, and the ratio is that of the medians of their epochs.
"""

from __future__ import annotations

import dataclasses
import statistics
import sys
import time

import numpy as np
import torch
import tyro
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.images.image_data import ImageDataModule
from nas_ray.spaces import SPACES
from nas_ray.training.recipes import Recipe, parse_recipe


@dataclasses.dataclass(frozen=True)
class Args:
    """What is trained on what."""

    arch: str = (
        "|nor_conv_3x3~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|"
    )
    """Arch of the space."""
    space: str = "nats-tss"
    """Search space."""
    images: str = "digits"
    """Images, as in the searches."""
    recipe: str = "nats-12"
    """Recipe; validation is not timed in either."""
    epochs: int = 3
    """Timed epochs of each."""
    threads: int = 1
    """Threads of torch."""
    workers: int = 0
    """Processes of the plain loop's DataLoader."""


class PlainImages(Dataset[tuple[Tensor, int]]):
    """Images as the usual loop has them."""

    def __init__(self, training: ShortTraining, recipe: Recipe) -> None:
        images = training.images
        self.pixels = [(images.resized(int(i)) * 255).round().to(torch.uint8) for i in training.train_indices]
        self.labels = [int(images.labels[i]) for i in training.train_indices]
        steps: list[nn.Module] = [v2.RandomHorizontalFlip()] if recipe.flip else []
        steps += [v2.RandomCrop(images.size, recipe.crop_padding)] if recipe.crop_padding else []
        scale = v2.ToDtype(torch.float32, scale=True)
        self.transform = v2.Compose([*steps, scale, v2.Normalize(images.stats.mean, images.stats.std)])

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(self.pixels[index]), self.labels[index]


def plain_epoch(net: nn.Module, optimiser: torch.optim.SGD, loader: DataLoader[tuple[Tensor, int]]) -> float:
    """Returns the seconds of one epoch of the plain loop."""
    start = time.perf_counter()
    net.train()
    for inputs, targets in loader:
        optimiser.zero_grad()
        cross_entropy(net(inputs), targets).backward()
        optimiser.step()
    return time.perf_counter() - start


def main(args: Args) -> int:
    """Prints images per second and the ratio."""
    torch.set_num_threads(args.threads)
    recipe = dataclasses.replace(parse_recipe(args.recipe), epochs=args.epochs + 1, bn_batches=0)
    data = ImageDataModule(args.images)
    space = SPACES[args.space]()
    training = ShortTraining(space, data.num_classes, data.train_images, recipe)
    arch = args.arch or space.sample(np.random.default_rng(0))
    module = training.new_module(arch, 0)
    module.train_epoch(0, validate=False)  # decodes the images and warms up
    net = space.build(arch, data.num_classes)
    optimiser = torch.optim.SGD(
        net.parameters(), recipe.lr, recipe.momentum, 0, recipe.weight_decay, recipe.nesterov
    )
    loader = DataLoader(
        PlainImages(training, recipe), recipe.batch_size, shuffle=True, num_workers=args.workers
    )
    plain_epoch(net, optimiser, loader)
    ours, plain = [], []
    for epoch in range(1, args.epochs + 1):
        start = time.perf_counter()
        module.train_epoch(epoch, validate=False)
        ours.append(time.perf_counter() - start)
        plain.append(plain_epoch(net, optimiser, loader))
    count = len(training.train_indices)
    table = Table("loop", "images/s", "seconds per epoch")
    for name, taken in (("nas_ray", ours), ("plain PyTorch", plain)):
        table.add_row(
            name, f"{count / statistics.median(taken):.0f}", ", ".join(f"{value:.2f}" for value in taken)
        )
    console = Console()
    console.print(table)
    console.print(f"ratio {statistics.median(plain) / statistics.median(ours):.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Args, description=__doc__)))
