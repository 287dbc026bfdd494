from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nas_ray.proxies import naswot
from tests.proxies.nets import CONNECTED, DISCONNECTED, IDENTITY, batch, built, tss


def reference(net: nn.Module, inputs: Tensor) -> float:
    """The authors' rule: a backward pass marks the ReLUs that it reaches, a forward pass counts them."""
    relus = [module for module in net.modules() if isinstance(module, nn.ReLU)]
    visited: set[nn.Module] = set()
    kernel = np.zeros((len(inputs), len(inputs)))

    def count(relu: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
        if relu in visited:
            active = (args[0].flatten(1) > 0).double().numpy()
            kernel[:] += active @ active.T + (1 - active) @ (1 - active.T)

    for relu in relus:
        relu.register_full_backward_hook(lambda module, grad_in, grad_out: visited.add(module))
    net.train()
    output = net(inputs.clone().requires_grad_())
    output.backward(torch.ones_like(output))
    for relu in relus:
        relu.register_forward_hook(count)
    with torch.no_grad():
        net(inputs)
    return float(np.linalg.slogdet(kernel)[1])


class Branches(nn.Module):
    """A branch that the output depends on, one whose result is thrown away, one that is multiplied by 0."""

    def __init__(self) -> None:
        super().__init__()
        self.live, self.dropped, self.zeroed = (
            nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU())
            for _ in range(3)
        )
        self.head = nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        self.dropped(x)
        out: Tensor = self.head((self.live(x) + 0 * self.zeroed(x)).mean((2, 3)))
        return out


@pytest.mark.parametrize("arch", [*CONNECTED, IDENTITY])
def test_equals_the_reference_rule(arch: str) -> None:
    inputs, targets = batch()
    assert naswot(tss(arch), inputs, targets) == pytest.approx(reference(tss(arch), inputs), rel=1e-4)


def test_a_branch_that_is_never_used_does_not_count() -> None:
    inputs, targets = batch()
    value = naswot(built(Branches), inputs, targets)
    assert value == pytest.approx(reference(built(Branches), inputs), rel=1e-4)

    everything = built(Branches)
    everything.forward = lambda x: everything.head(  # type: ignore[method-assign]
        (everything.live(x) + everything.dropped(x) + everything.zeroed(x)).mean((2, 3))
    )
    assert naswot(everything, inputs, targets) != pytest.approx(value, rel=1e-4)


def test_kernel_of_two_units_by_hand() -> None:
    net = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(), nn.Linear(2, 1))
    with torch.no_grad():
        net[0].weight.copy_(torch.eye(2))
    points = torch.tensor([[1.0, 1.0], [1.0, -1.0]])  # they agree in one of two units: K = [[2, 1], [1, 2]]
    assert naswot(net, points, points) == pytest.approx(math.log(3))


def test_equal_patterns_are_singular() -> None:
    inputs, targets = batch()
    assert naswot(tss(), torch.cat([inputs, inputs[:1]]), targets) == -math.inf
    assert naswot(tss(DISCONNECTED), inputs, targets) == -math.inf


def test_dropout_draws_nothing() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(192, 50), nn.ReLU(), nn.Linear(50, 5)).double()
    state = torch.random.get_rng_state()
    assert naswot(net, *batch()) == naswot(net, *batch())
    assert torch.equal(state, torch.random.get_rng_state())


def test_errors() -> None:
    with pytest.raises(ValueError, match="^naswot: needs a batch of at least 2 images, got 1.$"):
        naswot(tss(), *batch(1))
    with pytest.raises(ValueError, match="^naswot: the net has no ReLU module that its output depends on.$"):
        naswot(nn.Sequential(nn.Flatten(), nn.Linear(192, 5)).double(), *batch())
