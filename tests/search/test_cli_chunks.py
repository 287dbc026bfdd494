"""Searches with several archs per trial, from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nas_ray.errors import UsageError
from nas_ray.images.image_data import ImageDataModule
from nas_ray.search.arguments import SearchArgs
from nas_ray.search.experiment import prepare
from nas_ray.shared_weights.scorer import ChunkScorer
from nas_ray.spaces import NatsTss
from tests.guards.commands import call, refused
from tests.search.test_cli import SMALL


def test_a_run_with_several_archs_per_trial(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    options = [*SMALL, "--proxies", "synflow", "--num-samples", 8, "--archs-per-trial", 3, "--init-seed", 5]
    options += ["--driver", "process"]
    done = call("rea", *options, "--out", folder)
    assert done.code == 0, done.err
    assert "weights    of one supernet, up to 3 archs per trial" in done.out
    assert json.loads((folder / "run.json").read_text())["args"]["archs_per_trial"] == 3
    events = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    assert "".join(event["event"][0] for event in events).startswith("aaattt")

    rows = pd.read_parquet(folder / "results.parquet")
    assert len(rows) == 8
    batch = ImageDataModule("auto", dataset="cifar10", batch_size=8).minibatch()
    scorer = ChunkScorer(NatsTss(), 10, *(tensor.numpy() for tensor in batch), ["synflow"], init_seed=5)
    np.testing.assert_allclose(rows["synflow"], scorer(rows["arch"].tolist())["synflow"], rtol=1e-5)

    message = refused("rea", "--resume", folder, "--archs-per-trial", 4)
    assert "was made with --archs-per-trial 3 and cannot go on with 4" in message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--archs-per-trial", "0"], "--archs-per-trial must be from 1 to 1,000,000, got 0."),
    ],
)
def test_what_cannot_be_scored_together_is_one_sentence(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    assert refused("rea", *arguments, "--out", str(tmp_path / "run")).startswith(message)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"space": "theirs_of_a_test:Wide"},
            "--archs-per-trial 8 needs the search space nats-tss or nats-sss, got 'theirs_of_a_test:Wide'; "
            "leave --archs-per-trial out.",
        ),
    ],
)
def test_a_space_that_is_not_built_in_has_no_supernet(
    options: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "theirs_of_a_test.py").write_text(
        "from nas_ray.spaces import NatsTss\nclass Wide(NatsTss):\n    pass\n"
    )
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        prepare("rea", SearchArgs(archs_per_trial=8, **options), "rea")
    assert str(caught.value).startswith(message)


def test_help_says_what_several_archs_per_trial_are() -> None:
    said = " ".join(call("random_search", "--help").out.replace("│", " ").split())
    assert "it asks for all of them before it sees a row of any" in said
