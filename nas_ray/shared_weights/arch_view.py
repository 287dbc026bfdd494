"""One arch of a supernet as a net of its own: shared weights, nothing computed twice or in vain."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.shared_weights.beginning import Beginning
from nas_ray.shared_weights.mixture import Mixture
from nas_ray.shared_weights.normed import Term, convolved, summed, weighted
from nas_ray.spaces.ops import ResidualReduction
from nas_ray.spaces.plans import INPUT, OUTPUT, CellPlan, Step

Result = TypeVar("Result")
Observer = Callable[[Tensor, int], None]
"""Called with a pre-activation `[B, C, H, W]` and the number of ReLUs of the plain net that see it."""


class ArchView(nn.Module):
    """The net of one arch on the weights of a supernet; `[B, 3, H, W] -> [B, classes]`.

    Equal to the plain net but for rounding, and faster: operations without effect are left out, the ReLU of
    a node is computed once for all its convolutions, and average pooling is a depthwise convolution. Give it
    images in channels-last order, as its weights are. A proxy that hooks convolutions sees those of the plain
    net that have an effect; ReLUs and poolings are no modules here. Where ReLUs are observed, what leads to
    one is computed as well, even if that ReLU leads nowhere.
    """

    def __init__(
        self,
        stem: nn.Module,
        body: nn.ModuleList,
        head: nn.Module,
        classifier: nn.Module,
        arch: Mixture,
    ) -> None:
        super().__init__()
        self.skip_spans, self.live_ops, self.live_paths = arch.skip_spans, arch.live_ops, arch.live_paths
        self.stem = stem
        self.body = nn.ModuleList(
            block if isinstance(block, ResidualReduction) else CellView(block, arch) for block in body
        )
        self.head = head
        self.classifier = classifier
        self.beginning: Beginning | None = None
        """What views that are observed one after the other have in common, for who scores several."""

    def forward(self, x: Tensor, observe: Observer | None = None) -> Tensor:
        """Returns class scores; calls `observe` with every node that ReLUs see, in the order of the net."""
        common = self.beginning if observe else None
        x = common.map("stem", lambda: self.stem(x)) if common else self.stem(x)
        for place, block in enumerate(self.body):
            if observe is None:
                x = block(x)
            elif isinstance(block, CellView):
                x = block(x, observe, common if place == 0 else None)
            else:
                x = watched(block, x, observe)
        x = self.head[0](x)  # type: ignore[index]  # nn.Sequential
        if observe:
            observe(x, 1)
        logits: Tensor = self.classifier(F.relu(x).mean((2, 3)))
        return logits

    def once(self, node: Tensor, function: Callable[[Tensor], Result]) -> Result:
        """Returns `function(node)` of an observed node, computed once where views have it in common."""
        return self.beginning.once(node, function) if self.beginning else function(node)


class CellView(nn.Module):
    """One cell of one arch."""

    def __init__(self, cell: nn.Module, arch: Mixture) -> None:
        super().__init__()
        self.arch = arch
        self.plan, self.observed_plan = arch.plan(), arch.plan(observed=True)
        self.edges = nn.ModuleList(operation(cell, step) for step in self.plan.steps)
        # A tuple, so that these are no submodules.
        self.observed_edges = tuple(observed_operation(cell, step) for step in self.observed_plan.steps)

    def forward(self, x: Tensor, observe: Observer | None = None, common: Beginning | None = None) -> Tensor:
        """Returns the last node."""
        if observe is None:
            nodes = computed(x, self.plan, self.edges, self.arch.weight)
        else:
            made = common.nodes if common else computed
            nodes = made(x, self.observed_plan, self.observed_edges, self.arch.weight)
            for node, count in enumerate(self.plan.readers):
                if count:
                    observe(nodes[node] if node in nodes else torch.zeros_like(x), count)
        return nodes[OUTPUT] if OUTPUT in nodes else x * 0.0


def computed(
    x: Tensor, plan: CellPlan, edges: Iterable[Callable[[Tensor], Term]], weight: Callable[[int, str], float]
) -> dict[int, Tensor]:
    """Returns the nodes of a cell that are not zero, each a sum of operations on earlier ones.

    Args:
        x: input of the cell `[B, C, H, W]`.
        plan: what to compute.
        edges: the operations, without the ReLU of a convolution, which all of a node have in common.
        weight: what the output of an operation of an edge is multiplied by.
    """
    nodes: dict[int, Tensor] = {INPUT: x}
    active: dict[int, Tensor] = {}
    steps = zip(plan.steps, edges, strict=True)
    for target, into in itertools.groupby(steps, lambda one: one[0].target):
        terms = []
        for step, op in into:
            source = nodes[step.source]
            if step.is_convolution:
                if step.source not in active:
                    active[step.source] = F.relu(source)
                source = active[step.source]
            terms.append(weighted(op(source), weight(step.edge, step.op)))
        nodes[target] = summed(terms)
    return nodes


def operation(cell: nn.Module, step: Step) -> nn.Module:
    """Returns what `step` computes, for a convolution without its ReLU."""
    if step.op in WITHOUT_WEIGHTS:
        return WITHOUT_WEIGHTS[step.op]
    block: nn.Sequential = cell.edges[step.edge][step.op]  # type: ignore[index, assignment]
    return nn.Sequential(block[1], block[2])


def observed_operation(cell: nn.Module, step: Step) -> Callable[[Tensor], Term]:
    """Returns the same, which may put its BN off; modules but the convolution are not called."""
    whole = operation(cell, step)
    return partial(convolved, *whole) if isinstance(whole, nn.Sequential) else whole


def watched(block: nn.Module, x: Tensor, observe: Observer) -> Tensor:
    """Returns `block(x)` and calls `observe` with the inputs of its two ReLUs."""
    observe(x, 1)
    (_, conv_a, norm_a), (_, conv_b, norm_b) = (
        block.get_submodule(name).children() for name in ("conv_a", "conv_b")
    )
    middle = summed([convolved(conv_a, norm_a, F.relu(x))])
    observe(middle, 1)
    around: Tensor = block.get_submodule("shortcut")(x)
    return summed([convolved(conv_b, norm_b, F.relu(middle)), around])


class AveragePool(nn.Module):
    """3x3 average pooling with stride 1 that leaves padding out; `[B, C, H, W] -> [B, C, H, W]`."""

    def forward(self, x: Tensor) -> Tensor:
        """Returns the mean over the pixels of the window that exist."""
        if not x.is_cpu:
            return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
        box, share = window(x.shape[1], x.shape[2], x.shape[3], x.dtype, x.device)
        total = F.conv2d(x, box, padding=1, groups=x.shape[1])
        return total * share if torch.is_grad_enabled() else total.mul_(share)


@lru_cache(maxsize=32)
def window(
    channels: int, height: int, width: int, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Returns the depthwise filter of ones `[C, 1, 3, 3]` and 1 / (pixels in the window) `[1, C, H, W]`.

    Both have their channels last; the second is as large as an image, since numbers that are the same for all
    channels are multiplied in many short runs.
    """
    ones = torch.ones(1, 1, height, width, dtype=dtype, device=device)
    share = 1 / F.conv2d(ones, ones.new_ones(1, 1, 3, 3), padding=1)
    box = ones.new_ones(channels, 1, 3, 3).contiguous(memory_format=torch.channels_last)
    return box, share.expand(-1, channels, -1, -1).contiguous(memory_format=torch.channels_last)


WITHOUT_WEIGHTS: dict[str, nn.Module] = {"avg_pool_3x3": AveragePool(), "skip_connect": nn.Identity()}
"""The operations without weights, which all cells share."""
