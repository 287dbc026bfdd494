from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nas_ray.correlate.parts import read_parts
from nas_ray.correlate.scoring import missing
from nas_ray.evaluation.base import in_forms
from nas_ray.evaluation.proxy_scores import ProxyScores
from nas_ray.proxies import PROXIES
from nas_ray.proxies.forms import FORMER, FORMS, as_stored, later_forms
from nas_ray.proxies.identity import identity
from nas_ray.score_space.chunk_store import open_store
from nas_ray.score_space.score_columns import score_columns
from nas_ray.shared_weights.chunk_scores import ChunkScores
from nas_ray.shared_weights.scorer import ChunkScorer
from nas_ray.spaces import NatsTss
from tests.proxies.nets import CONNECTED, HEALTHY, batch

SPACE = NatsTss(channels=4, cells=1)
BOTH = {name: PROXIES[name] for name in ("fisher", "snip")}


def test_a_form_that_changed_has_its_former_one() -> None:
    assert set(FORMS) == set(FORMER) <= set(PROXIES)
    assert later_forms(["snip", "fisher"]) == {"fisher": 2}


@pytest.mark.parametrize("stored", [None, {}, {"fisher": 1}, "text"])
def test_a_run_of_an_older_version_goes_on_in_its_form(stored: object) -> None:
    assert as_stored(BOTH, stored) == {"fisher": PROXIES["fisher_channels"], "snip": PROXIES["snip"]}


def test_a_run_of_this_version_and_proxies_of_others_stay_as_they_are() -> None:
    def fisher(net: object, inputs: object, targets: object) -> float:
        return 1.0

    assert as_stored(BOTH, {"fisher": 2}) == BOTH
    assert as_stored({"fisher": fisher}, None) == {"fisher": fisher}  # type: ignore[dict-item]


@pytest.mark.parametrize("kind", [ProxyScores, ChunkScores])
def test_a_resumed_search_scores_as_it_began(kind: type[ProxyScores | ChunkScores]) -> None:
    inputs, targets = batch()
    images = inputs.float().numpy(), targets.numpy()
    rows: list[dict[str, Any]] = []
    for stored in ({"fisher": 2}, None):
        evaluator = kind(SPACE, 5, *images, BOTH)
        in_forms(evaluator, stored)(HEALTHY, rows.append)
        assert evaluator.proxies == BOTH
    now, before = rows
    assert before["snip"] == now["snip"]
    assert before["fisher"] < now["fisher"] / 8


def test_a_chunk_under_another_column_is_the_same_batched_proxy() -> None:
    inputs, targets = batch()
    images = inputs.float().numpy(), targets.numpy()
    plain = ChunkScorer(SPACE, 5, *images, ("fisher", "fisher_channels", "synflow"))(CONNECTED)
    named = {
        "fisher@2": PROXIES["fisher"],
        "fisher": PROXIES["fisher_channels"],
        "synflow": PROXIES["synflow"],
    }
    renamed = ChunkScorer(SPACE, 5, *images, named)(CONNECTED)
    assert list(renamed)[1:4] == list(named)
    for column, known in (("fisher@2", "fisher"), ("fisher", "fisher_channels"), ("synflow", "synflow")):
        np.testing.assert_array_equal(renamed[column], plain[known])


def test_stored_scores_of_the_former_form_are_not_taken_for_the_present(tmp_path: Path) -> None:
    columns = score_columns(["fisher,snip"])
    assert columns.kept == {"fisher@2": ("fisher@2",), "snip": ("snip",)}
    assert columns.names == ("fisher", "snip")
    with open_store(tmp_path, {"init_seed": 0}, pytest.fail) as store:
        store.add(0, pd.DataFrame({"arch": ["a"], "fisher": [1.0], "snip": [2.0], "error": [None]}))
        assert store.missing(["a"], columns.kept) == {"a": ("fisher@2",)}
        store.add(1, pd.DataFrame({"arch": ["a"], "fisher@2": [3.0], "error": [None]}))
        table = columns.renamed(store.table(["a"], columns.of(columns.proxies)))
    assert table[["fisher", "snip"]].to_numpy().tolist() == [[3.0, 2.0]]


def test_parts_of_the_former_form_are_scored_again(tmp_path: Path) -> None:
    assert identity("snip", PROXIES["snip"]) == "built in"
    part = tmp_path / "000"
    part.mkdir()
    (part / "run.json").write_text(json.dumps({"format": 1, "proxies": dict.fromkeys(BOTH, "built in")}))
    lines = [{"event": "ask", "trial": 0, "arch": "a"}]
    lines.append({"event": "tell", "trial": 0, "row": {"arch": "a", "fisher": 1.0, "snip": 2.0}})  # type: ignore[dict-item]
    (part / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert missing(read_parts(tmp_path, {}), ["a"], BOTH) == {("fisher",): ["a"]}
