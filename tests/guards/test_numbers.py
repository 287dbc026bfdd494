"""Every number of every command has a range, and what is outside of it is told in one sentence."""

from __future__ import annotations

import dataclasses
import math
import runpy
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import cycle
from typing import Any, get_args, get_type_hints
from unittest import mock

import pytest

from nas_ray.errors import UsageError
from nas_ray.search import arguments
from nas_ray.search.two_stage_args import TwoStageArgs
from nas_ray.searchers import SEARCHERS, Single, parse_fitness
from nas_ray.searchers.options import option_defaults, parse_options
from nas_ray.spaces import NatsTss
from nas_ray.terminal import command_line
from nas_ray.terminal.ranges import Range, check_ranges, option, ranges_of
from nas_ray.train import args as train_args
from nas_ray.training.recipes import Recipe, parse_recipe
from tests.guards.commands import COMMANDS, ROOT, call, refused

BAD: tuple[Any, ...] = (math.nan, math.inf, -math.inf, 1e308, -1e308, 10**40, -(10**40), 10**5000)


class Read(Exception):
    """Ends a command where it reads its arguments."""


@cache
def args_type(name: str) -> tuple[type, list[str]]:
    """Returns the dataclass that a script reads its arguments into, and which of its fields are numbers."""
    asked: list[tuple[type, list[str]]] = []

    def read(kind: type, *_: object, **__: object) -> None:
        ranges_of(kind)  # while the script is there, whose names the annotations use
        asked.append((kind, numbers(kind)))
        raise Read

    with (
        mock.patch.object(sys, "argv", [name]),
        mock.patch.object(command_line, "read_args", read),
        mock.patch.object(arguments, "read_args", read),
        mock.patch.object(train_args, "read_args", read),
        pytest.raises(Read),
    ):
        runpy.run_path(str(ROOT / "experiments" / f"{name}.py"), run_name="__main__")
    return asked[0]


def is_number(hint: Any) -> bool:
    kinds = get_args(hint) or (hint,)
    return int in kinds or float in kinds


def numbers(kind: type) -> list[str]:
    hints = get_type_hints(kind)
    return [field.name for field in dataclasses.fields(kind) if is_number(hints[field.name])]


def outside(known: Range) -> Iterator[Any]:
    yield from BAD
    yield known.least if known.above else known.least - 1
    yield known.most + 1 if known.whole else known.most * 1.001
    yield "²"
    yield True
    if known.whole:
        yield 1.5
    if known.above and known.least == 0:
        yield -0.0


def made(kind: type, **changes: Any) -> Any:
    """Returns arguments; those that have no default are left out of what is made."""
    free = [f.name for f in dataclasses.fields(kind) if f.default is dataclasses.MISSING]
    return kind(**dict.fromkeys(free, ()), **changes)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_number_of_a_command_is_kept_in_its_range(name: str) -> None:
    kind, found = args_type(name)
    assert set(found) == set(ranges_of(kind)), "a number without a Range, or a Range without a number"
    check_ranges(made(kind))
    for field, known in ranges_of(kind).items():
        for good in (known.most, known.least):
            if not known.above or good != known.least:
                check_ranges(made(kind, **{field: good}))
        for bad in outside(known):
            with pytest.raises(UsageError) as caught:
                check_ranges(made(kind, **{field: bad}))
            said = str(caught.value)
            assert said.startswith(f"{option(field)} must be "), said
            assert str(known) in said
            assert ", got " in said
            assert len(said) < 250


WORDS = ("1e400", "abc", "²", "", " ", "9" * 30, "9" * 5000, "-1e9")
"""What no number of a command may be."""


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ("report", "predict")])
def test_a_number_that_cannot_work_is_refused_on_the_command_line(name: str) -> None:
    kind, _ = args_type(name)
    needed = ["somewhere"] if name in ("audit", "check_proxy", "export_nats") else []
    for field, word in zip(ranges_of(kind), cycle(WORDS), strict=False):
        said = refused(name, *needed, f"{option(field)}={word}")
        assert said.startswith(f"{option(field)} must be "), said


def test_every_number_of_a_recipe_is_kept_in_its_range() -> None:
    assert set(numbers(Recipe)) == set(ranges_of(Recipe))
    for field, known in ranges_of(Recipe).items():
        for bad in outside(known):
            if isinstance(bad, bool):
                continue
            text = "9" * 5000 if bad == 10**5000 else bad  # Python writes no number of so many digits
            with pytest.raises(UsageError, match=f"The recipe option {field} must be "):
                parse_recipe(f"fast:{field}={text}")


def test_help_shows_the_range() -> None:
    assert "INT 1..1,000,000" in call("best_arch", "--help").out


def by_length(archs: Sequence[str]) -> list[float]:
    return [float(len(arch)) for arch in archs]


def made_searcher(name: str, text: str, proxy: dict[str, Any]) -> None:
    options = parse_options(SEARCHERS[name], [text])
    SEARCHERS[name](NatsTss(), fitness=Single(("naswot",)), **proxy, **options)


@pytest.mark.parametrize("name", sorted(SEARCHERS))
def test_every_number_among_the_options_of_a_searcher_has_limits(name: str) -> None:
    defaults = option_defaults(SEARCHERS[name])
    proxy = {"proxy": by_length} if "proxy" in defaults else {}
    for field, default in defaults.items():
        if not isinstance(default, (int, float)) or isinstance(default, bool):
            continue
        texts = ["nan", "inf", "-inf", "1e308", "1e30", str(10**30), str(-(10**30)), "-1", "²", "9" * 5000]
        unbounded = field in ("min_skips", "max_skips")  # a cell of any size
        for text in [*texts, *([] if unbounded else [str(10**9)])]:
            with pytest.raises(UsageError, match=f"{field}|{field.replace('_', '-')}") as caught:
                made_searcher(name, f"{field}={text}", proxy)
            assert len(str(caught.value)) < 300


@pytest.mark.parametrize("weight", ["nan", "inf", "-1", "1e30", "²", "", "1.001"])
def test_the_weight_of_a_fitness_has_limits(weight: str) -> None:
    with pytest.raises(UsageError, match="The weight in mixed=WEIGHT must be "):
        parse_fitness(f"mixed={weight}:a,b", ["a", "b"])


@pytest.mark.parametrize("rungs", ["²", "1,²", "1e3", "-1", "0,1", "1.5", f"1,{10**30}", "9" * 5000, ""])
def test_rungs_have_limits(rungs: str) -> None:
    with pytest.raises(UsageError, match="--rungs must be ") as caught:
        TwoStageArgs(rungs=(rungs,)).checked_rungs()
    assert len(str(caught.value)) < 250


def test_rungs_in_other_digits_are_read() -> None:
    assert TwoStageArgs(rungs=("\u0661,\u0663",)).checked_rungs() == [1, 3]
