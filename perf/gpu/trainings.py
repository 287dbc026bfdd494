"""Trainings: how fast they are, and that several processes train as one does."""

from __future__ import annotations

import dataclasses
import functools
import json
import statistics
from collections.abc import Iterator

import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import nas_ray
from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.images.image_data import ImageDataModule
from nas_ray.process.lightning import DDPStrategy
from nas_ray.process.seeded import seeded
from nas_ray.train.fit import CURVE, Devices, TrainingImages, fit
from nas_ray.training.objective import class_objective
from nas_ray.training.recipes import Recipe, parse_recipe
from nas_ray.training.training_data import EpochSampler, split_indices
from nas_ray.training.training_module import TrainingModule

from .setup import Row, Setup, command

ARCH = "|nor_conv_3x3~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|"
"""A net of many convolutions."""


def training(setup: Setup) -> Iterator[Row | str]:
    """Images per second of the recipes, of a plain loop on ready images, and of the convolutions alone."""
    data = ImageDataModule(setup.random_images(setup.some(20_000, 80)), batch_size=8)
    for name in ("fast", "nats-12"):
        recipe = dataclasses.replace(parse_recipe(name), bn_batches=0, epochs=4)
        if setup.tiny:
            recipe = dataclasses.replace(recipe, batch_size=16)
        short = ShortTraining(
            setup.space, data.num_classes, data.train_images, recipe, accelerator=setup.accelerator
        )
        module = short.new_module(ARCH, 0)
        count = len(short.train_indices)
        module.train_epoch(0, validate=False)  # decodes the images and warms up
        ours = [
            setup.timed(functools.partial(module.train_epoch, epoch, validate=False))
            for epoch in range(1, setup.some(4, 2))
        ]
        plain, alone = plain_step(setup, recipe, data.num_classes)
        steps = -(-count // recipe.batch_size)
        seconds = statistics.median(ours)
        yield {"recipe": name, "images": count, "images/s": count / seconds,
               "plain loop, images/s": recipe.batch_size / plain,
               "convolutions alone, images/s": recipe.batch_size / alone,
               "share of the plain loop": plain * steps / seconds,
               "share of the convolutions": alone * steps / seconds}  # fmt: skip
    yield "The plain loop has its batch ready on the device: no augmentation, no Lightning."


def plain_step(setup: Setup, recipe: Recipe, classes: int) -> tuple[float, float]:
    """Returns the seconds of a step of a plain loop, and of its convolutions forth and back."""
    layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
    net = setup.space.build(ARCH, classes).to(setup.device, memory_format=layout).train()
    images = torch.rand(recipe.batch_size, 3, 32, 32, device=setup.device).contiguous(memory_format=layout)
    labels = torch.arange(recipe.batch_size, device=setup.device) % classes
    optimiser = torch.optim.SGD(
        net.parameters(), recipe.lr, recipe.momentum, 0, recipe.weight_decay, recipe.nesterov
    )

    def step() -> None:
        optimiser.zero_grad()
        cross_entropy(net(images), labels).backward()
        optimiser.step()

    seen: list[tuple[nn.Module, Tensor]] = []
    hooks = [
        module.register_forward_hook(lambda layer, args, out: seen.append((layer, args[0].detach().clone())))
        for module in net.modules()
        if isinstance(module, nn.Conv2d)
    ]
    net(images)
    for hook in hooks:
        hook.remove()

    def convolutions() -> None:
        for layer, given in seen:
            layer(given.requires_grad_()).sum().backward()

    return setup.fastest(step), setup.fastest(convolutions)


@dataclasses.dataclass(frozen=True)
class Distributed(Devices):
    """One process that shares its gradients as several do."""

    def strategy(self) -> DDPStrategy:
        """Returns the strategy of several processes."""
        shared = Devices(self.accelerator, count=2).strategy()
        assert isinstance(shared, DDPStrategy)
        return shared


def ddp(setup: Setup) -> Iterator[Row | str]:
    """Two epochs in this process and in one that DDP starts; both are to learn the same.

    Raises:
        RuntimeError: their losses differ.
    """
    data = ImageDataModule(setup.random_images(setup.some(4_000, 60)), batch_size=8)
    recipe = dataclasses.replace(parse_recipe("epochs:2"), batch_size=setup.some(64, 16), bn_batches=0)
    parts = split_indices(data.train_images.labels, recipe)
    losses = {}
    for name, devices in (
        ("this process", Devices(setup.accelerator, threads=1)),
        ("DDP", Distributed(setup.accelerator, threads=1)),
    ):
        with seeded(0):
            net = setup.space.build(ARCH, data.num_classes)
        steps = len(EpochSampler(len(parts[0]), recipe.batch_size))
        module = TrainingModule(net, recipe, class_objective(recipe), steps_per_epoch=steps)
        folder = setup.folder / name.replace(" ", "-")
        images = TrainingImages(data.train_images, recipe, parts, 0)
        seconds = setup.timed(functools.partial(fit, module, images, folder, devices, "net", verbose=False))
        curve = pd.read_csv(folder / CURVE)
        losses[name] = float(curve["train_loss"].iloc[-1])
        yield {"by": name, "epochs": len(curve), "train_loss": losses[name],
               "valid_acc": float(curve["valid_acc"].iloc[-1]), "s": seconds}  # fmt: skip
    apart = abs(losses["DDP"] / losses["this process"] - 1)
    if not apart < 1e-2:
        raise RuntimeError(f"DDP must learn what one process does, but the losses differ by {apart:.2g}.")
    yield f"The losses differ by {apart:.2g}, relative."


def train(setup: Setup) -> Iterator[Row | str]:
    """`train.py` whole, and the exported net against `model.pt` on the device.

    Raises:
        RuntimeError: they give different logits.
    """
    out = setup.folder / "train"
    recipe = "epochs:1" if not setup.tiny else "epochs:1:data_fraction=0.03"
    options = ["--arch", ARCH, "--recipe", recipe, "--seeds", "1", "--images", setup.images, "--formats",
               "onnx", "--proxies", "params", "--out", str(out), *setup.resources[:2]]  # fmt: skip
    if not setup.gpu:
        options += ["--num-threads", "1"]
    seconds = command("train", options, 0.9 * setup.seconds)
    import onnxruntime

    session = onnxruntime.InferenceSession(str(out / "model.onnx"), providers=["CPUExecutionProvider"])
    images = torch.rand(4, 3, 32, 32)
    (exported,) = session.run(None, {"images": images.numpy()})
    net = nas_ray.load(out / "model.pt").to(setup.device)
    with torch.no_grad():
        logits = net(images.to(setup.device)).cpu()
    apart = float((torch.from_numpy(exported) - logits).abs().max())
    done = json.loads((out / "run.json").read_text())
    yield {"s": seconds, "status": done["status"], "largest difference of a logit": apart,
           "largest logit": float(logits.abs().max())}  # fmt: skip
    if not apart <= 1e-2 * max(1.0, float(logits.abs().max())):
        raise RuntimeError(f"model.onnx must give the logits of model.pt, but differs by {apart:.2g}.")
