"""`nas-ray tune-recipe` on a text: the recipe of a recurrent net, by the nats of a held-out text."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from nas_ray.report.html_report import write_report
from nas_ray.runs.folder import create_run, write_json
from nas_ray.search.tune_recipe.args import TEXT_SETTINGS, parse_tuning
from nas_ray.spaces import settings_of
from nas_ray.train.args import parse as parse_training
from nas_ray.train.args import remarks
from tests.guards.commands import call, refused
from tests.report.page import Page
from tests.training.small_lstm import generated_text

SETTINGS = "lr=log:1..60,output_dropout=0.0..0.5,schedule=linear/constant"
SMALL = ["--fidelity", "lm-fast:epochs=1,batch_size=8,data_fraction=0.3", "--settings", SETTINGS]
SMALL += ["--driver", "process"]
SPACE = "rnn-nets:width=4,embedding=4"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a search that found a net of a text; nothing of it but what is read."""
    folder = tmp_path_factory.mktemp("found")
    (folder / "said.txt").write_text(generated_text())
    args = {"space": SPACE, "images": "auto", "dataset": "text", "task": f"text:{folder / 'said.txt'}"}
    create_run(folder / "search", {"experiment": "rea", "args": args, "images": {"source": args["task"]}})
    write_json(folder / "search" / "best.json", {"arch": "gru"})
    return folder / "search"


@pytest.fixture(scope="module")
def tuned(found: Path) -> Path:
    folder = found.parent / "tuned"
    ended = call("tune_recipe", found, *SMALL, "--num-samples", 5, "--searcher", "wrs", "--out", folder)
    assert ended.code == 0, ended.err
    assert "tune_recipe wrs on the recipe of gru for text: at most 5 evaluations" in ended.out
    assert "fitness    -valid_nats\n" in ended.out
    assert "Best settings: lr=" in ended.out
    return folder


def rows_of(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "results.parquet")


def test_it_trains_the_found_net_by_each_recipe_and_keeps_the_lowest_nats(tuned: Path) -> None:
    rows = rows_of(tuned)
    assert rows["error"].isna().all()
    assert rows["arch"].nunique() == rows["valid_nats"].nunique() == 5
    assert set(settings_of(rows["arch"].iloc[0])) == {"lr", "output_dropout", "schedule"}
    best = json.loads((tuned / "best.json").read_text(encoding="utf-8"))
    assert best["arch"] == rows.loc[rows["valid_nats"].idxmin(), "arch"]
    importance = pd.read_csv(tuned / "importance.csv")
    assert {*importance["setting"]} == {"lr", "output_dropout", "schedule", "several together"}
    assert {"importance.png", "settings.png"} <= {path.name for path in tuned.iterdir()}


def test_the_page_has_importance_and_coordinates(tuned: Path) -> None:
    page = write_report([tuned], tuned / "page.html").read_text(encoding="utf-8")
    assert "Importance of each setting" in page
    assert "Parallel coordinates" in page
    assert Page(tuned / "page.html").facts["what"] == "tune_recipe wrs on the recipe of gru, text; finished"


def test_a_training_on_the_text_by_what_was_found(found: Path, tuned: Path) -> None:
    best = settings_of(json.loads((tuned / "best.json").read_text(encoding="utf-8"))["arch"])
    args = parse_training("", [str(found), "--recipe-from", str(tuned), "--recipe", "lm-fast:epochs=2"])
    changes = ",".join(f"{name}={value}" for name, value in best.items())
    assert (args.arch, args.recipe) == ("gru", f"lm-fast:epochs=2,{changes}")
    assert remarks(args)[0] == f"The recipe has the settings that {tuned} found."
    alone = parse_training("", [str(tuned)])
    assert (alone.task, alone.space, alone.arch) == (args.task, SPACE, "gru")
    assert alone.recipe == f"lm-fast:{changes}"


def test_what_is_varied_where_nothing_is_said(found: Path, tmp_path: Path) -> None:
    args = parse_tuning("", [str(found)])
    assert (args.fidelity, args.settings, args.space) == (
        "lm-fast",
        TEXT_SETTINGS,
        f"{SPACE}@{TEXT_SETTINGS}",
    )
    given = parse_tuning("", [str(found), "--fidelity", "lm-darts", "--settings", "lr=1..2"])
    assert (given.fidelity, given.space) == ("lm-darts", f"{SPACE}@lr=1..2")
    assert refused("tune_recipe", found, "--arch", "resnet-20", "--out", tmp_path / "run") == (
        "'resnet-20' is no arch of the space rnn-nets."
    )


@pytest.mark.slow(faster="test_it_trains_the_found_net_by_each_recipe_and_keeps_the_lowest_nats")
@pytest.mark.parametrize(
    "searcher", ["random_search", "optuna", "wrs", "wrs_two_point", "rea", "local_search"]
)
def test_a_longer_run_begins_with_the_shorter_one(searcher: str, found: Path, tmp_path: Path) -> None:
    options = {"wrs": ["initial=2"], "rea": ["population=2", "sample=1"]}.get(searcher, [])
    more = ["--searcher-args", *options] if options else []
    words = [found, *SMALL, "--searcher", searcher, *more]
    assert call("tune_recipe", *words, "--num-samples", 6, "--out", tmp_path / "whole").code == 0
    assert call("tune_recipe", *words, "--num-samples", 3, "--out", tmp_path / "run").code == 0
    assert call("tune_recipe", "--resume", tmp_path / "run", "--num-samples", 6).code == 0
    columns = ["arch", "valid_nats", "train_loss"]
    pd.testing.assert_frame_equal(rows_of(tmp_path / "run")[columns], rows_of(tmp_path / "whole")[columns])
