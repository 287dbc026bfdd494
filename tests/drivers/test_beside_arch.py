"""What a tuner has beside an arch is drawn as Tune's own random search would, and from the seed alone."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from ray import tune
from ray.tune.search.sample import Float
from ray.tune.utils.util import merge_dicts

from nas_ray.drivers.beside_arch import BesideArch
from nas_ray.drivers.tune_searcher import TuneSearcher
from nas_ray.errors import UsageError
from nas_ray.searchers import RandomSearch
from tests.searchers.toy import Line

SPACE = {
    "lr": tune.loguniform(1e-3, 1e-1),
    "steps": tune.qrandint(10, 100, 10),
    "noise": tune.randn(0, 2),
    "recipe": {"batch": tune.choice([16, 32]), "epochs": 3},
    "layers": [tune.lograndint(1, 100), 7, (tune.uniform(0, 1), "x")],
    "optimizer": tune.choice([{"name": "sgd", "momentum": tune.quniform(0, 1, 0.1)}, {"name": "adam"}]),
    "constant": "kept",
}


def test_every_domain_becomes_a_value_and_constants_stay_with_tune() -> None:
    drawn = BesideArch(SPACE, "arch").draw(0, 5)
    assert set(drawn) == set(SPACE) - {"constant"}
    config = merge_dicts(SPACE, drawn)  # as Tune does
    assert 1e-3 <= config["lr"] <= 1e-1
    assert config["steps"] % 10 == 0
    assert config["recipe"]["batch"] in (16, 32)
    assert config["recipe"]["epochs"] == 3
    first, seven, (share, text) = config["layers"]
    assert 1 <= first < 100
    assert (seven, text, config["constant"]) == (7, "x", "kept")
    assert 0 <= share <= 1
    assert config["optimizer"]["name"] in ("sgd", "adam")


def test_draws_depend_on_seed_and_number_alone() -> None:
    beside = BesideArch(SPACE, "arch")
    assert beside.draw(0, 5) == beside.draw(0, 5) == BesideArch(SPACE, "arch").draw(0, 5)
    draws = [beside.draw(seed, number)["lr"] for seed in range(3) for number in range(3)]
    assert len(set(draws)) == 9


def test_what_is_saved_draws_the_same() -> None:
    state = json.loads(json.dumps(BesideArch(SPACE, "arch").as_json()))
    again = BesideArch.from_json(state, "arch")
    assert all(again.draw(0, number) == BesideArch(SPACE, "arch").draw(0, number) for number in range(20))
    assert not BesideArch.from_json(BesideArch({"a": 1}, "arch").as_json(), "arch")


def test_a_file_makes_nothing_but_domains() -> None:
    for name in ("Domain.__init__", "np", "logging.Logger", "Float._Nothing"):
        with pytest.raises(ValueError, match=r"no class of|has no ray\.tune\.search\.sample"):
            BesideArch.from_json({"lr": {"domain": name, "of": {"dict": []}}}, "arch")


class Own(Float):
    """A domain of the user's."""


def test_a_domain_of_ones_own_has_to_be_given_again() -> None:
    state = BesideArch({"lr": Own(0, 1)}, "arch").as_json()
    with pytest.raises(UsageError, match=r"The domain Own of param_space must be given again"):
        BesideArch.from_json(json.loads(json.dumps(state)), "arch")


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ({"lr": tune.grid_search([1, 2])}, r"param_space\['lr'\] is a grid; use tune\.choice"),
        ({"recipe": {"lr": tune.grid_search([1, 2])}}, r"param_space\['recipe'\] is a grid"),
        ({"arch": tune.choice(["a", "b"])}, "param_space must leave 'arch' to the searcher"),
    ],
)
def test_what_a_searcher_cannot_go_along_with_is_refused(space: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        TuneSearcher(RandomSearch(Line()), "x").set_search_properties(None, None, space)


def test_an_evaluation_has_its_settings_whichever_trial_carries_it(tmp_path: Any) -> None:
    def new() -> TuneSearcher:
        adapter = TuneSearcher(RandomSearch(Line(30), seed=3), "x")
        adapter.set_search_properties(None, None, {"lr": tune.uniform(0, 1)})
        return adapter

    first, other, restored = new(), new(), new()
    configs = [first.suggest(str(number)) for number in range(4)]
    assert configs == [other.suggest(f"other {number}") for number in range(4)]
    assert len({config["lr"] for config in configs}) == 4  # type: ignore[index]
    first.save(str(tmp_path / "state"))
    restored.restore(str(tmp_path / "state"))
    assert [restored.suggest(f"again {number}") for number in range(4)] == configs
    assert isinstance(np.float64(configs[0]["lr"]), float)  # type: ignore[index]
