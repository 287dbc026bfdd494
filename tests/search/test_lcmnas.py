"""LCMNAS as a command: proxies and a short training in one trial, mixed as released or as described."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.guards.commands import call

HERE = ("--driver", "process", "--batch-size", 8, "--space", "tests.spaces.toy:Layers")
SEARCH = ("--searcher", "lcmnas", "--searcher-args", "population=3", "elite=0.34")
COLUMNS = ["arch", "lcmnas", "jacob_cov", "valid_acc", "train_acc", "epochs", "error"]


def test_a_search_by_the_mixture_that_is_cut_goes_on_to_equal_numbers(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    how = "lcmnas:epochs=1,data_fraction=0.1"
    options = ("--fitness", "mixed=0.25:lcmnas,jacob_cov,valid_acc", "--fidelity", how, "--num-samples", 6)
    ended = call("search", *HERE, *SEARCH, "as=described", *options, "--out", whole)
    assert ended.code == 0, ended.err
    rows = pd.read_parquet(whole / "results.parquet")
    assert len(rows) == 6
    assert rows[["lcmnas", "valid_acc"]].notna().all().all()
    np.testing.assert_allclose(rows["lcmnas"], -(10**4) / rows["jacob_cov"], rtol=1e-9)
    shutil.copytree(whole, cut)
    journal = (cut / "journal.jsonl").read_text().splitlines(keepends=True)
    (cut / "journal.jsonl").write_text("".join(journal[:7]))  # between generations
    for name in ("results.parquet", "results.csv", "best.json"):
        (cut / name).unlink()
    ended = call("search", "--resume", cut)
    assert ended.code == 0, ended.err
    pd.testing.assert_frame_equal(pd.read_parquet(cut / "results.parquet")[COLUMNS], rows[COLUMNS])


@pytest.mark.slow(faster="test_a_search_by_the_mixture_that_is_cut_goes_on_to_equal_numbers")
def test_the_fault_of_the_release_is_told_and_changes_accuracy_alone(tmp_path: Path) -> None:
    found = {}
    for name, fault in (("honest", ""), ("faulty", ",valid_on_training_images=true")):
        options = (
            "--fidelity",
            f"lcmnas:epochs=1,lr=0.05{fault}",
            "--num-samples",
            2,
            "--out",
            tmp_path / name,
        )
        ended = call("search", *HERE, *SEARCH, "--fitness", "mixed_raw=0.25:lcmnas,valid_acc", *options)
        assert ended.code == 0, ended.err
        assert ("for valid_acc as well (valid_on_training_images)" in ended.out) == bool(fault)
        assert "sum as it is of lcmnas and valid_acc (the last weighs 0.25)" in ended.out
        found[name] = pd.read_parquet(tmp_path / name / "results.parquet")
    same = ["arch", "lcmnas", "train_acc", "train_loss"]
    pd.testing.assert_frame_equal(found["honest"][same], found["faulty"][same])
    assert (found["honest"]["valid_acc"] != found["faulty"]["valid_acc"]).all()


def test_a_final_training_refuses_the_fault(tmp_path: Path) -> None:
    ended = call(
        "train", "--space", "tests.spaces.toy:Layers", "--arch", "wide", "--recipe",
        "fast:valid_on_training_images=true", "--out", tmp_path / "out",
    )  # fmt: skip
    assert ended.code == 2
    assert "leave valid_on_training_images out of the recipe" in ended.err.replace("\n", " ")
