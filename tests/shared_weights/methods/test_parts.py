from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, cross_entropy

from nas_ray.shared_weights.methods import METHODS, Method
from nas_ray.shared_weights.methods.chance import Chance
from nas_ray.shared_weights.methods.controller import Controller, Rewards, path_mask, plan
from nas_ray.shared_weights.methods.curvature import largest_eigenvalue
from nas_ray.shared_weights.methods.edge_weights import over_incoming, rivals
from nas_ray.shared_weights.methods.freeze import Agreement
from nas_ray.shared_weights.methods.harmony import agreement, harmonised, towards_agreement
from nas_ray.shared_weights.methods.penalties import penalty_of
from nas_ray.shared_weights.methods.perturb import adversarial, projected, random_noise
from nas_ray.shared_weights.methods.stages import stages_of, weaker_dropped, widened
from nas_ray.shared_weights.methods.stop import back_to, has_many_skips
from nas_ray.shared_weights.mixed import Mix
from nas_ray.spaces import NatsTss
from nas_ray.spaces.edges import EdgeGraph
from tests.shared_weights.methods.tiny import TinySpace, batches, tiny_net

CPU = torch.device("cpu")
pytestmark = pytest.mark.usefixtures("doubles")


def every(*shapes: tuple[int, int]) -> list[Tensor]:
    return [torch.ones(shape, dtype=torch.bool) for shape in shapes]


# Edges


def test_weights_of_edges_are_a_softmax_over_what_ends_in_a_node() -> None:
    graph = EdgeGraph("cell", ("none",), ((0, 2), (0, 3), (1, 2), (2, 3), (1, 3)), inputs=2)
    logits = torch.tensor([0.0, 1.0, math.log(3.0), 2.0, 3.0])
    found = over_incoming(logits, rivals(graph))
    torch.testing.assert_close(found[[0, 2]], torch.tensor([0.25, 0.75]))
    torch.testing.assert_close(found[[1, 3, 4]], torch.tensor([1.0, 2.0, 3.0]).softmax(0))


# Penalties


def test_penalties_by_hand() -> None:
    logits = [torch.tensor([[0.0, 0.0], [math.log(3.0), 0.0]])]
    keep = every((2, 2))
    beta = penalty_of(METHODS["beta-darts"], logits, keep, epoch=25, epochs=100)
    assert float(beta) == pytest.approx(50 * 0.25 * (math.log(2) + math.log(4)) / 2)
    anchor = penalty_of(METHODS["drnas"], logits, keep, epoch=0, epochs=100)
    assert float(anchor) == pytest.approx(1e-3 / 2 * math.log(3) ** 2)
    zero_one = penalty_of(METHODS["fair-darts"], logits, keep, epoch=0, epochs=100)
    assert float(zero_one) == pytest.approx(-10 * (0.75 - 0.5) ** 2 / 4)
    assert penalty_of(METHODS["darts1"], logits, keep, epoch=0, epochs=100) is None


def test_the_anchor_is_the_decay_of_adam_that_is_published() -> None:
    logits = [torch.randn(3, 4).requires_grad_()]
    penalty_of(METHODS["drnas"], logits, every((3, 4)), 0, 10).backward()
    torch.testing.assert_close(logits[0].grad, 1e-3 * logits[0].detach())


def test_the_divergence_is_that_of_torch_and_gone_operations_take_no_part() -> None:
    method = Method("own", weights="dirichlet", penalty="anchor-kl", anchor=1.0)
    logits = torch.randn(3, 4)
    shape = nn.functional.elu(logits) + 1
    flat = torch.distributions.Dirichlet(torch.ones(3, 4))
    truth = torch.distributions.kl_divergence(torch.distributions.Dirichlet(shape), flat).sum()
    assert float(penalty_of(method, [logits], every((3, 4)), 0, 10)) == pytest.approx(float(truth))
    keep = torch.tensor([[True, True, False, True]] * 3)
    three = torch.distributions.Dirichlet(shape[:, [0, 1, 3]])
    truth = torch.distributions.kl_divergence(three, torch.distributions.Dirichlet(torch.ones(3, 3))).sum()
    assert float(penalty_of(method, [logits], [keep], 0, 10)) == pytest.approx(float(truth))


def test_penalties_add_up() -> None:
    logits = [torch.randn(3, 4)]
    both = Method("own", penalty="beta+anchor")
    single = [Method("own", penalty=one) for one in ("beta", "anchor")]
    found = penalty_of(both, logits, every((3, 4)), 3, 10)
    assert float(found) == pytest.approx(
        sum(float(penalty_of(one, logits, every((3, 4)), 3, 10)) for one in single)
    )


# Perturbations


def test_projection_by_hand() -> None:
    weights = torch.tensor([[0.5, 0.7, -0.2], [-0.1, -0.3, -0.2], [1.4, 0.5, 0.5]])
    keep = torch.tensor([[True] * 3, [True] * 3, [False, True, True]])
    expected = torch.tensor([[5 / 12, 7 / 12, 0.0], [1.0, 0.0, 0.0], [0.0, 0.5, 0.5]])
    torch.testing.assert_close(projected(weights, keep), expected)


def test_random_noise_is_uniform_noise_made_weights_again() -> None:
    weights, keep = torch.tensor([[0.2, 0.3, 0.5]]), every((1, 3))
    found = random_noise([weights], keep, 0.1, Chance(4, CPU))[0]
    noise = torch.empty(1, 3).uniform_(-0.1, 0.1, generator=torch.Generator().manual_seed(4))
    expected = (weights + noise) / (weights + noise).sum()
    torch.testing.assert_close(found, expected)


def test_the_attack_goes_by_the_sign_within_its_limit_by_hand() -> None:
    """Of a linear loss: two steps of 0.1 by the sign from a start within 0.1, cut at 0.1 from the middle."""
    slope, weights = torch.tensor([[3.0, -1.0]]), torch.tensor([[0.4, 0.6]])
    found = adversarial(lambda own: (slope * own[0]).sum(), [weights], every((1, 2)), 0.1, Chance(4, CPU), 2)
    torch.testing.assert_close(found[0], torch.tensor([[0.5, 0.5]]))


def test_an_attack_that_does_not_hurt_is_not_made() -> None:
    weights = torch.tensor([[0.4, 0.6]])

    def flat_top(own: tuple[Tensor, ...]) -> Tensor:
        return -(own[0] - weights).abs().sum()

    found = adversarial(flat_top, [weights], every((1, 2)), 0.1, Chance(4, CPU), 3)
    assert torch.equal(found[0], weights)


# Cells that agree (Lambda-DARTS)


def test_agreement_and_its_gradient_against_plain_computation() -> None:
    gradients = torch.randn(4, 3, 5).requires_grad_()
    pairs = [(i, j) for i in range(4) for j in range(i + 1, 4)]
    flat = gradients.flatten(1)
    plain = sum(cosine_similarity(flat[i], flat[j], dim=0) for i, j in pairs) / len(pairs)
    torch.testing.assert_close(agreement(gradients), plain)
    torch.testing.assert_close(
        towards_agreement(gradients.detach()), torch.autograd.grad(plain, gradients)[0]
    )
    assert torch.equal(towards_agreement(gradients[:1].detach()), torch.zeros(1, 3, 5))


def test_the_regulariser_of_cells_is_the_derivative_of_their_agreement() -> None:
    torch.manual_seed(1)
    net = tiny_net(TinySpace(), 3, cells=3)
    (inputs, targets), weights = batches(1)[0], list(net.parameters())
    cells = torch.randn(3, 4).softmax(-1).expand(3, 3, 4)

    def loss(own: tuple[Tensor, ...]) -> Tensor:
        return cross_entropy(net(inputs, Mix(own)), targets)

    leaf = cells.clone().requires_grad_()
    value = loss((leaf,))
    by_cell = torch.autograd.grad(value, leaf, create_graph=True)[0]
    whole = value - 0.7 * agreement(by_cell)
    truth = torch.autograd.grad(whole, weights)
    found = harmonised(loss, [cells], weights, 0.7)
    assert torch.equal(found.loss, value)
    for one, other in zip(found.gradients, truth, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


# Frozen operations (OLES)


def test_frozen_operations_against_plain_computation() -> None:
    torch.manual_seed(0)
    operations = {
        (0, 0, op): [nn.Parameter(torch.randn(3, 2)), nn.Parameter(torch.randn(4))] for op in range(3)
    }
    found = Agreement(operations, least=0.2, patience=5)
    sums = dict.fromkeys(operations, 0.0)
    for step in range(5):
        train, valid = {}, {}
        for place, weights in operations.items():
            for weight in weights:
                train[weight] = torch.randn_like(weight)
                along = {0: 1.0, 1: -0.3, 2: 0.0}[place[2]]
                valid[weight] = along * train[weight] + 0.3 * torch.randn_like(weight)
            one, other = (torch.cat([own[w].flatten() for w in weights]) for own in (train, valid))
            sums[place] += float(cosine_similarity(one, other, dim=0))
        assert not found.frozen, step
        found.add(train, valid)
    assert found.frozen == {place for place, total in sums.items() if total / 5 < 0.2}
    assert (0, 0, 1) in found.frozen
    assert (0, 0, 0) not in found.frozen
    assert not any(one.requires_grad for one in operations[0, 0, 1])
    assert all(one.requires_grad for one in operations[0, 0, 0])
    assert not {id(one) for one in operations[0, 0, 1]} & {id(one) for one in found.open}


def test_steps_without_a_gradient_do_not_count() -> None:
    weight = nn.Parameter(torch.ones(2))
    found = Agreement({(0, 0, 0): [weight]}, least=0.4, patience=2)
    found.add({weight: torch.ones(2)}, {weight: None})
    found.add({weight: None}, {})
    assert not found.frozen
    found.add({weight: torch.ones(2)}, {weight: -torch.ones(2)})
    found.add({weight: None}, {})
    assert found.frozen == {(0, 0, 0)}


# Stages and stops


def test_stages_of_p_darts_and_drnas() -> None:
    darts = TinySpace(kept=2).graphs()
    deeper = stages_of(METHODS["p-darts"], darts, 75, None)
    assert [(one.first, one.epochs, one.cells, one.warmup) for one in deeper] == [
        (0, 25, 5, 10),
        (25, 25, 11, 10),
        (50, 25, 17, 10),
    ]
    wider = stages_of(Method("own", stages="drnas"), NatsTss().graphs(), 100, 5)
    assert [(one.first, one.partial, one.cells, one.warmup, one.fresh) for one in wider] == [
        (0, 4, 5, 10, False),
        (50, 2, 5, 10, False),
    ]
    assert [one.cells for one in stages_of(METHODS["p-darts"], NatsTss().graphs(), 75, 2)] == [2, 2, 2]
    assert [one.epochs for one in stages_of(METHODS["p-darts"], darts, 1, None)] == [1, 0, 0]


def test_a_dropout_falls_linearly_and_then_exponentially() -> None:
    last = stages_of(Method("own", stages="p-darts", drop_skip=0.7), TinySpace(2).graphs(), 75, None)[2]
    assert last.drop_rate(50) == pytest.approx(0.7 * 24 / 25)
    assert last.drop_rate(60) == pytest.approx(0.7)
    assert last.drop_rate(62) == pytest.approx(0.7 * math.exp(-0.4))


@pytest.mark.parametrize(("number", "left"), [(8, (8, 5, 3)), (7, (7, 4, 3)), (5, (5, 3, 2))])
def test_so_many_operations_stay_in_the_stages_of_p_darts(number: int, left: tuple[int, ...]) -> None:
    keep, strengths = torch.ones(2, number, dtype=torch.bool), torch.rand(2, number)
    graph = EdgeGraph("cell", tuple("abcdefgh"[:number]), ((0, 1), (0, 2)))
    for stage, count in zip(
        stages_of(METHODS["p-darts"], TinySpace(2).graphs(), 75, None), left, strict=True
    ):
        keep = weaker_dropped(graph, strengths, keep, stage.share)
        assert keep.sum(1).tolist() == [count, count]
        for row, kept in zip(strengths, keep, strict=True):
            assert kept.sum() == number or row[kept].min() > row[~kept].max()


def test_of_equal_operations_the_first_goes() -> None:
    graph = EdgeGraph("cell", tuple("abcdefgh"), ((0, 1),))
    keep = weaker_dropped(graph, torch.full((1, 8), 0.125), torch.ones(1, 8, dtype=torch.bool), 5 / 8)
    assert keep.tolist() == [[False] * 3 + [True] * 5]


def test_an_edge_keeps_a_share_of_what_it_may_take() -> None:
    graph = EdgeGraph("cell", tuple("abcdefgh"), ((0, 1), (0, 2)), allowed=(tuple("ah"), tuple("bcdefgh")))
    mask = torch.tensor(graph.mask)
    keep = weaker_dropped(graph, torch.rand(2, 8) * mask, mask, 0.5)
    assert keep.sum(1).tolist() == [2, 4]
    assert not (keep & ~mask).any()


def test_a_wider_net_has_copies_of_channels() -> None:
    old = {"conv": torch.randn(2, 2, 3, 3), "same": torch.randn(3), "count": torch.tensor(4)}
    new = {"conv": torch.zeros(4, 4, 3, 3), "same": torch.zeros(3), "count": torch.tensor(0)}
    found = widened(old, new, torch.Generator().manual_seed(0))
    assert torch.equal(found["same"], old["same"])
    assert found["count"] == 4
    totals = found["conv"].sum(1)  # over inputs: shared out among the copies
    torch.testing.assert_close(totals[:2], old["conv"].sum(1))
    assert all(any(torch.allclose(row, one) for one in totals[:2]) for row in totals)


def test_when_a_search_stops() -> None:
    assert [has_many_skips(number) for number in range(4)] == [False, False, True, True]
    flat = [1.0] * 9
    assert back_to([*flat]) is None  # too few epochs to look back
    assert back_to([*flat, 1.0]) is None
    assert back_to([1.0] * 5 + [1.5] * 5) == 4
    assert back_to([1.0] * 5 + [1.3] * 5) is None
    assert back_to([1.0] * 5 + [float("nan")] * 5) is None


# Curvature


@pytest.mark.parametrize("size", [5, 90])
def test_the_largest_eigenvalue_is_that_of_the_dense_hessian(size: int) -> None:
    torch.manual_seed(2)
    mix = torch.randn(size, size)
    parameters = [torch.randn(size - 2).requires_grad_(), torch.randn(2).requires_grad_()]

    def loss() -> Tensor:
        whole = torch.cat(parameters)
        return (mix @ whole).tanh().square().sum() - 0.7 * whole.square().sum()

    dense = torch.autograd.functional.hessian(
        lambda one, other: (
            (mix @ torch.cat([one, other])).tanh().square().sum()
            - 0.7 * torch.cat([one, other]).square().sum()
        ),
        tuple(parameters),
    )
    rows = torch.cat([torch.cat([block.view(len(row[0]), -1) for block in row], 1) for row in dense])
    truth = float(torch.linalg.eigvalsh(rows)[-1])
    assert largest_eigenvalue(loss, parameters) == pytest.approx(truth, rel=1e-5)


def test_curvature_without_any_or_without_numbers() -> None:
    own = torch.ones(3).requires_grad_()
    assert largest_eigenvalue(lambda: own.sum(), [own]) == 0.0
    assert math.isnan(largest_eigenvalue(lambda: (own * float("nan")).square().sum(), [own]))


# The controller


@pytest.mark.parametrize("kept", [None, 2])
def test_a_controller_draws_archs_with_their_probabilities(kept: int | None) -> None:
    torch.manual_seed(0)
    graphs = TinySpace(kept).graphs()
    decisions = plan(graphs)
    controller = Controller(graphs, decisions)
    allowed = [mask for graph in graphs for mask in every(graph.shape)]
    allowed[0][0, 1] = False
    drawn = controller(allowed, 400, torch.Generator().manual_seed(1))
    again = controller(allowed, 400, choices=drawn.choices)
    torch.testing.assert_close(again.log_probability, drawn.log_probability)
    for arch in drawn.choices[:50]:
        masks = path_mask(graphs, decisions, arch)
        for graph, mask in zip(graphs, masks, strict=True):
            for node in graph.nodes:
                incoming = list(graph.incoming(node))
                assert mask[incoming].sum() == min(kept or len(incoming), len(incoming))
            assert (mask.sum(1) <= 1).all()
        assert not masks[0][0, 1]
    if kept is None:  # all archs can be listed, so probabilities must add up to 1
        every_arch = torch.cartesian_prod(*[torch.arange(4)] * 3)
        every_arch = every_arch[every_arch[:, 0] != 1]
        total = controller(allowed, len(every_arch), choices=every_arch).log_probability.exp().sum()
        assert float(total.detach()) == pytest.approx(1.0)


def test_a_controller_learns_what_is_rewarded() -> None:
    torch.manual_seed(0)
    graphs = TinySpace().graphs()
    controller = Controller(graphs, plan(graphs))
    rewards = Rewards(controller, torch.optim.Adam(controller.parameters(), lr=0.02, betas=(0.5, 0.999)))
    allowed, generator = every(graphs[0].shape), torch.Generator().manual_seed(0)
    for _ in range(600):
        with torch.no_grad():
            arch = controller(allowed, 1, generator).choices[0]
        rewards.add(arch, (arch == 2).double().mean(), allowed)
    with torch.no_grad():
        later = controller(allowed, 200, generator).choices
    assert (later == 2).double().mean() > 0.6  # a quarter by chance
