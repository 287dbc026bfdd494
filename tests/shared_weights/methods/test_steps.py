"""Twenty steps equal an implementation that shares nothing with ours but the first weights and the noise."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from nas_ray.shared_weights.methods import OneShotSearch, parse_method
from nas_ray.spaces import NatsTss
from tests.shared_weights.methods.plain_tss import PlainAdam, PlainSgd, PlainTss

pytestmark = pytest.mark.usefixtures("doubles")
EPOCHS, PER_EPOCH, SEED = 4, 5, 11


def data() -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(0)
    number = 2 * EPOCHS * PER_EPOCH
    return [
        (torch.randn(6, 3, 8, 8, generator=generator), torch.randint(4, (6,), generator=generator))
        for _ in range(number)
    ]


class Plain:
    """DARTS and GDAS as published, step by step."""

    def __init__(self, search: OneShotSearch, algorithm: str, *, weights_first: bool) -> None:
        self.net, self.algorithm, self.weights_first = PlainTss(search.net), algorithm, weights_first
        self.alphas = search.mixes.arch.logits[0].detach().clone().requires_grad_()
        self.weights = list(self.net.parameters())
        tss = weights_first
        self.sgd = PlainSgd(self.weights, 0.9, nesterov=tss, decay=5e-4 if tss else 3e-4)
        self.decay = 5e-4 if tss else 3e-4
        self.adam = PlainAdam()
        self.noise = torch.Generator().manual_seed(SEED)

    def loss(self, batch: tuple[Tensor, Tensor], epoch: int) -> Tensor:
        if self.algorithm != "gdas":
            return cross_entropy(self.net(batch[0], self.alphas.softmax(-1)), batch[1])
        tau = 10 - (10 - 0.1) * epoch / (EPOCHS - 1)
        gumbels = -torch.empty(6, 5).exponential_(generator=self.noise).log()
        soft = ((self.alphas.log_softmax(1) + gumbels) / tau).softmax(1)
        index = soft.max(-1, keepdim=True)[1]
        hard = torch.zeros_like(soft).scatter_(-1, index, 1.0)
        return cross_entropy(self.net(batch[0], hard - soft.detach() + soft, index), batch[1])

    def lr(self, epoch: int, step: int) -> float:
        part = step / PER_EPOCH if self.weights_first else 0.0
        return 0.001 + (0.025 - 0.001) * (1 + math.cos(math.pi * (epoch + part) / EPOCHS)) / 2

    def train(self, train: tuple[Tensor, Tensor], epoch: int, lr: float) -> None:
        gradients = torch.autograd.grad(self.loss(train, epoch), self.weights, allow_unused=True)
        self.sgd.step(gradients, lr)

    def learn(
        self, train: tuple[Tensor, Tensor], valid: tuple[Tensor, Tensor], epoch: int, lr: float
    ) -> None:
        if self.algorithm == "darts2":
            gradient = self.unrolled(train, valid, epoch, lr)
        else:
            gradient = torch.autograd.grad(self.loss(valid, epoch), self.alphas)[0]
        self.adam.step(self.alphas, gradient)

    def unrolled(
        self, train: tuple[Tensor, Tensor], valid: tuple[Tensor, Tensor], epoch: int, lr: float
    ) -> Tensor:
        before = [one.detach().clone() for one in self.weights]
        gradients = torch.autograd.grad(self.loss(train, epoch), self.weights)
        moments = [0.0 if one is None else 0.9 * one for one in self.sgd.velocities]
        for weight, gradient, moment in zip(self.weights, gradients, moments, strict=True):
            weight.data = weight.data - lr * (moment + gradient + self.decay * weight.data)
        found = torch.autograd.grad(self.loss(valid, epoch), [self.alphas, *self.weights])
        vector = found[1:]
        radius = 0.01 / torch.cat([one.flatten() for one in vector]).norm()
        ends = []
        for sign in (1, -1):
            for weight, old, direction in zip(self.weights, before, vector, strict=True):
                weight.data = old + sign * radius * direction
            ends.append(torch.autograd.grad(self.loss(train, epoch), self.alphas)[0])
        for weight, old in zip(self.weights, before, strict=True):
            weight.data = old
        return found[0] - lr * (ends[0] - ends[1]) / (2 * radius)

    def step(self, train: tuple[Tensor, Tensor], valid: tuple[Tensor, Tensor], epoch: int, step: int) -> None:
        lr = self.lr(epoch, step)
        if self.weights_first:
            self.train(train, epoch, lr)
        self.learn(train, valid, epoch, lr)
        if not self.weights_first:
            self.train(train, epoch, lr)


@pytest.mark.parametrize(
    ("text", "weights_first"),
    [
        ("darts1", True),
        ("darts2", True),
        ("gdas", True),
        ("darts1,order=architecture,nesterov=0,weight_decay=3e-4", False),
        ("darts2,order=architecture,nesterov=0,weight_decay=3e-4", False),
    ],
)
def test_twenty_steps_equal_a_plain_implementation(text: str, weights_first: bool) -> None:
    method, _ = parse_method(text)
    search = OneShotSearch(
        method, NatsTss(), 4, epochs=EPOCHS, steps_per_epoch=PER_EPOCH, seed=SEED, channels=4, cells=1
    )
    if not weights_first:  # the rate is that of the space, at every step
        search.how = replace(search.how, weights_first=False, every_step=False)
    plain = Plain(search, method.name, weights_first=weights_first)
    pairs = iter(data())
    with torch.no_grad():
        assert (plain.alphas == search.mixes.arch.logits[0]).all()
    for epoch in range(EPOCHS):
        search.begin_epoch(epoch)
        for step in range(PER_EPOCH):
            train, valid = next(pairs), next(pairs)
            search.step(train, valid)
            plain.step(train, valid, epoch, step)
            difference = (plain.alphas - search.mixes.arch.logits[0]).abs().max()
            assert difference < 1e-8, (epoch, step)
            own = search.net.operation_parameters()
            for edge in range(6):
                for cell in range(3):
                    theirs = plain.net.stages[cell][0].edges[edge][3][1].weight
                    assert (theirs - own[0, edge, 3][cell]).abs().max() < 1e-8, (epoch, step)
            assert (plain.net.classifier.weight - search.net.classifier.weight).abs().max() < 1e-8
    assert (plain.alphas - plain.alphas.mean()).abs().max() > 1e-3  # they have moved
