"""NATS-TSS in the usual form: one module per operation and edge, with the weights of a mixed net."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from nas_ray.shared_weights.mixed import MixedNet

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))


class Zero(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * 0.0


def conv(weight: Tensor) -> nn.Module:
    made = nn.Conv2d(*weight.shape[1::-1], weight.shape[2], padding=weight.shape[2] // 2, bias=False)
    made.weight = nn.Parameter(weight.detach().clone())
    width = weight.shape[0]
    return nn.Sequential(nn.ReLU(), made, nn.BatchNorm2d(width, affine=False, track_running_stats=False))


class PlainCell(nn.Module):
    """Modules in the published order of operations; `kernels` are those of both convolutions by edge."""

    def __init__(self, kernels: list[tuple[Tensor, Tensor]]) -> None:
        super().__init__()
        pool = nn.AvgPool2d(3, 1, 1, count_include_pad=False)
        self.edges = nn.ModuleList(
            nn.ModuleList([Zero(), nn.Identity(), conv(one), conv(three), pool]) for one, three in kernels
        )

    def forward(self, x: Tensor, weights: Tensor, index: Tensor | None) -> Tensor:
        nodes = [x]
        for node in range(1, 4):
            parts = []
            for place, (source, target) in enumerate(EDGES):
                if target == node:
                    parts.append(self.mixed(place, nodes[source], weights[place], index))
            nodes.append(sum(parts[1:], parts[0]))
        return nodes[-1]

    def mixed(self, place: int, x: Tensor, weights: Tensor, index: Tensor | None) -> Tensor:
        if index is None:
            return sum(weight * op(x) for weight, op in zip(weights, self.edges[place], strict=True))
        chosen = int(index[place])
        return sum(
            weights[number] * op(x) if number == chosen else weights[number]
            for number, op in enumerate(self.edges[place])
        )


class PlainTss(nn.Module):
    """The net `[B, 3, H, W] -> [B, classes]`; `index [E]` are the operations that alone are computed."""

    def __init__(self, net: MixedNet) -> None:
        super().__init__()
        own = net.operation_parameters()
        cells = [
            PlainCell([(own[0, edge, 2][cell], own[0, edge, 3][cell]) for edge in range(6)])
            for cell in range(net.cells[0])
        ]
        self.stem, self.head = copy.deepcopy(net.stem), copy.deepcopy(net.head)
        self.classifier = copy.deepcopy(net.classifier)
        reductions = [copy.deepcopy(block) for block in net.body if "Reduction" in type(block).__name__]
        self.stages = nn.ModuleList()
        each = len(cells) // (len(reductions) + 1)
        for number in range(len(reductions) + 1):
            self.stages.append(nn.ModuleList(cells[number * each : (number + 1) * each]))
        self.reductions = nn.ModuleList(reductions)

    def forward(self, x: Tensor, weights: Tensor, index: Tensor | None = None) -> Tensor:
        x = self.stem(x)
        for number, cells in enumerate(self.stages):
            if number:
                x = self.reductions[number - 1](x)
            for cell in cells:
                x = cell(x, weights, index)
        return self.classifier(self.head(x))


class PlainSgd:
    """Momentum as torch has it, written out; weights without a gradient stay."""

    def __init__(self, weights: list[nn.Parameter], momentum: float, nesterov: bool, decay: float) -> None:
        self.weights, self.momentum, self.nesterov, self.decay = weights, momentum, nesterov, decay
        self.velocities: list[Tensor | None] = [None] * len(weights)

    @torch.no_grad()
    def step(self, gradients: tuple[Tensor | None, ...], lr: float, clip: float = 5.0) -> None:
        norm = sum((one**2).sum() for one in gradients if one is not None) ** 0.5
        factor = min(1.0, clip / (float(norm) + 1e-6))
        for place, (weight, gradient) in enumerate(zip(self.weights, gradients, strict=True)):
            if gradient is None:
                continue
            change = gradient * factor + self.decay * weight
            velocity = self.velocities[place]
            velocity = change.clone() if velocity is None else self.momentum * velocity + change
            self.velocities[place] = velocity
            weight -= lr * (change + self.momentum * velocity if self.nesterov else velocity)


class PlainAdam:
    """Adam with the decay in its gradient, written out."""

    def __init__(self, lr: float = 3e-4, decay: float = 1e-3, beta: float = 0.5) -> None:
        self.lr, self.decay, self.beta, self.steps = lr, decay, beta, 0
        self.first: Tensor | float = 0.0
        self.second: Tensor | float = 0.0

    @torch.no_grad()
    def step(self, parameters: Tensor, gradient: Tensor) -> None:
        self.steps += 1
        gradient = gradient + self.decay * parameters
        self.first = self.beta * self.first + (1 - self.beta) * gradient
        self.second = 0.999 * self.second + 0.001 * gradient**2
        first, second = self.first / (1 - self.beta**self.steps), self.second / (1 - 0.999**self.steps)
        parameters -= self.lr * first / (second.sqrt() + 1e-8)
