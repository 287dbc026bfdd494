"""Settings that depend on others, alone and beside archs; and recipes as a space."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nas_ray import RecipeSpace
from nas_ray.errors import UsageError
from nas_ray.spaces import Choice, Conditional, Interval, Macro, NatsTss, Product, SettingSpace, settings_of
from nas_ray.spaces.dependence import corners
from nas_ray.spaces.settings import parse_settings, written
from nas_ray.training.recipes import parse_recipe

TEXT = "schedule=cosine/linear/constant,warmup_epochs=0.5..2:if:schedule:cosine/linear,lr=log:0.01..1"
NESTED = "a=1/2,b=x/y:if:a:2,c=1..3:if:b:y"


def test_what_is_written_is_read() -> None:
    for text in (TEXT, NESTED):
        settings = parse_settings(text)
        assert written(settings) == text
        assert parse_settings(written(settings)) == settings
    given = {"a": Choice((1, 2)), "b": Conditional(Interval(1, 3), "a", (2,))}
    assert str(SettingSpace(given)) == "a=1/2,b=1..3:if:a:2"


def test_a_point_has_what_is_there_and_nothing_else() -> None:
    space, rng = SettingSpace(NESTED), np.random.default_rng(0)
    drawn = {space.sample(rng) for _ in range(200)}
    assert drawn == {"@a=1", "@a=2,b=x", *(f"@a=2,b=y,c={c}" for c in (1, 2, 3))}
    assert all(point in space for point in drawn)
    for wrong in ("@a=1,b=x", "@a=2", "@a=2,b=x,c=1", "@b=x,a=2", "@a=3", "a=1", "arch@a=1"):
        assert wrong not in space
    with pytest.raises(UsageError) as refused:
        space.split("@a=2")
    assert str(refused.value) == (
        "A point must read @a=VALUE,b=VALUE,c=VALUE with values of a=1/2,b=x/y:if:a:2,c=1..3:if:b:y, "
        "got '@a=2'."
    )


def test_neighbours_are_points_and_every_point_is_reached() -> None:
    space = SettingSpace(NESTED)
    assert space.neighbors("@a=1") == ["@a=2,b=y,c=2"]
    assert space.neighbors("@a=2,b=y,c=2") == ["@a=1", "@a=2,b=x", "@a=2,b=y,c=1", "@a=2,b=y,c=3"]
    reached, new = set(), {"@a=1"}
    while new:
        reached |= new
        new = {other for point in new for other in space.neighbors(point)} - reached
    assert len(reached) == 5


def test_beside_archs() -> None:
    space, rng = Product(NatsTss(), SettingSpace(TEXT)), np.random.default_rng(1)
    points = [space.sample(rng) for _ in range(40)]
    assert {"warmup_epochs" in settings_of(point) for point in points} == {True, False}
    for point in points:
        arch, values = space.split(point)
        assert arch in NatsTss()
        assert ("warmup_epochs" in values) == (values["schedule"] != "constant")
        assert all(space.split(other) for other in space.neighbors(point))
    assert not hasattr(space, "choices")
    assert not hasattr(Product(NatsTss(), "a=1/2,b=1/2:if:a:1"), "choices")


def test_children_have_what_is_there_and_nothing_else() -> None:
    archs, rng = Macro(params=200_000, memory=2), np.random.default_rng(2)
    space: Any = Product(archs, TEXT)
    points = [space.sample(rng) for _ in range(4)]
    for draw in (space.sample_from, space.drawn_from):
        children = [space.split(draw(points, rng)) for _ in range(30)]
        assert all(arch in archs for arch, _ in children)
        assert {(values["schedule"], "warmup_epochs" in values) for _, values in children} == {
            *(("cosine", True), ("linear", True), ("constant", False)),
        }


def test_corners_are_points() -> None:
    settings = parse_settings(NESTED)
    made = list(corners(settings))
    space = SettingSpace(settings)
    assert all(f"@{','.join(f'{k}={v}' for k, v in point.items())}" in space for point in made)
    assert {point.get("c") for point in made} == {None, "1", "3"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a=1..2:if:", "A condition must read a=VALUES:if:OTHER:VALUE/VALUE, got '1..2:if:'."),
        ("a=1..2:if:b", "A condition must read a=VALUES:if:OTHER:VALUE/VALUE, got '1..2:if:b'."),
        (
            "a=1..2:if:b:1",
            "The setting a must depend on a choice that stands before it, got b; there is none.",
        ),
        (
            "b=1..2,a=1..2:if:b:1",
            "The setting a must depend on a choice that stands before it, got b; there is b.",
        ),
        ("b=1/2,a=1..2:if:b:3", "The setting a depends on b being 3, which must be one of 1/2."),
        ("b=1/2,a=3..2:if:b:1", "The setting a cannot be 3..2: The first limit of a range must be below"),
    ],
)
def test_conditions_that_cannot_be_are_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_settings(text)
    assert str(refused.value).startswith(said)


def test_points_of_a_recipe_space_are_recipes() -> None:
    space, rng = RecipeSpace(TEXT, "epochs:4"), np.random.default_rng(2)
    for _ in range(20):
        point = space.sample(rng)
        recipe, values = space.recipe_of(point), space.split(point)
        assert recipe.schedule == values["schedule"]
        assert recipe.lr == float(values["lr"])
        assert recipe.warmup_epochs == float(
            values.get("warmup_epochs", parse_recipe("epochs:4").warmup_epochs)
        )
    both = Product(NatsTss(), space)
    assert both.settings == space.settings


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("dropout=0..1", "Unknown recipe option 'dropout'."),
        ("lr=1..0.1", "The setting lr cannot be 1..0.1: The first limit of a range must be below the second"),
        (
            "lr=log:0..1",
            "The setting lr cannot be log:0..1: A range on a logarithmic scale must begin above 0",
        ),
        ({"schedule": ""}, "The setting schedule"),
        ({}, "Settings must have names such as lr, got none."),
        ("batch_size=16.0..64.0", "The setting batch_size must be a range of whole numbers"),
        ("a=1/2,batch_size=16.5..64:if:a:1", "Unknown recipe option 'a'."),
        (
            "flip=true/false,batch_size=16.0..64:if:flip:true",
            "The setting batch_size must be a range of whole",
        ),
    ],
)
def test_what_is_no_recipe_space_is_refused(settings: object, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        RecipeSpace(settings)  # type: ignore[arg-type]
    assert str(refused.value).startswith(said)


def test_a_choice_has_a_value() -> None:
    with pytest.raises(UsageError, match="A choice must name each of its values once, got ''"):
        RecipeSpace({"schedule": Choice([])})


def test_what_is_absent_with_a_middle_value_is_seen_beside_every_other_setting() -> None:
    settings = SettingSpace("cutout=0/8/16,nesterov=false:if:cutout:0/16,momentum=0.5/0").settings
    assert {"cutout": "8", "momentum": "0"} in list(corners(settings))
