"""The contract on a searcher with a network inside, and on one whose state lacks something."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nas_ray.searchers import Single
from nas_ray.testing import SearcherContract, searcher_contract
from nas_ray.testing.driving import drive, value_of
from tests.searchers.controller import Controller
from tests.searchers.toy import Grid

OF_IT = pytest.mark.slow(faster="test_the_contract_finds_a_state_that_lacks_something")
TestController = OF_IT(searcher_contract(Controller, space=Grid()))


class Forgetful(Controller):
    """Leaves its optimizer out."""

    def state(self) -> dict[str, Any]:
        return {name: value for name, value in super().state().items() if name != "optimizer"}

    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state({**state, "optimizer": self.optimizer.state_dict()})


def test_the_contract_finds_a_state_that_lacks_something(tmp_path: Path) -> None:
    test = SearcherContract().test_from_its_state_it_goes_on_as_if_it_had_not_stopped
    with pytest.raises(AssertionError, match="From its state after 11 events it must go on"):
        test(Forgetful, Grid(), tmp_path)
    test(Controller, Grid(), tmp_path)


def test_it_learns_which_decisions_pay() -> None:
    searcher = Controller(Grid(), fitness=Single(("x",)), seed=0)
    searcher.attach(stop=lambda: searcher.num_asked >= 400)
    drive(searcher, 400, value=value_of)
    asked = [event["arch"] for event in searcher.events if event["event"] == "ask"]
    early, late = (sum(map(value_of, part)) / 50 for part in (asked[:50], asked[-50:]))
    assert late > early
