"""Searches for recurrent cells equal a plain form that shares the first weights and the noise alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from nas_ray.errors import UsageError
from nas_ray.shared_weights.methods import OneShotSearch, parse_method
from nas_ray.shared_weights.methods.recurrent import METHODS, NUMBERS, for_streams, of_text
from nas_ray.shared_weights.mixed import mixed_net, one_hot
from nas_ray.shared_weights.mixed.mix import Mix
from nas_ray.spaces import DartsRnn
from nas_ray.training.recipes import Recipe
from nas_ray.training.text_task import TextTask
from tests.shared_weights.methods.plain_tss import PlainAdam
from tests.spaces.rnn.plain import cross_entropy

pytestmark = pytest.mark.usefixtures("doubles")
WORDS, WIDTH, STREAMS, SEED, EPOCHS = 9, 5, 4, 3, 2
LENGTHS = (6, 3, 4)
DROPOUTS = {"word": 0.2, "embedding": 0.3, "input": 0.25, "hidden": 0.5, "output": 0.4}
RECIPE = Recipe(
    bptt=6, temporal_penalty=0.3, **{f"{name}_dropout": share for name, share in DROPOUTS.items()}
)


def text(seed: int) -> list[tuple[Tensor, Tensor]]:
    tokens = torch.randint(WORDS, (STREAMS, 40), generator=torch.Generator().manual_seed(seed))
    starts = [sum(LENGTHS[:place]) for place in range(len(LENGTHS))]
    pairs = zip(starts, LENGTHS, strict=True)
    return [(tokens[:, at : at + n], tokens[:, at + 1 : at + n + 1]) for at, n in pairs]


def search_of(method: str, recipe: Recipe = RECIPE) -> OneShotSearch:
    changes = method.split(",")[1:]
    chosen = of_text(parse_method(method)[0], {change.partition("=")[0] for change in changes})
    return OneShotSearch(
        chosen,
        DartsRnn(WIDTH),
        WORDS,
        image_size=None,
        epochs=EPOCHS,
        steps_per_epoch=len(LENGTHS),
        seed=SEED,
        loss=TextTask.loss,
        recipe=recipe,
    )


class Plain:
    """The search of DARTS for recurrent cells, and GDAS and others on it, edge by edge."""

    def __init__(self, search: OneShotSearch, kind: str) -> None:
        state = search.net.state_dict()
        self.kind = kind
        self.w = {
            name.removeprefix("language."): value.clone().requires_grad_()
            for name, value in state.items()
            if name.startswith("language.") and "norm" not in name and name != "language.decoder.weight"
        }
        self.alphas = search.mixes.arch.logits[0].detach().clone().requires_grad_()  # type: ignore[union-attr]
        self.adam = PlainAdam(3e-3, beta=0.9)
        self.noise = torch.Generator().manual_seed(SEED)
        self.carried = {"train": torch.zeros(STREAMS, WIDTH), "valid": torch.zeros(STREAMS, WIDTH)}

    def draw(self, epoch: int) -> tuple[Tensor, int]:
        """Returns the weights of operations with their gradient, and the seed of the masks."""
        if self.kind == "gdas":
            tau = 10 - (10 - 0.1) * epoch / (EPOCHS - 1)
            gumbels = -torch.empty(36, 5).exponential_(generator=self.noise).log()
            soft = ((self.alphas.log_softmax(1) + gumbels) / tau).softmax(1)
            hard = torch.zeros_like(soft).scatter_(-1, soft.max(-1, keepdim=True)[1], 1.0)
            made = torch.where(hard.bool(), hard - soft.detach() + soft, hard)
        else:
            made = self.alphas.softmax(-1)
        return made, int(torch.randint(2**31, (), generator=self.noise))

    def forward(self, tokens: Tensor, h: Tensor, weights: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """Returns logits and outputs `[B, T, .]`, the masks drawn from a seed."""
        torch.manual_seed(seed)
        shapes = [(WORDS,), (STREAMS, WIDTH), (STREAMS, WIDTH), (STREAMS, WIDTH), (STREAMS, 1, WIDTH)]
        kept = [
            torch.empty(shape).bernoulli_(1 - share) / (1 - share)
            for shape, share in zip(shapes, DROPOUTS.values(), strict=True)
        ]
        word, embedding, given, hidden, output = kept
        outputs = []
        for place in range(tokens.shape[1]):
            x = (
                self.w["embedding.weight"][tokens[:, place]]
                * word[tokens[:, place]][:, None]
                * embedding
                * given
            )
            first = (
                x @ self.w["cell.first_input.weight"].T + (h * hidden) @ self.w["cell.first_hidden.weight"].T
            )
            states = [normed(h + first[:, :WIDTH].sigmoid() * (first[:, WIDTH:].tanh() - h))]
            edge = 0
            for node in range(8):
                total = torch.zeros(STREAMS, WIDTH)
                for before in states:
                    both = (before * hidden) @ self.w[f"cell.nodes.{node}.weight"].T
                    gate, candidate = both[:, :WIDTH].sigmoid(), both[:, WIDTH:]
                    made = candidate.tanh(), candidate.relu(), candidate.sigmoid(), candidate
                    for number, one in enumerate(made, 1):
                        total = total + weights[edge, number] * (before + gate * (one - before))
                    edge += 1
                states.append(normed(total))
            h = torch.stack(states[1:]).mean(0)
            outputs.append(h)
        both = torch.stack(outputs, 1)
        return (both * output) @ self.w["embedding.weight"].T + self.w["decoder.bias"], both

    def loss(
        self, what: str, batch: tuple[Tensor, Tensor], weights: Tensor, seed: int
    ) -> tuple[Tensor, Tensor]:
        logits, outputs = self.forward(batch[0], self.carried[what], weights, seed)
        return cross_entropy(logits, batch[1]), outputs

    def step(self, train: tuple[Tensor, Tensor], valid: tuple[Tensor, Tensor], epoch: int) -> None:
        rate = 20 * train[1].shape[1] / 6
        weights = list(self.w.values())
        made, seed = self.draw(epoch)
        if self.kind == "darts2":
            slope, outputs = self.unrolled(train, valid, made, seed, rate)
        else:
            value, outputs = self.loss("valid", valid, made, seed)
            slope = torch.autograd.grad(value, self.alphas)[0]
        self.adam.step(self.alphas, slope)
        self.carried["valid"] = outputs[:, -1].detach()
        made, seed = self.draw(epoch)
        value, outputs = self.loss("train", train, made.detach(), seed)
        penalty = 0.3 * (outputs[:, 1:] - outputs[:, :-1]).pow(2).mean()
        slopes = clipped(torch.autograd.grad(value + penalty, weights))[0]
        for weight, slope in zip(weights, slopes, strict=True):
            weight.data = weight.data - rate * (slope + 5e-7 * weight.data)
        self.carried["train"] = outputs[:, -1].detach()

    def unrolled(self, train: Any, valid: Any, made: Tensor, seed: int, rate: float) -> tuple[Tensor, Tensor]:
        """Returns the second-order gradient by the parameters, and the outputs of the validation text."""
        weights, before = list(self.w.values()), [one.detach().clone() for one in self.w.values()]
        slopes, factor = clipped(
            torch.autograd.grad(self.loss("train", train, made.detach(), seed)[0], weights)
        )
        for weight, slope in zip(weights, slopes, strict=True):
            weight.data = weight.data - rate * (slope + 5e-7 * weight.data)
        value, outputs = self.loss("valid", valid, made, seed)
        direct, *vector = torch.autograd.grad(value, [self.alphas, *weights], retain_graph=True)
        radius = 0.01 / torch.cat([one.flatten() for one in vector]).norm()
        ends = []
        for sign in (1, -1):
            for weight, old, move in zip(weights, before, vector, strict=True):
                weight.data = old + sign * radius * move
            fresh = self.alphas.softmax(-1)
            ends.append(torch.autograd.grad(self.loss("train", train, fresh, seed)[0], self.alphas)[0])
        for weight, old in zip(weights, before, strict=True):
            weight.data = old
        return direct - rate * factor * (ends[0] - ends[1]) / (2 * radius), outputs


def normed(x: Tensor) -> Tensor:
    return (x - x.mean(0)) / (x.var(0, unbiased=False) + 1e-5).sqrt()


def clipped(slopes: Any) -> tuple[list[Tensor], float]:
    norm = float(torch.cat([one.flatten() for one in slopes]).norm())
    factor = min(1.0, 0.25 / (norm + 1e-6))
    return [factor * one for one in slopes], factor


@pytest.mark.parametrize("method", ["darts1", "darts2", "gdas"])
def test_steps_equal_a_plain_implementation(method: str) -> None:
    search = search_of(method)
    plain = Plain(search, method)
    for epoch in range(EPOCHS):
        search.begin_epoch(epoch)
        plain.carried = {kind: torch.zeros(STREAMS, WIDTH) for kind in plain.carried}
        for train, valid in zip(text(epoch), text(10 + epoch), strict=True):
            search.step(train, valid)
            plain.step(train, valid, epoch)
    found = dict(search.net.named_parameters())
    for name, wanted in plain.w.items():
        torch.testing.assert_close(found[f"language.{name}"], wanted, rtol=1e-9, atol=1e-10)
    torch.testing.assert_close(search.mixes.arch.logits[0], plain.alphas, rtol=1e-9, atol=1e-10)  # type: ignore[union-attr]


@pytest.mark.parametrize("method", [*METHODS[:-1], "rs-ws,samples=5"])
def test_a_search_goes_on_after_any_step_with_equal_numbers(method: str) -> None:
    """The states that are carried through both texts are a part of the state of a search."""
    first, second = search_of(method), search_of(method)
    pairs = list(zip(text(0), text(1), strict=True))
    for pair in pairs[:2]:
        first.step(*pair)
    second.load_state(first.state())
    for search in (first, second):
        for pair in pairs[2:]:
            search.step(*pair)
    for one, other in zip(first.net.state_dict().values(), second.net.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    valid = [(tokens, targets) for tokens, targets in text(1)]
    arch = first.derive(valid)
    assert arch in DartsRnn()
    assert arch == second.derive(valid)
    assert first.judged(valid) == second.judged(valid)


def test_an_arch_in_the_supernet_is_the_plain_net_with_its_norms() -> None:
    space, arch = DartsRnn(WIDTH, 4), "|tanh~0|relu~1|relu~1|identity~1|sigmoid~2|sigmoid~5|tanh~3|relu~5|"
    torch.manual_seed(0)
    net: Any = mixed_net(space, WORDS)
    assert net.space.embedding == 4
    tokens = text(0)[0][0]
    net.language.cell.norm = torch.nn.Identity()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(9)
        found = net(tokens, one_hot(space, arch))
        torch.testing.assert_close(found, net.extract(arch)(tokens), rtol=1e-9, atol=1e-12)
        whole = one_hot(space, arch)
        torch.testing.assert_close(net(tokens, Mix(whole.weights)), found, rtol=1e-9, atol=1e-12)


def test_nats_are_those_of_the_text_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    search: Any = search_of("darts1")
    search.step(*zip(text(0), text(1), strict=True).__next__())
    pieces = text(1)
    whole = torch.cat([tokens for tokens, _ in pieces], 1), torch.cat([targets for _, targets in pieces], 1)
    found, wanted = search.judged(pieces), search.judged([whole])
    assert found == pytest.approx(wanted, rel=1e-12)
    search.net.eval()
    logits = search.net(whole[0], search.mixes.mean().mix())
    assert found["valid_nats"] == pytest.approx(float(cross_entropy(logits.detach(), whole[1])))
    assert found["valid_acc"] == pytest.approx(100 * float((logits.argmax(-1) == whole[1]).double().mean()))


def test_numbers_are_the_published_ones_unless_said() -> None:
    method = of_text(parse_method("darts2,lr=5")[0], {"lr"})
    assert (method.lr, method.clip, method.arch_lr, method.arch_beta) == (5, 0.25, 3e-3, 0.9)
    assert (method.weight_decay, method.momentum, method.batch_size) == (5e-7, 0, 256)
    assert set(NUMBERS) <= set(vars(method))


@pytest.mark.parametrize(
    ("changes", "rates"),
    [
        ("batch_size=256", (20, 20)),
        ("batch_size=64", (5, 5)),
        ("batch_size=64,lr=3", (3, 3)),
        ("lr=4,lr_min=1", (4, 1)),
    ],
)
def test_the_rate_is_constant_and_in_proportion_to_the_streams_unless_said(
    changes: str, rates: tuple[float, float]
) -> None:
    said = {change.partition("=")[0] for change in changes.split(",")}
    method = for_streams(of_text(parse_method(f"darts1,{changes}")[0], said), said)
    assert (method.lr, method.lr_min) == rates


@pytest.mark.parametrize(
    "method", ["pc-darts", "darts-", "p-darts", "enas", "oles", "lambda-darts", "drnas,stages=drnas"]
)
def test_methods_that_need_more_are_refused_in_a_sentence(method: str) -> None:
    with pytest.raises(
        UsageError, match="is not for recurrent cells, .* take darts1, darts2, gdas, drnas, rs-ws"
    ):
        search_of(method)
