"""Zen on the shape of a supernet: no net is built, and nothing is computed that the score does not see."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.proxies.noise import gaussian_like, generator
from nas_ray.shared_weights.arch_view import WITHOUT_WEIGHTS, computed
from nas_ray.shared_weights.batch_run import EPS, initial_norm
from nas_ray.shared_weights.mixture import Arch, mixture_of
from nas_ray.shared_weights.normed import Term, put_off, summed
from nas_ray.spaces.ops import ResidualReduction
from nas_ray.spaces.plans import OUTPUT, Step, every_step


class Shape(nn.Module):
    """Which layers the plain net of an arch has and how they are connected; it cannot be called.

    Args:
        supernet: a `Supernet`, of whose layers the shapes alone count.
        arch: what the cells are.
    """

    def __init__(self, supernet: nn.Module, arch: Arch) -> None:
        super().__init__()
        self.stem = supernet.get_submodule("stem.0")
        self.body = supernet.get_submodule("body")
        self.classifier = supernet.get_submodule("classifier")
        self.arch = mixture_of(arch)

    def layers(self) -> Iterator[nn.Module]:
        """Yields the convolutions and the classifier, in the order of the modules of the plain net."""
        yield self.stem
        for block in self.body.children():
            if isinstance(block, ResidualReduction):
                yield from (block.get_submodule(f"{name}.1") for name in ("conv_a", "conv_b", "shortcut"))
            else:
                yield from (
                    layer_of(block, step) for step in every_step(self.arch.ops) if step.is_convolution
                )
        yield self.classifier


def layer_of(cell: nn.Module, step: Step) -> nn.Module:
    """Returns the convolution of a step of a cell."""
    return cell.get_submodule(f"edges.{step.edge}.{step.op}.1")


def drawn_alike(arch: Arch) -> Hashable:
    """Returns what `zen` sees: convolutions, which draw weights, and what leads to the output or a BN."""
    mixture = mixture_of(arch)
    seen = mixture.plan(observed=True).steps
    return tuple(
        (step.edge, step.op, mixture.weight(step.edge, step.op))
        for step in every_step(mixture.ops)
        if step.is_convolution or step in seen
    )


def zen_of_shape(net: Shape, inputs: Tensor, targets: Tensor) -> float:
    """Returns `zen` of the plain net of `net`, with the weights and images that `zen` draws."""
    with torch.no_grad():
        source = generator(0)
        weights = {layer: gaussian_like(layer.get_parameter("weight"), source) for layer in net.layers()}
        images, noise = gaussian_like(inputs, source), gaussian_like(inputs, source)
        scales: list[Tensor] = []
        features = GaussianRun(net, weights, scales).features(images)
        changed = GaussianRun(net, weights).features(images.add_(noise, alpha=0.01))
        change = (features - changed).abs_().sum(dim=(1, 2, 3), dtype=torch.float64).mean()
        return float(change.log() + (torch.stack(scales).sum() if scales else 0))


class GaussianRun:
    """A forward pass of the plain net of a shape with other weights.

    Args:
        net: which is computed.
        weights: of each of its layers.
        scales: gets the logarithm of the scale of every BN whose input varies; None leaves out what is
            computed for that alone.
    """

    def __init__(
        self, net: Shape, weights: dict[nn.Module, Tensor], scales: list[Tensor] | None = None
    ) -> None:
        self.net = net
        self.weights = weights
        self.scales = scales

    def features(self, x: Tensor) -> Tensor:
        """Returns the map before global pooling `[B, C, H, W]` of images `[B, 3, H, W]`."""
        x = summed([self.layer(self.net.stem, x)])
        for block in self.net.body.children():
            x = self.reduction(block, x) if isinstance(block, ResidualReduction) else self.cell(block, x)
        return F.relu_(summed([self.norm(x)]))

    def cell(self, cell: nn.Module, x: Tensor) -> Tensor:
        """Returns the last node of a cell."""
        arch = self.net.arch
        plan = arch.plan(observed=self.scales is not None)
        nodes = computed(x, plan, [self.operation(cell, step) for step in plan.steps], arch.weight)
        if self.scales is not None:
            for step in every_step(arch.ops):  # nothing but its BN sees what it computes
                if step.is_convolution and step not in plan.steps and step.source in nodes:
                    self.layer(layer_of(cell, step), F.relu(nodes[step.source]))
        return nodes[OUTPUT] if OUTPUT in nodes else torch.zeros_like(x)

    def operation(self, cell: nn.Module, step: Step) -> Callable[[Tensor], Term]:
        """Returns what a step computes, a convolution without its ReLU."""
        if step.is_convolution:
            return partial(self.layer, layer_of(cell, step))
        return WITHOUT_WEIGHTS[step.op]

    def reduction(self, block: nn.Module, x: Tensor) -> Tensor:
        """Returns the output of a residual reduction."""
        first, second, around = (block.get_submodule(name) for name in ("conv_a.1", "conv_b.1", "shortcut.1"))
        middle = summed([self.layer(first, F.relu(x))])
        pooled = block.get_submodule("shortcut.0")(x)
        return summed([self.layer(second, F.relu_(middle)), self.convolution(around, pooled)])

    def layer(self, convolution: nn.Module, x: Tensor) -> Term:
        """Returns a convolution and its BN."""
        return self.norm(self.convolution(convolution, x))

    def convolution(self, layer: nn.Module, x: Tensor) -> Tensor:
        """Returns a convolution with the weights of this pass."""
        assert isinstance(layer, nn.Conv2d)
        return F.conv2d(x, self.weights[layer], None, layer.stride, layer.padding)

    def norm(self, x: Tensor) -> Term:
        """Returns BN in batch mode, and keeps the logarithm of its scale."""
        if x.shape[1] == x.numel():  # a single value per channel has no variance
            return initial_norm(x)
        later = put_off(x, EPS)
        if self.scales is not None:
            variance = x.var((0, 2, 3), correction=0) if later is None else later.variance
            mean = variance.double().mean()
            self.scales.append(torch.where(mean > 0, mean.log() / 2, 0.0))
        return F.batch_norm(x, None, None, training=True, eps=EPS) if later is None else later
