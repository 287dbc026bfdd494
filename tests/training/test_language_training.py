"""Nets that learn to tell a text."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from nas_ray.drivers.simulation import simulate
from nas_ray.errors import UsageError
from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.process.seeded import seeded
from nas_ray.searchers import RegularizedEvolution
from nas_ray.searchers.fitness import parse_fitness
from nas_ray.spaces import Product
from nas_ray.spaces.named import open_space
from nas_ray.testing import task_contract
from nas_ray.text.corpus import open_corpus
from nas_ray.text.spec import TextSpec
from nas_ray.training.epoch_module import RecipeModule
from nas_ray.training.language_training import LanguageTraining, is_worse, perplexity
from nas_ray.training.recipes import Recipe, parse_recipe
from nas_ray.training.recurrent import Dropouts, RecurrentNet
from nas_ray.training.text_task import TextTask
from nas_ray.training.training_module import training_module
from tests.training.small_lstm import Bigrams, SmallLstm, SmallLstms, generated_text

FAST = "lm-fast:epochs=2,batch_size=8,lr=5"


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> TextTask:
    path = tmp_path_factory.mktemp("text") / "said.txt"
    path.write_text(generated_text())
    return TextTask(open_corpus(TextSpec(str(path))), scored=16)


def made(task: TextTask, recipe: Recipe) -> RecipeModule:
    with seeded(0):
        net = SmallLstms().build("16", task.num_outputs)
        module = training_module(task, net, recipe, len(task.loaders(recipe, 0, 0)[0]))
    return RecipeModule(module, task, recipe, 0)


def epochs(module: RecipeModule, numbers: Sequence[int]) -> list[dict[str, float]]:
    rows = []
    for epoch in numbers:
        with seeded(epoch):
            rows.append(module.train_epoch(epoch))
    return rows


def some_of_the_embedded_text() -> TextTask:
    corpus = open_corpus(TextSpec())
    return TextTask(
        dataclasses.replace(corpus, train=corpus.train[:6_000], valid=corpus.valid[:900]), scored=16
    )


TestText = task_contract(some_of_the_embedded_text, lambda words: SmallLstm(words, 8))


def test_an_lstm_is_a_recurrent_net() -> None:
    assert isinstance(SmallLstm(3, 4), RecurrentNet)
    assert not isinstance(nn.Linear(3, 4), RecurrentNet)


def test_a_net_learns_what_tells_the_next_word(task: TextTask) -> None:
    """Half of the words follow from the ones before; an even chance of 14 words is 2.64 nats."""
    rows = epochs(made(task, parse_recipe("lm-fast:epochs=6,batch_size=8,bptt=12")), range(6))
    assert rows[0]["valid_nats"] < math.log(14)
    assert rows[-1]["valid_nats"] < 0.9
    assert rows[-1]["valid_perplexity"] == pytest.approx(math.exp(rows[-1]["valid_nats"]))


def plain_epoch(net: SmallLstm, task: TextTask, recipe: Recipe, seed: int, epoch: int) -> tuple[float, float]:
    """Returns nats of training and validation of an epoch, in a plain loop as AWD-LSTM's."""
    train, valid = task.loaders(recipe, seed, epoch)
    optimiser = torch.optim.SGD(net.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay)
    state, total, count = net.begin(recipe.batch_size), 0.0, 0
    net.train()
    for tokens, targets in train:
        optimiser.param_groups[0]["lr"] = recipe.lr * tokens.shape[1] / recipe.bptt
        state = tuple(part.detach() for part in state)
        optimiser.zero_grad()
        logits, raw, dropped, state = net.run(tokens, state)
        loss = cross_entropy(logits.reshape(-1, logits.shape[2]), targets.reshape(-1))
        total, count = total + float(loss.detach()) * targets.numel(), count + targets.numel()
        loss = loss + recipe.activation_penalty * dropped.pow(2).mean()
        loss = loss + recipe.temporal_penalty * (raw[:, 1:] - raw[:, :-1]).pow(2).mean()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), recipe.clip_grad_norm)
        optimiser.step()
    net.eval()
    whole, told = 0.0, 0
    with torch.no_grad():
        state = net.begin(10)
        for tokens, targets in valid:
            logits, _, _, state = net.run(tokens, state)
            whole += float(cross_entropy(logits.flatten(0, 1), targets.flatten())) * targets.numel()
            told += targets.numel()
    return total / count, whole / told


def test_an_epoch_is_that_of_a_plain_loop(task: TextTask) -> None:
    recipe = parse_recipe(
        "lm-fast:epochs=2,batch_size=8,lr=5,schedule=constant,activation_penalty=0.1,temporal_penalty=0.2"
    )
    ours = made(task, recipe)
    with seeded(0):
        theirs = SmallLstm(task.num_outputs, 16)
        theirs.dropouts = ours.module.net.dropouts  # type: ignore[assignment]
    for epoch, row in enumerate(epochs(ours, range(2))):
        with seeded(epoch):
            train, valid = plain_epoch(theirs, task, recipe, 0, epoch)
        assert row["train_nats"] == pytest.approx(train, rel=1e-6)
        assert row["valid_nats"] == pytest.approx(valid, rel=1e-6)


def test_validation_reads_the_held_out_text_as_a_whole(task: TextTask) -> None:
    """Pieces carry the state, so their length changes nothing."""
    module = made(task, parse_recipe(FAST))
    row = epochs(module, [0])[0]
    short = Recipe(bptt=3, valid_fraction=0.2)
    pieces = task.loaders(short, 0, 0)[1]
    net, nats = module.module.net.eval(), []
    state = net.begin(10)  # type: ignore[operator]
    with torch.no_grad():
        for tokens, targets in pieces:
            logits, _, _, state = net.run(tokens, state)  # type: ignore[operator]
            nats.append(cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none"))
    assert float(torch.cat(nats).mean()) == pytest.approx(row["valid_nats"], rel=1e-5)


def test_a_training_goes_on_with_equal_numbers_while_it_averages(task: TextTask) -> None:
    """Also where it switches in between, and from a state that was loaded."""
    recipe = parse_recipe("lm-fast:epochs=6,batch_size=8,lr=40,clip_grad_norm=5,nonmonotone=1")
    whole = made(task, recipe)
    rows = epochs(whole, range(6))
    module = whole.module
    assert isinstance(module, LanguageTraining)
    assert module.switched
    assert 0 < len(module.judged) < 6
    first = made(task, recipe)
    epochs(first, range(3))
    second = made(task, recipe)
    second.load_state(first.state())
    assert epochs(second, range(3, 6)) == rows[3:]


def test_the_average_is_what_is_validated(task: TextTask) -> None:
    recipe = parse_recipe("lm-fast:epochs=9,batch_size=8,lr=5,nonmonotone=1")
    module = made(task, recipe)
    epochs(module, range(2))
    net = module.module
    assert isinstance(net, LanguageTraining)
    net.judged = [0.0, 0.0, 0.0]
    epochs(module, [2])
    assert net.switched
    epochs(module, [3])
    assert net.trained is net.averaged
    weights = [parameter.detach().clone() for parameter in net.net.parameters()]
    assert not all(map(torch.equal, weights, net.trained.parameters()))


@pytest.mark.parametrize(
    ("judged", "now", "worse"),
    [
        ([], 9.0, False),
        ([5.0, 4.0], 9.0, False),
        ([5.0, 4.0, 3.0], 4.5, False),
        ([5.0, 4.0, 3.0], 5.5, True),
        ([3.0, 4.0, 5.0], 3.5, True),
        ([9.0, 1.0, 1.0], 2.0, False),
    ],
)
def test_worse_is_what_is_worse_than_the_best_of_all_but_the_last(
    judged: list[float], now: float, worse: bool
) -> None:
    """With a patience of two; the two last ones do not count."""
    assert is_worse(now, judged, 2) == worse


def test_a_net_without_a_state_learns_too(task: TextTask) -> None:
    recipe = parse_recipe("fast:epochs=3,batch_size=8,lr=5")
    rows = list(ShortTraining.of_task(Bigrams(), task, recipe).epochs("bigram"))
    assert rows[-1]["error"] is None
    assert rows[-1]["valid_nats"] < rows[0]["valid_nats"]


@pytest.mark.parametrize("name", ["darts-rnn", "rnn-tree", "rnn-nets"])
def test_nets_of_recurrent_spaces_learn_with_the_dropouts_of_a_recipe(name: str, task: TextTask) -> None:
    space = open_space(f"{name}:embedding=8,width=8")
    options = "lr=10,word_dropout=0.05,input_dropout=0.1,nonmonotone=1"
    recipe = parse_recipe(f"lm-fast:epochs=2,batch_size=8,bptt=12,{options}")
    training = ShortTraining.of_task(space, task, recipe)
    arch = space.sample(np.random.default_rng(0))
    first, second = training.epochs(arch)
    assert second["error"] is None
    assert second["train_loss"] < first["train_loss"]
    net = training.new_module(arch, 0).module.net
    assert isinstance(net, RecurrentNet)
    assert net.dropouts == Dropouts(word=0.05, embedding=0.1, input=0.1, hidden=0.1, output=0.2)


def test_dropouts_need_a_net_that_has_them(task: TextTask) -> None:
    with pytest.raises(UsageError) as raised:
        ShortTraining.of_task(Bigrams(), task, parse_recipe(FAST))
    assert str(raised.value) == (
        "The recipe option embedding_dropout needs a net with a state and dropouts, such as those of the "
        "space darts-rnn, got Forgetful; give embedding_dropout=0."
    )


def test_averaging_excludes_momentum() -> None:
    with pytest.raises(UsageError, match=r"nonmonotone must be 0 with momentum or ema, .*, got 5\."):
        parse_recipe("fast:nonmonotone=5")


def test_a_search_by_nats_makes_them_small(task: TextTask) -> None:
    training = ShortTraining.of_task(SmallLstms(), task, parse_recipe(FAST))
    assert training.metric_column == "-valid_nats"
    fitness = parse_fitness("-valid_nats", ["valid_nats"])
    rows = simulate(
        RegularizedEvolution(SmallLstms(), fitness=fitness, population=2, sample=2), training, num_samples=3
    )
    assert rows["error"].isna().all()
    assert rows["fitness"].tolist() == [-nats for nats in rows["valid_nats"]]


def test_a_text_shorter_than_a_batch_is_told(task: TextTask) -> None:
    with pytest.raises(UsageError, match=r"2 tokens for each of 2,000 streams.*, but it has 2,0"):
        task.loaders(parse_recipe("lm-fast:batch_size=2000"), 0, 0)


def test_perplexity_of_anything_is_a_number() -> None:
    assert perplexity(0.0) == 1.0
    assert perplexity(1e6) == math.inf


def test_recipes_of_before_are_written_as_before() -> None:
    assert "bptt" not in Recipe().written()
    assert parse_recipe("lm-darts").written()["nonmonotone"] == 5


def test_published_numbers() -> None:
    darts = parse_recipe("lm-darts")
    options: dict[str, Any] = {
        "lr": 20.0, "clip_grad_norm": 0.25, "batch_size": 64, "bptt": 35, "weight_decay": 8e-7,
        "word_dropout": 0.1, "embedding_dropout": 0.2, "input_dropout": 0.75, "hidden_dropout": 0.25,
        "output_dropout": 0.75, "temporal_penalty": 1e-3, "activation_penalty": 0.0, "nonmonotone": 5,
        "momentum": 0.0, "schedule": "constant",
    }  # fmt: skip
    assert {name: getattr(darts, name) for name in options} == options


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("hidden_dropout=0.0..0.5", "The recipe option hidden_dropout needs a net with a state and dropouts"),
        (
            "schedule=linear/constant,temporal_penalty=0.1..1.0:if:schedule:constant",
            "The recipe option temporal_penalty needs a net with a state",
        ),
        (
            "label_smoothing=0/0.1",
            "The recipe option label_smoothing needs a task with training_loss(recipe)",
        ),
        ("batch_size=8..3000", "2 tokens for each of 3,000 streams"),
        ("width=1..2", "Unknown recipe option 'width'."),
    ],
)
def test_settings_that_cannot_be_followed_are_refused_before_any_trial(
    task: TextTask, settings: str, said: str
) -> None:
    recipe = parse_recipe("fast:batch_size=8")
    with pytest.raises(UsageError) as raised:
        ShortTraining.of_task(Product(Bigrams(), settings), task, recipe)
    assert said in str(raised.value)


def test_settings_that_can_be_followed_are_taken(task: TextTask) -> None:
    settings = "hidden_dropout=0/0.5,batch_size=8/16"
    ShortTraining.of_task(Product(SmallLstms(), settings), task, parse_recipe("lm-fast"))
    ShortTraining.of_task(
        Product(Bigrams(), "hidden_dropout=0"), task, parse_recipe("fast:hidden_dropout=0.1")
    )
