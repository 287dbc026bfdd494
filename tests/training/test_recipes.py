"""Recipes against the published schedule, and what their text may say."""

from __future__ import annotations

import math

import pytest
import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import CosineAnnealingLR

from nas_ray.errors import UsageError
from nas_ray.training.recipes import RECIPES, Recipe, parse_recipe


def test_the_published_recipe() -> None:
    recipe = RECIPES["nats-200"]
    published = (200, 256, 0.1, 0.9, True, 5e-4, "cosine", True, 4)
    assert published == (
        *(recipe.epochs, recipe.batch_size, recipe.lr, recipe.momentum, recipe.nesterov),
        *(recipe.weight_decay, recipe.schedule, recipe.flip, recipe.crop_padding),
    )
    assert (RECIPES["nats-12"].epochs, RECIPES["nats-12"].warmup_epochs) == (12, 0)


def test_the_cosine_is_that_of_torch() -> None:
    recipe, steps = Recipe(epochs=3, warmup_epochs=0), 7
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimiser = SGD([parameter], lr=recipe.lr)
    schedule = CosineAnnealingLR(optimiser, T_max=3 * steps)
    for step in range(3 * steps):
        assert recipe.lr * recipe.lr_factor(step, steps) == pytest.approx(
            schedule.get_last_lr()[0], abs=1e-12
        )
        optimiser.step()
        schedule.step()


def test_warm_up_and_the_other_schedules() -> None:
    linear = Recipe(epochs=4, warmup_epochs=2, schedule="linear")
    assert [linear.lr_factor(step, 2) for step in (0, 1, 2, 4, 6, 8)] == [0, 0.25, 0.5, 1, 0.5, 0]
    constant = Recipe(epochs=4, warmup_epochs=0, schedule="constant")
    assert {constant.lr_factor(step, 2) for step in range(8)} == {1.0}
    only_warm_up = Recipe(epochs=2, warmup_epochs=2)
    assert math.isclose(only_warm_up.lr_factor(3, 2), 0.75)


def test_texts() -> None:
    assert parse_recipe("epochs:7") == parse_recipe("fast:epochs=7") == parse_recipe(" epochs:7 ")
    changed = parse_recipe("nats-12:batch_size=32, cutout=8,balanced=yes,lr=1e-2")
    assert (changed.batch_size, changed.cutout, changed.balanced, changed.lr) == (32, 8, True, 0.01)
    assert parse_recipe("epochs:2:lr=0.5").lr == 0.5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Unknown recipe ''"),
        ("nats12", "Did you mean 'nats-12'"),
        ("epochs:x", "epochs must be a whole number, got 'x'"),
        ("epochs:", "epochs must be a whole number, got ''"),
        ("epochs:0", "epochs must be from 1 to 100,000, got 0"),
        ("fast:lr=nan", "lr must be above 0 and at most 1e+30, got nan"),
        ("fast:lr", "must give lr once, as lr=VALUE"),
        ("fast:lr=1,lr=2", "must give lr once"),
        ("epochs:1:epochs=5", "must give epochs once, as epochs:4 or fast:epochs=4"),
        ("fast:rate=1", "Unknown recipe option 'rate'"),
        ("fast:flip=maybe", "flip must be true or false"),
        ("fast:schedule=cos", "schedule must be one of cosine, linear, constant"),
        ("fast:precision=8", "precision must be one of"),
        ("fast:data_fraction=0", "data_fraction must be above 0"),
        ("fast:momentum=1", "momentum must be from 0 to below 1"),
        ("fast:momentum=0", "nesterov must be false without momentum"),
        ("fast:epochs=1,warmup_epochs=2", "warmup_epochs must be at most the epochs"),
        ("fast:cutout=-1", "cutout must be from 0 to 1,000,000, got -1"),
        ("fast:weight_decay=inf", "weight_decay must be from 0 to 1e+30, got inf"),
    ],
)
def test_bad_texts(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_recipe(text)
    assert said in str(caught.value)
