"""Progressive search that was stopped goes on as one that was not; the contract of searchers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nas_ray.safe_files.plain_state import packed, read_plain
from nas_ray.searchers import ProgressiveSearch
from nas_ray.searchers.kept import Kept
from nas_ray.searchers.progressive import predictors
from nas_ray.testing import searcher_contract
from nas_ray.testing.driving import drive_chunks
from tests.searchers.progressive.cells import CELLS, ask, run, searcher

TestProgressive = searcher_contract(ProgressiveSearch, space=CELLS, beam=12, epochs=1, ensemble=1)


@pytest.mark.parametrize("predictor", ["mlp", "lstm"])
def test_stopped_after_any_event_it_goes_on_from_its_state_or_its_events(
    predictor: str, tmp_path: Path
) -> None:
    options = {"beam": 2, "predictor": predictor, "epochs": 1}
    whole = searcher(**options)
    drive_chunks(whole, 14, 3)
    assert [CELLS.blocks(row["arch"]) for row in whole.history] == [1] * 10 + [2, 2, 3, 3]
    for cut in range(0, len(whole.events) + 1, 1 if predictor == "mlp" else 6):
        events = json.loads(json.dumps(whole.events[:cut]))
        replayed, kept = searcher(**options), searcher(**options)
        replayed.replay(events)
        (tmp_path / "state").write_bytes(packed(replayed.kept()._asdict()))
        kept.load_kept(Kept(**read_plain(tmp_path / "state")), events)
        kept.replay(events)
        for resumed in (replayed, kept):
            drive_chunks(resumed, 14, 3)
            assert resumed.events == whole.events, cut


def test_killed_in_the_middle_of_a_fit_it_fits_again(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, killed = searcher(), searcher()
    run(whole, 30)
    run(killed, 10)
    calls = []

    def dies(self: Any, arrays: Any, gradients: Any, step: Any = predictors.Adam.step) -> None:
        step(self, arrays, gradients)
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(predictors.Adam, "step", dies)
    with pytest.raises(KeyboardInterrupt):
        ask(killed)
    assert calls
    resumed = searcher()
    resumed.replay(killed.events)
    run(resumed, 20)
    assert resumed.events == whole.events
