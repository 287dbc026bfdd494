from __future__ import annotations

import pytest

from nas_ray.errors import UsageError
from nas_ray.searchers import SEARCHERS, ArchSearcher, Move, SkipRea
from nas_ray.searchers.options import option_defaults, parse_options
from tests.searchers.toy import Line, by_length


def test_values_have_the_type_of_the_default() -> None:
    texts = ["rule=at_least_one", "population=20", "ageing=no", "max-skips=3"]
    expected = {"rule": "at_least_one", "population": 20, "ageing": False, "max_skips": 3}
    assert parse_options(SkipRea, texts) == expected
    assert parse_options(SEARCHERS["nsga2"], ["crossover=.5", "objectives=x,-y"]) == {
        "crossover": 0.5,
        "objectives": "x,-y",
    }
    assert parse_options(SEARCHERS["predictor"], ["regressor=tests.searchers.toy:by_length"]) == {
        "regressor": by_length
    }


def test_options_of_base_classes_are_known_with_the_default_that_holds() -> None:
    options = option_defaults(Move)
    assert (options["pool"], options["proposals"], options["population"]) == (0, 0, 50)
    assert not {"space", "fitness", "seed", "options"} & set(options)


@pytest.mark.parametrize("name", sorted(SEARCHERS))
def test_every_searcher_takes_its_own_defaults(name: str) -> None:
    options = option_defaults(SEARCHERS[name])
    if "proxy" in options:
        options["proxy"] = by_length
    assert isinstance(SEARCHERS[name](Line(), fitness=lambda rows: [], **options), ArchSearcher)


def test_a_searcher_without_options_and_a_function() -> None:
    class Walk(ArchSearcher):
        def ask(self) -> str:
            return "0"

    assert option_defaults(Walk) == {}
    assert option_defaults(lambda space, *, fitness, seed, steps=3: None) == {"steps": 3}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "population",
            "Options of a searcher read name=value, each once, such as population=20; got 'population'.",
        ),
        (
            "populatoin=3",
            "Unknown option of the searcher 'populatoin'. Did you mean 'population'? Known: ageing, "
            "mutation, population, replacement, sample.",
        ),
        ("population=many", "The option population of the searcher must be a whole number, got 'many'."),
        ("ageing=maybe", "The option ageing of the searcher must be true or false, got 'maybe'."),
    ],
)
def test_errors(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_options(SEARCHERS["rea"], [text])
    assert str(caught.value) == message


def test_an_option_twice() -> None:
    with pytest.raises(UsageError, match="each once, such as population=20; got 'sample=3'."):
        parse_options(SEARCHERS["rea"], ["sample=2", "sample=3"])


def test_several_may_stand_in_one_text() -> None:
    together = parse_options(SEARCHERS["ppo"], ["archs_per_update=3,policy=categorical", "lr=0.1"])
    assert together == {"archs_per_update": 3, "policy": "categorical", "lr": 0.1}
    listed = parse_options(SEARCHERS["nsga2"], ["objectives=valid_acc,-flops"])
    assert listed == {"objectives": "valid_acc,-flops"}
