"""SGD that is told to average, against torch's own."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.optim import ASGD, SGD

from nas_ray.training.averaged_sgd import AveragedSgd

DECAY = 1e-2


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()


def step(model: nn.Module, optimiser: torch.optim.Optimizer, number: int) -> None:
    generator = torch.Generator().manual_seed(number)
    optimiser.zero_grad()
    model(torch.randn(5, 3, generator=generator, dtype=torch.double)).pow(2).mean().backward()
    optimiser.param_groups[0]["lr"] = 0.1 + 0.05 * (number % 3)  # as pieces of different lengths do
    optimiser.step()


def equal(one: nn.Module, other: nn.Module) -> bool:
    return all(map(torch.equal, one.parameters(), other.parameters()))


def test_it_is_torchs_sgd_before_and_torchs_asgd_afterwards() -> None:
    ours, theirs = net(), net()
    own = AveragedSgd(ours.parameters(), lr=0.1, weight_decay=DECAY)
    sgd = SGD(theirs.parameters(), lr=0.1, weight_decay=DECAY)
    for number in range(4):
        step(ours, own, number)
        step(theirs, sgd, number)
        assert equal(ours, theirs)
    own.begin_averaging()
    asgd = ASGD(theirs.parameters(), lr=0.1, t0=0, lambd=0.0, weight_decay=DECAY)
    for number in range(4, 10):
        step(ours, own, number)
        step(theirs, asgd, number)
        assert equal(ours, theirs)
        for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(own.average_of(one), asgd.state[other]["ax"])
    assert not torch.equal(own.average_of(next(ours.parameters())), next(ours.parameters()))


def test_the_average_of_no_step_is_the_parameter() -> None:
    model = net()
    own = AveragedSgd(model.parameters(), lr=0.1, weight_decay=0.0)
    step(model, own, 0)
    own.begin_averaging()
    first = next(model.parameters())
    assert torch.equal(own.average_of(first), first)


def test_its_state_goes_on_elsewhere() -> None:
    model = net()
    own = AveragedSgd(model.parameters(), lr=0.1, weight_decay=DECAY)
    own.begin_averaging()
    for number in range(3):
        step(model, own, number)
    there = copy.deepcopy(model)
    other = AveragedSgd(there.parameters(), lr=0.1, weight_decay=DECAY)
    other.load_state_dict(own.state_dict())
    assert other.averaging
    for number in range(3, 6):
        step(model, own, number)
        step(there, other, number)
    assert equal(model, there)
    pairs = zip(model.parameters(), there.parameters(), strict=True)
    assert all(torch.equal(own.average_of(one), other.average_of(two)) for one, two in pairs)
