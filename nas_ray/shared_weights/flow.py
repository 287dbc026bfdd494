"""One pass of many archs through the linear net of SynFlow: absolute weights, no BN, an all-ones image."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.shared_weights.linear_ops import (
    absolute,
    average,
    average_back,
    cell_weight,
    convolve,
    convolve_back,
)
from nas_ray.shared_weights.mixture import Arch, mixture_of
from nas_ray.shared_weights.routes import Group, Routes
from nas_ray.shared_weights.supernet import SuperCell, Supernet
from nas_ray.spaces.plans import INPUT, OUTPUT


class Flow:
    """The sum R of all outputs of A archs, and how much of it each layer carries.

    All values are non-negative, so ReLUs change nothing. Behind each block every arch is divided by its
    largest value, and the logarithms of the divisors are summed, so that nets of any depth stay within
    float32: with g the gradient in a layer's output, found in the divided net, `d R / d weight` is that of g
    times `exp(log_scale)`.

    A subclass sees, while the backward pass goes by, every layer with its input and the gradient in its
    output (`see_layer`).

    Args:
        supernet: whose weights count, in its dtype.
        archs: which to run.
        image_size: height and width of the image.
    """

    def __init__(self, supernet: Supernet, archs: Sequence[Arch], image_size: tuple[int, int]) -> None:
        self.supernet = supernet
        self.classifier = supernet.classifier.weight.detach().abs()
        self.size = len(archs)
        self.routes = Routes([mixture_of(arch) for arch in archs], self.classifier.device)
        self.image = self.classifier.new_ones(1, *image_size, 3)
        self.log_scale = self.classifier.new_zeros(self.size, dtype=torch.float64)
        self.score = torch.zeros_like(self.log_scale)

    def see_layer(
        self, group: Group | None, value: Tensor, grad: Tensor, weight: Tensor, stride: int = 1
    ) -> None:
        """Sees a layer: its input for all archs, the gradient in its output for those of `group`."""

    def run(self) -> None:
        """Runs the pass."""
        with torch.no_grad():
            stem = absolute(self.supernet.stem[0])
            first = convolve(self.image, stem)
            x = first.expand(self.size, -1, -1, -1).contiguous()
            tape = []
            for block in self.supernet.body:
                inner, out = self.cell(block, x) if isinstance(block, SuperCell) else reduction(block, x)
                largest = out.amax((1, 2, 3))
                divisor = torch.where(largest > 0, largest, 1).view(-1, 1, 1, 1)
                self.log_scale += divisor.flatten().double().log()
                x = out.div_(divisor)
                tape.append((inner, divisor))
            grad = self.classify(x)
            for block, (inner, divisor) in zip(reversed(self.supernet.body), reversed(tape), strict=True):
                grad = grad / divisor
                back = self.cell_back if isinstance(block, SuperCell) else self.reduction_back
                grad = back(block, inner, grad)
            self.see_layer(None, self.image.expand(self.size, -1, -1, -1), grad, stem)

    def classify(self, x: Tensor) -> Tensor:
        """Sees the classifier behind `x [A, H, W, C]`; returns the gradient in x."""
        pooled = x.mean((1, 2))
        through = self.classifier.sum(0).expand_as(pooled)
        self.see_layer(
            None,
            pooled[:, None, None],
            pooled.new_ones(self.size, 1, 1, len(self.classifier)),
            self.classifier[:, :, None, None],
        )
        positions = x.shape[1] * x.shape[2]
        return (through / positions)[:, None, None].expand_as(x).contiguous()

    def cell(self, cell: nn.Module, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """Returns the nodes before the last of a cell, and the last."""
        nodes = [x]
        for node in range(INPUT + 1, OUTPUT + 1):
            value = None
            for group in self.routes.into(node):
                source = group.take(nodes[group.source])
                if group.op.startswith("nor_conv"):
                    source = convolve(source, cell_weight(cell, group))
                elif group.op == "avg_pool_3x3":
                    source = average(source)
                value = group.add(value, group.weighted(source))
            nodes.append(torch.zeros_like(x) if value is None else value)
        return nodes[:-1], nodes[-1]

    def cell_back(self, cell: nn.Module, nodes: list[Tensor], grad: Tensor) -> Tensor:
        """Returns the gradient in the input of a cell, given that in its output."""
        grads = {OUTPUT: grad}
        for node in reversed(range(OUTPUT)):
            through, around = None, None
            for group in self.routes.out_of(node):
                out = group.weighted(group.take(grads[group.target]))
                if group.op.startswith("nor_conv"):
                    weight = cell_weight(cell, group)
                    self.see_layer(group, nodes[node], out, weight)
                    through = group.add(through, convolve_back(out, weight, out))
                else:
                    around = group.add(around, average_back(out) if group.op == "avg_pool_3x3" else out)
            both = [part for part in (through, around) if part is not None]
            grads[node] = sum(both[1:], start=both[0]) if both else torch.zeros_like(grad)
        return grads[INPUT]

    def reduction_back(self, block: nn.Module, inner: list[Tensor], grad: Tensor) -> Tensor:
        """Returns the gradient in the input of a reduction, given that in its output."""
        x, middle, pooled = inner
        a, b, shortcut = reduction_weights(block)
        in_middle, in_pooled = convolve_back(grad, b, middle), convolve_back(grad, shortcut, pooled)
        through = convolve_back(in_middle, a, x, stride=2)
        self.see_layer(None, x, in_middle, a, stride=2)
        self.see_layer(None, middle, grad, b)
        self.see_layer(None, pooled, grad, shortcut)
        around = (in_pooled / 4).repeat_interleave(2, dim=1).repeat_interleave(2, dim=2)
        return through + around


def reduction(block: nn.Module, x: Tensor) -> tuple[list[Tensor], Tensor]:
    """Returns the inputs of the three convolutions of a reduction, and its output."""
    a, b, shortcut = reduction_weights(block)
    middle = convolve(x, a, stride=2)
    pooled = F.avg_pool2d(x.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)
    return [x, middle, pooled], convolve(middle, b) + convolve(pooled, shortcut)


def reduction_weights(block: nn.Module) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the absolute weights of the two convolutions of a reduction and of its shortcut."""
    names = ("conv_a", "conv_b", "shortcut")
    first, second, third = (absolute(block.get_submodule(f"{name}.1")) for name in names)
    return first, second, third
