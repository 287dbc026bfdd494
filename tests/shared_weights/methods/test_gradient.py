from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from nas_ray.shared_weights.methods.gradient import VirtualStep, first_order, second_order
from nas_ray.shared_weights.methods.weights import softmax
from nas_ray.shared_weights.mixed import Mix, mixed_net
from nas_ray.spaces import NatsTss
from tests.shared_weights.methods.tiny import TinySpace, batches, tiny_net

LR = 0.1  # more than published, so that the second order is seen


pytestmark = pytest.mark.usefixtures("doubles")


def scene() -> tuple[object, list[Tensor], Tensor, torch.optim.SGD]:
    """A net with momentum of two steps, a train and a validation batch, and logits."""
    torch.manual_seed(3)
    net = tiny_net(TinySpace(), 3)
    optimizer = torch.optim.SGD(net.parameters(), lr=LR, momentum=0.9, weight_decay=3e-2)
    logits = torch.randn(3, 4).requires_grad_()
    own = batches(4)
    for inputs, targets in own[:2]:
        optimizer.zero_grad()
        cross_entropy(net(inputs, Mix((logits.softmax(-1).detach(),))), targets).backward()
        optimizer.step()
    return net, own[2:], logits, optimizer


def exact(net, own, logits, optimizer) -> Tensor:
    """The gradient through the whole step, momentum and weight decay included, by autograd alone."""
    weights = {name: one.detach().requires_grad_() for name, one in net.named_parameters()}
    mix = Mix((logits.softmax(-1),))
    (inputs, targets), (valid, valid_targets) = own
    loss = cross_entropy(functional_call(net, weights, (inputs, mix)), targets)
    gradients = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
    moved = {}
    for (name, weight), gradient, real in zip(weights.items(), gradients, net.parameters(), strict=True):
        velocity = optimizer.state[real]["momentum_buffer"]
        moved[name] = weight - LR * (0.9 * velocity + gradient + 3e-2 * weight)
    loss = cross_entropy(functional_call(net, moved, (valid, mix)), valid_targets)
    return torch.autograd.grad(loss, logits)[0]


def ours(net, own, logits, optimizer, order: int = 2, radius: float = 0.01) -> Tensor:
    weights = softmax(logits, torch.ones(logits.shape, dtype=torch.bool))
    leaf = weights.detach().requires_grad_()
    parameters = list(net.parameters())

    def loss(batch, made) -> Tensor:
        return cross_entropy(net(batch[0], Mix(tuple(made))), batch[1])

    found = (
        second_order(
            lambda made: loss(own[0], made),
            lambda made: loss(own[1], made),
            [leaf],
            parameters,
            VirtualStep.of(optimizer, parameters),
            radius,
        )
        if order == 2
        else first_order(loss(own[1], [leaf]), [leaf])
    )
    return torch.autograd.grad(weights, logits, found.by_operations[0])[0]


def test_the_second_order_is_the_derivative_through_a_step() -> None:
    net, own, logits, optimizer = scene()
    truth = exact(net, own, logits, optimizer)
    found = ours(net, own, logits, optimizer)
    assert (found - truth).norm() / truth.norm() < 1e-4
    plain = ours(net, own, logits, optimizer, order=1)
    assert (plain - truth).norm() / truth.norm() > 0.05  # so the second order is worth measuring


def test_the_second_term_is_divided_by_the_move() -> None:
    """The term itself, which a factor of epsilon squared makes vanish without being seen in the sum."""
    net, own, logits, optimizer = scene()
    lr = optimizer.param_groups[0]["lr"]
    optimizer.param_groups[0]["lr"] = 1e-9
    near = ours(net, own, logits, optimizer)
    optimizer.param_groups[0]["lr"] = lr
    found, truth = ours(net, own, logits, optimizer), exact(net, own, logits, optimizer)
    assert (found - near).norm() > 0.02 * truth.norm()


def test_weights_are_what_they_were_to_the_last_bit() -> None:
    net, own, logits, optimizer = scene()
    before = [one.clone() for one in net.parameters()]
    ours(net, own, logits, optimizer)
    assert all(torch.equal(one, other) for one, other in zip(before, net.parameters(), strict=True))


def test_the_first_order_is_the_derivative_at_the_weights() -> None:
    net, own, logits, optimizer = scene()
    loss = cross_entropy(net(own[1][0], Mix((logits.softmax(-1),))), own[1][1])
    truth = torch.autograd.grad(loss, logits)[0]
    torch.testing.assert_close(ours(net, own, logits, optimizer, order=1), truth, rtol=1e-12, atol=1e-15)


def test_it_is_exact_on_a_supernet_where_no_unit_changes_its_side() -> None:
    """ReLU has its curvature in kinks, which the published radius meets and a small one does not."""
    torch.manual_seed(0)
    net = mixed_net(NatsTss(), 10, channels=4, cells=1)
    optimizer = torch.optim.SGD(net.parameters(), lr=LR, momentum=0.9, weight_decay=3e-2)
    logits = torch.randn(6, 5).requires_grad_()
    own = [(torch.randn(8, 3, 16, 16), torch.randint(10, (8,))) for _ in range(3)]
    inputs, targets = own.pop()
    cross_entropy(net(inputs, Mix((logits.softmax(-1).detach(),))), targets).backward()
    optimizer.step()
    truth = exact(net, own, logits, optimizer)
    found = ours(net, own, logits, optimizer, radius=1e-7)
    assert (found - truth).norm() / truth.norm() < 1e-4


def test_a_flat_validation_loss_gives_zero() -> None:
    net, own, logits, optimizer = scene()
    leaf = logits.softmax(-1).detach().requires_grad_()
    parameters = list(net.parameters())
    found = second_order(
        lambda made: cross_entropy(net(own[0][0], Mix(tuple(made))), own[0][1]),
        lambda made: 0.0 * sum(one.sum() for one in parameters) + 0.0 * made[0].sum(),
        [leaf],
        parameters,
        VirtualStep.of(optimizer, parameters),
    )
    assert torch.equal(found.by_operations[0], torch.zeros(3, 4))
