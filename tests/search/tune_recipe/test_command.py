"""`nas-ray tune-recipe` end to end: a found arch, its recipe, a resumed run, a report, a training by it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nas_ray.report.html_report import write_report
from nas_ray.runs.folder import create_run, write_json
from nas_ray.search.tune_recipe.args import TuneRecipeArgs, parse_tuning
from nas_ray.spaces import arch_of, settings_of
from nas_ray.train.args import parse as parse_training
from nas_ray.train.args import remarks
from nas_ray.train.job import prepare
from tests.guards.commands import call, refused
from tests.report.page import Page

SETTINGS = "lr=log:0.001..1,nesterov=true/false,momentum=0.5..0.95:if:nesterov:true,batch_size=32/64"
FEW = "6 points say little of 4 settings: trust these shares from about 40 points on."
SMALL = ["--fidelity", "epochs:1:data_fraction=0.3", "--settings", SETTINGS, "--driver", "process"]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a search that found a net; nothing of it but what is read."""
    folder = tmp_path_factory.mktemp("found") / "search"
    args = {"space": "hand-designed", "images": "digits", "dataset": "cifar10", "proxies": ["naswot"]}
    create_run(
        folder, {"experiment": "rea", "status": "finished", "args": args, "images": {"source": "digits"}}
    )
    write_json(folder / "best.json", {"arch": "lenet-5"})
    return folder


@pytest.fixture(scope="module")
def tuned(found: Path) -> Path:
    folder = found.parent / "tuned"
    ended = call("tune_recipe", found, *SMALL, "--num-samples", 6, "--searcher", "wrs", "--out", folder)
    assert ended.code == 0, ended.err
    assert "tune_recipe wrs on the recipe of lenet-5 for cifar10: at most 6 evaluations" in ended.out
    assert "arch       lenet-5" in ended.out
    assert "Best recipe\nlenet-5@lr=" in ended.out
    assert "Best settings: lr=" in ended.out
    assert FEW in " ".join(ended.out.split())
    return folder


def rows_of(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "results.parquet")


def test_it_trains_the_found_arch_by_each_recipe(tuned: Path) -> None:
    rows = rows_of(tuned)
    assert rows["error"].isna().all()
    assert {arch_of(point) for point in rows["arch"]} == {"lenet-5"}
    assert rows["arch"].nunique() == 6
    assert rows["valid_acc"].nunique() > 3
    assert {"momentum" in settings_of(point) for point in rows["arch"]} == {True, False}
    best = json.loads((tuned / "best.json").read_text(encoding="utf-8"))
    assert best["index"] is None
    assert best["fitness"] == rows["valid_acc"].max()
    info = json.loads((tuned / "run.json").read_text(encoding="utf-8"))
    assert info["args"]["space"] == f"hand-designed@{SETTINGS}"
    assert info["args"]["searcher_args"] == ["initial=2"]  # 6 / e
    importance = pd.read_csv(tuned / "importance.csv")
    assert set(importance["setting"]) == {*settings_names(), "several together"}
    assert importance["share"].between(0, 1).all()
    assert {"importance.png", "settings.png"} <= {path.name for path in tuned.iterdir()}


def settings_names() -> list[str]:
    return ["lr", "nesterov", "momentum", "batch_size"]


def test_a_longer_run_begins_with_the_shorter_one(found: Path, tuned: Path, tmp_path: Path) -> None:
    words = [found, *SMALL, "--searcher", "wrs", "--searcher-args", "initial=2", "--out", tmp_path / "run"]
    assert call("tune_recipe", *words, "--num-samples", 3).code == 0
    again = call("tune_recipe", "--resume", tmp_path / "run", "--num-samples", 6)
    assert again.code == 0, again.err
    columns = ["arch", "valid_acc", "train_loss"]
    pd.testing.assert_frame_equal(rows_of(tmp_path / "run")[columns], rows_of(tuned)[columns])


def test_the_page_has_importance_and_coordinates(tuned: Path) -> None:
    page = write_report([tuned], tuned / "page.html").read_text(encoding="utf-8")
    for text in ("Settings beside the archs", "Importance of each setting", "Parallel coordinates"):
        assert text in page
    assert FEW in page
    facts = Page(tuned / "page.html").facts
    assert facts["what"] == "tune_recipe wrs on the recipe of lenet-5, cifar10; finished"
    assert facts["best recipe"].startswith("lenet-5@lr=")


def test_a_training_by_what_was_found(found: Path, tuned: Path) -> None:
    best = settings_of(json.loads((tuned / "best.json").read_text(encoding="utf-8"))["arch"])
    words = [str(found), "--recipe-from", str(tuned), "--formats", "none", "--num-threads", "1"]
    args = parse_training("", words)
    assert args.arch == "lenet-5"
    recipe = prepare(args).recipe
    assert (recipe.lr, recipe.batch_size, recipe.epochs) == (float(best["lr"]), int(best["batch_size"]), 200)
    assert remarks(args)[0] == f"The recipe has the settings that {tuned} found."
    changed = parse_training("", [*words, "--recipe", "nats-12:cutout=8"])
    assert changed.recipe.startswith("nats-12:cutout=8,lr=")
    alone = parse_training("", [str(tuned), "--recipe", "epochs:2"])
    assert alone.arch == "lenet-5"
    short = parse_training("", [str(tuned), "--recipe", "epochs:2", "--recipe-from", str(tuned)])
    assert short.recipe.startswith("epochs:2:lr=")


def test_wrong_runs_and_settings_are_refused(found: Path, tmp_path: Path) -> None:
    start = ["--space", "hand-designed", "--arch", "lenet-5", "--images", "digits", "--driver", "process"]

    def said(*words: Any) -> str:
        return refused("tune_recipe", *words, "--out", tmp_path / "run")

    assert said(*start, "--settings", "lr=1..0.1").startswith(
        "The setting lr cannot be 1..0.1: The first limit of a range must be below the second"
    )
    assert "must begin above 0" in said(*start, "--settings", "lr=log:0..1")
    assert said(*start, "--settings", "dropout=0..1").startswith("Unknown recipe option 'dropout'.")
    assert said(*start, "--settings", "schedule=").startswith("A setting must read lr=")
    assert said("--settings", "lr=0.1..1") == (
        "A training needs the run folder of a search, or an arch with --arch."
    )
    assert "Unknown net 'resnet-21'. Did you mean 'resnet-20'?" in said("--arch", "resnet-21")
    assert said("--space", "darts", "--arch", "x", "--images", "digits", "--driver", "process") == (
        "'x' is no arch of the space darts."
    )
    assert "is needed" in said(tmp_path)
    assert refused("train", found, "--recipe-from", found) == (
        "--recipe-from needs a run that found settings of a recipe, as tune-recipe does, and the best point "
        f"of {found} has none; leave it out."
    )


def test_what_wrs_is_asked_for() -> None:
    def texts(*words: str) -> tuple[str, ...]:
        given = parse_tuning("", ["--arch", "a", "--searcher", "wrs", *words])
        assert isinstance(given, TuneRecipeArgs)
        return given.searcher_args

    assert texts() == ("initial=11",)  # 30 / e
    assert texts("--num-samples", "50") == ("initial=18",)
    assert texts("--searcher-args", "initial=5") == ("initial=5",)
    assert texts("--smoke") == ("initial=2",)


@pytest.mark.ray
@pytest.mark.slow(faster="test_it_trains_the_found_arch_by_each_recipe")
def test_trainings_are_stopped_early(found: Path, tmp_path: Path, ray_started: None) -> None:
    words = [found, "--fidelity", "epochs:4:data_fraction=0.3", "--settings", "lr=log:0.0001..1"]
    words += ["--scheduler", "asha", "--searcher", "optuna", "--num-samples", 8, "--out", tmp_path / "run"]
    assert call("tune_recipe", *words).code == 0
    rows = rows_of(tmp_path / "run")
    assert len(rows) == 8
    assert rows["epochs"].min() < 4
    assert rows["epochs"].max() == 4
