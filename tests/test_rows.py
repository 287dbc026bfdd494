"""The reserved names are those of the columns that are really written beside scores."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
import torch

from nas_ray import rows as rows_module
from nas_ray.benchmarks import open_benchmark
from nas_ray.drivers.simulation import simulate
from nas_ray.errors import UsageError
from nas_ray.evaluation import gpu_memory
from nas_ray.proxies.plugin import resolve_proxies
from nas_ray.report import curve_panels
from nas_ray.report.cost import COSTS
from nas_ray.report.run_data import RunData, complete
from nas_ray.report.tables import all_rows
from nas_ray.report.top import top_archs
from nas_ray.rows import (
    ERROR_KINDS,
    OF_SECONDS,
    RESERVED,
    TRAJECTORY,
    Failure,
    error_kind_of,
    failed,
    plain_row,
)
from nas_ray.score_space.classes import Classes
from nas_ray.search.finish import with_accuracy
from nas_ray.search.two_stage_report import Stage, join_stages
from nas_ray.searchers import RandomSearch, Single
from nas_ray.spaces import NatsTss
from nas_ray.train.rows import results_table, summary_table

SPACE = NatsTss(channels=2, cells=1)
SCORE = "mine"
OF_OURS = {*COSTS, "params", "flops", "latency_ms"}
"""Columns that our own proxies and costs fill, under their own names."""


def searched() -> pd.DataFrame:
    searcher = RandomSearch(SPACE, fitness=Single((SCORE,)))
    searcher.add([{"arch": SPACE[0], SCORE: 0.5}])
    return simulate(
        searcher,
        lambda arch, report: report({SCORE: 1.0, "found": arch, "seconds": 0.1, "error": None}),
        num_samples=12,
    )


def tables(tmp_path: Path) -> Iterator[pd.DataFrame]:
    """Every kind of table that holds scores."""
    rows = searched()
    yield rows
    yield trained("valid_acc", "train_acc", "valid_loss", "train_loss")
    yield trained("valid_nats", "train_nats", "valid_perplexity", "train_loss")
    with (
        mock.patch.multiple(gpu_memory, _in_use=lambda: True, share=lambda: 0.5),
        mock.patch.multiple(torch.cuda, reset_peak_memory_stats=mock.DEFAULT, empty_cache=mock.DEFAULT),
    ):
        yield pd.DataFrame(gpu_memory.with_gpu_memory(lambda: [{SCORE: 1.0}]))
    benchmark = open_benchmark("nb201", "cifar10")
    assert benchmark is not None
    for scores in ([SCORE], ["valid_acc", "test_acc"]):
        yield with_accuracy(rows, benchmark, scores)
    archs = list(SPACE)
    accuracy = dict.fromkeys(archs, 1.0)
    yield top_archs(rows, [SCORE], 3, space=archs, accuracy=accuracy)
    yield Classes(archs[:60], True).spread(
        pd.DataFrame({"arch": archs[:60], SCORE: 1.0, "error": None}), [SCORE]
    )
    yield join_stages([Stage("scores", 0, rows.to_dict("records"), Single((SCORE,)))])  # type: ignore[arg-type]
    run = run_data(rows, tmp_path)
    yield run.rows
    yield pd.DataFrame(columns=all_rows([run, run])["columns"])
    with mock.patch.object(curve_panels, "sample", side_effect=lambda found, most: found) as sample:
        curve_panels._add_evaluations(go.Figure(), run, "evaluation")
    yield sample.call_args.args[0]
    facts = pd.DataFrame({"label": ["a", "b"], "arch": ["x", "y"], "params": 1, "flops": 1, SCORE: 1.0})
    results = [
        {"label": label, "test_acc": 50.0, "test_right": 5, "test_images": 10, "seed": seed}
        for label in "ab"
        for seed in (0, 1)
    ]
    yield summary_table(results_table(results), facts)


def trained(*columns: str) -> pd.DataFrame:
    """A row of a short training whose metric is the first of the columns."""
    from nas_ray.evaluation.short_training import ShortTraining

    training = mock.Mock(column=columns[0], metric_column=columns[0])
    results = [dict.fromkeys(columns, 1.0), dict.fromkeys(columns, 2.0)]
    row = ShortTraining._row(training, {SCORE: 1.0, "seconds": 1.0}, results, 1, 2.0, {})
    return pd.DataFrame([row])


def run_data(rows: pd.DataFrame, folder: Path) -> RunData:
    fitness = Single((SCORE,))
    return RunData(
        folder=folder,
        name="run",
        experiment="rea",
        dataset="cifar10",
        space="nats-tss",
        settings={},
        info={},
        rows=complete(rows.assign(accuracy=1.0, scored_as=rows["arch"]), (SCORE,), fitness, folder),
        scores=(SCORE,),
        fitness=fitness,
        is_search=True,
        acc_column="test_acc",
        acc_source="a table",
    )


def test_no_score_can_have_the_name_of_a_column_that_is_written(tmp_path: Path) -> None:
    written = {str(name) for table in tables(tmp_path) for name in table}
    others = {name for name in written - {SCORE} - OF_OURS if not name.endswith(OF_SECONDS)}
    assert others <= RESERVED
    assert {"trial", "curve", "gpu_memory", "index", "rank", "place", "behind", "scored_as", "run"} <= others


def test_every_reserved_name_is_written(tmp_path: Path) -> None:
    written = {str(name) for table in tables(tmp_path) for name in table}
    unwritten = {"test_acc", "benchmark_test_acc", "worker", TRAJECTORY}  # of other tables, and of a journal
    assert RESERVED - written <= unwritten


def test_a_plain_row_is_what_a_journal_can_keep() -> None:
    row = {"a": np.float32(0.5), "b": torch.tensor(2), "c": Decimal("0.5"), "d": np.bool_(True), "e": None}
    row |= {"f": "text", "g": 2**70, "h": True, "i": [1, {"k": 2}], "j": np.str_("x"), "k": np.int64(3)}
    plain = plain_row(row)
    assert json.loads(json.dumps(plain)) == {
        "a": 0.5,
        "b": 2,
        "c": 0.5,
        "d": True,
        "e": None,
        "f": "text",
        "g": float(2**70),
        "h": True,
        "i": '[1, {"k": 2}]',
        "j": "x",
        "k": 3,
    }


@pytest.mark.parametrize("value", [b"x", 1j, np.zeros(2), object(), {1, 2}, [object()]])
def test_any_other_value_is_told(value: object) -> None:
    with pytest.raises(
        TypeError, match="the column 'x' of a row must be a number, a text, a truth value or None"
    ):
        plain_row({"x": value})


@pytest.mark.parametrize(
    "name",
    ["epochs", "curve", "train_acc", "train_loss", "valid_loss", "valid_acc_std", "seconds_per_epoch"],
)
def test_no_proxy_is_named_as_a_column_of_a_training(name: str) -> None:
    def proxy(net: object, inputs: object, targets: object) -> float:
        return 1.0

    proxy.__name__ = name
    with pytest.raises(UsageError, match=f"A proxy cannot be named '{name}', which is another column"):
        resolve_proxies([proxy])


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (None, None),
        ("", None),
        ("out of memory", "out_of_memory"),
        ("a is nan; naswot: out of memory", "out_of_memory"),
        ("the worker died before the trial ended", "worker_died"),
        ("the worker died of this arch, 3 times", "worker_died"),
        ("timed out after 2 s", "timed_out"),
        ("the training diverged in epoch 3", "diverged"),
        ("a is nan; mine: ValueError: broken", "raised"),
        ("mine: ValueError: the loss is nan", "raised"),
        ("latency_ms 3.2 is above the limit 1; a is inf", "over_limit"),
        ("mine.best one is -inf", "undefined"),
        ("mine: gave no 'least' as on a small net", "undefined"),
    ],
)
def test_rows_without_a_kind_tell_it_in_their_text(error: str | None, kind: str | None) -> None:
    assert error_kind_of({"error": error}) == kind
    assert error_kind_of({"error": error, "error_kind": "of a later version"}) == kind
    assert error_kind_of({"error": error, "error_kind": ["raised"]}) == kind


def test_the_kind_of_a_row_counts_and_not_its_text() -> None:
    assert error_kind_of({"error": "mine: out of memory", "error_kind": "raised"}) == "raised"
    assert error_kind_of({"error": None, "error_kind": "raised"}) is None


@pytest.mark.parametrize("kind", ERROR_KINDS)
def test_of_several_failures_the_gravest_counts(kind: str) -> None:
    others = [Failure("b", other) for other in ERROR_KINDS[ERROR_KINDS.index(kind) :]]
    assert failed([*reversed(others), Failure("a", kind)])["error_kind"] == kind
    assert failed([]) == {"error": None}


def test_only_two_files_know_how_want_of_memory_is_told() -> None:
    package = Path(rows_module.__file__).parents[1]
    telling = set()
    for path in package.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docs)
        if any("out of memory" in str(node.value) for node in texts):
            telling.add(path.relative_to(package).as_posix())
    assert telling == {"rows/failures.py", "errors/__init__.py"}
