from __future__ import annotations

import math

import pytest
import torch

from nas_ray.shared_weights.methods.chance import Chance
from nas_ray.shared_weights.methods.weights import KINDS, concentration, dirichlet, gumbel

CPU = torch.device("cpu")
ALL = torch.ones(6, 5, dtype=torch.bool)


def logits(seed: int = 0, shape: tuple[int, int] = (6, 5)) -> torch.Tensor:
    made = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return made.requires_grad_()


def test_gumbel_is_one_hot_forward_and_soft_backward_exactly() -> None:
    own, chance = logits(), Chance(5, CPU)
    chance.tau = 0.7
    drawn = gumbel(own, ALL, chance)
    assert set(drawn.weights.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(drawn.weights.sum(-1), torch.ones(6, dtype=torch.float64))
    assert torch.equal(drawn.active, drawn.weights.bool())
    slope = torch.randn(6, 5, dtype=torch.float64)
    found = torch.autograd.grad(drawn.weights, own, slope)[0]

    noise = torch.empty(6, 5, dtype=torch.float64).exponential_(generator=torch.Generator().manual_seed(5))
    soft = ((own.log_softmax(-1) - noise.log()) / 0.7).softmax(-1)
    assert torch.equal(soft.argmax(-1), drawn.weights.argmax(-1))
    assert torch.equal(found, torch.autograd.grad(soft, own, slope)[0])


def test_gumbel_draws_operations_as_often_as_their_softmax_says() -> None:
    own, chance = logits(1, (1, 5)), Chance(0, CPU)
    keep = torch.tensor([[True, True, False, True, True]])
    counts = sum(gumbel(own, keep, chance).weights.detach() for _ in range(4000))
    expected = KINDS["gumbel"].strengths(own, keep).detach()
    assert expected[0, 2] == counts[0, 2] == 0
    torch.testing.assert_close(counts / 4000, expected, atol=0.03, rtol=0)


def test_the_pathwise_gradient_is_that_of_the_expectation() -> None:
    """Of E[f(theta)] over a Dirichlet distribution of three operations; the truth by quadrature."""
    own = torch.tensor([[0.3, -0.4, 0.8]], dtype=torch.float64)

    def value(theta: torch.Tensor) -> torch.Tensor:
        return (theta[..., 0] * 2 - theta[..., 1]).exp() + theta[..., 2] ** 2 * theta[..., 0]

    def expectation(parameters: torch.Tensor, points: int = 1200) -> float:
        shape = torch.nn.functional.elu(parameters[0]) + 1
        grid = (torch.arange(points, dtype=torch.float64) + 0.5) / points
        u, v = torch.meshgrid(grid, grid, indexing="ij")
        u, v = u**3, v**3  # finer where densities have their poles
        jacobian = (
            9
            * (torch.meshgrid(grid, grid, indexing="ij")[0] * torch.meshgrid(grid, grid, indexing="ij")[1])
            ** 2
        )
        theta = torch.stack([u, (1 - u) * v, (1 - u) * (1 - v)], -1)
        log_density = ((shape - 1) * theta.log()).sum(-1) + shape.sum().lgamma() - shape.lgamma().sum()
        weights = log_density.exp() * (1 - u) * jacobian
        return float((value(theta) * weights).sum() / weights.sum())

    truth = []
    for place in range(3):
        step = torch.zeros_like(own)
        step[0, place] = 1e-4
        truth.append((expectation(own + step) - expectation(own - step)) / 2e-4)

    many = own.expand(200_000, 3).clone().requires_grad_()
    drawn = dirichlet(many, torch.ones(200_000, 3, dtype=torch.bool), Chance(0, CPU)).weights
    value(drawn).sum().backward()
    mean, error = many.grad.mean(0), many.grad.std(0) / math.sqrt(200_000)
    assert (error < 0.02).all()
    for found, wide, exact in zip(mean, error, truth, strict=True):
        assert abs(found - exact) < 4 * wide + 2e-3


def test_the_pathwise_gradient_is_that_of_torch() -> None:
    own = logits(2, (4, 3))
    drawn = dirichlet(own, torch.ones(4, 3, dtype=torch.bool), Chance(1, CPU)).weights
    slope = torch.randn(4, 3, dtype=torch.float64)
    found = torch.autograd.grad(drawn, own, slope)[0]
    shape = concentration(own)
    total = shape.sum(-1, keepdim=True).expand_as(shape)
    by_shape = torch._dirichlet_grad(drawn.detach(), shape.detach(), total.detach())
    centred = slope - (drawn * slope).sum(-1, keepdim=True)
    expected = torch.autograd.grad(shape, own, by_shape * centred.detach())[0]
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_gone_has_no_weight_and_no_gradient(kind: str) -> None:
    own, chance = logits(3), Chance(2, CPU)
    keep = ALL.clone()
    keep[:, 1] = keep[2, 3] = False
    drawn = KINDS[kind].draw(own, keep, chance).weights
    (drawn * torch.randn(6, 5, dtype=torch.float64)).sum().backward()
    assert (drawn[~keep] == 0).all()
    assert (own.grad[~keep] == 0).all()
    assert torch.isfinite(own.grad).all()
    strengths = KINDS[kind].strengths(own, keep)
    assert (strengths[~keep] == 0).all()
    if kind != "sigmoid":
        torch.testing.assert_close(strengths.sum(-1), torch.ones(6, dtype=torch.float64))
        torch.testing.assert_close(drawn.sum(-1), torch.ones(6, dtype=torch.float64))
