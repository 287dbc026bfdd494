"""Correlations on a space whose archs no benchmark knows, by a table of trained ones."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nas_ray.benchmarks.trained_archs import trained_archs
from nas_ray.correlate.opening import open_all, suited
from nas_ray.errors import UsageError
from nas_ray.evaluation.limits import Costs
from nas_ray.proxies import OF_ONE_SPACE, PROXIES
from nas_ray.report.correlation import BASELINES
from nas_ray.spaces import NatsSss, NatsTss
from nas_ray.spaces.named import open_space
from nas_ray.testing import space_contract
from tests.correlate.test_correlate import compare

NAME = "darts:channels=2,cells=3"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Archs whose accuracy grows with their parameters."""
    space, rng = open_space(NAME), np.random.default_rng(0)
    archs = [space.sample(rng) for _ in range(12)]
    costs = Costs(space)
    accuracy = [50 + costs(arch)[0] / 1_000 for arch in archs]
    path = tmp_path / "trained.csv"
    columns = {"arch": archs, "cifar10_test_acc_600": accuracy, "cifar10_test_acc_20": accuracy[::-1]}
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


@pytest.mark.slow(faster="test_tables_and_pictures")
def test_proxies_are_compared_with_trained_archs(ray_started: None, tmp_path: Path, table: Path) -> None:
    found = compare(tmp_path / "out", space=NAME, benchmark=str(table), proxies=["params"])["cifar10"]
    assert found.set_index("score").loc["params", "spearman"] == pytest.approx(1.0)
    with pytest.raises(
        UsageError, match="holds scores with space darts:channels=2,cells=3, but now it is darts:"
    ):
        compare(tmp_path / "out", space="darts:channels=3,cells=3", benchmark=str(table), proxies=["params"])


def test_the_longest_training_counts(table: Path) -> None:
    listed, benchmark = trained_archs(table, "cifar10", open_space(NAME))
    assert len(listed) == 12
    assert listed.schedules == (20, 600)
    frame = pd.read_csv(table)
    assert benchmark.test_acc(frame["arch"][3]) == pytest.approx(frame["cifar10_test_acc_600"][3])


def test_the_space_of_a_table_keeps_the_contract(table: Path) -> None:
    listed, _ = trained_archs(table, "cifar10", open_space(NAME))
    contract = space_contract(listed)()
    contract.test_samples_are_members(listed)
    contract.test_equal_seeds_give_equal_samples(listed)


def test_published_spaces_have_their_benchmarks() -> None:
    space, opened = open_all("nb201", ["cifar10"], "nats-tss")
    assert type(space) is NatsTss
    assert list(opened) == ["cifar10"]
    with pytest.raises(UsageError, match="--benchmark none has no accuracy to compare with"):
        open_all("none", ["cifar10"], NatsSss.name)


@pytest.mark.parametrize(
    ("space", "baselines", "own"),
    [
        ("nats-tss", ["live_ops"], {"clear_paths", "live_ops", "skip"}),
        ("nats-tss:channels=4", ["live_ops"], {"clear_paths", "live_ops", "skip"}),
        ("nats-tss@lr=0.1..1", ["live_ops"], {"clear_paths", "live_ops", "skip"}),
        ("nats-sss", ["log_width"], {"log_width"}),
        (NAME, [], set()),
        ("mine:Space", [], set()),
    ],
)
def test_a_space_has_its_own_baselines(space: str, baselines: list[str], own: set[str]) -> None:
    """What reads nets of another space is neither a baseline nor one of all."""
    assert suited(BASELINES, space) == ["params", "flops", "num_conv", *baselines]
    assert set(suited(PROXIES, space)) == (set(PROXIES) - set(OF_ONE_SPACE)) | own


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cifar10_test_acc_600": "acc", "cifar10_test_acc_20": "best"},
         "must have the columns arch and cifar10_test_acc_EPOCHS, such as cifar10_test_acc_600, and has "
         "arch, acc, best; add what is missing."),
        ({"arch": "net"}, "must have the columns arch and"),
    ],
)  # fmt: skip
def test_a_table_without_the_columns_is_refused(table: Path, change: dict[str, str], said: str) -> None:
    pd.read_csv(table).rename(columns=change).to_csv(table, index=False)
    with pytest.raises(UsageError, match=re.escape(said)):
        trained_archs(table, "cifar10", open_space(NAME))


def test_archs_of_another_space_are_refused(table: Path) -> None:
    with pytest.raises(
        UsageError, match="must hold archs of the space alone, got normal:.*; give the --space of"
    ):
        trained_archs(table, "cifar10", open_space("darts-s2"))


def test_no_table_is_refused() -> None:
    said = (
        "No benchmark knows the archs of darts; give a table of trained ones with --benchmark, with the "
        "columns arch and cifar10_test_acc_EPOCHS, got auto."
    )
    with pytest.raises(UsageError, match=re.escape(said)):
        open_all("auto", ["cifar10"], "darts")
