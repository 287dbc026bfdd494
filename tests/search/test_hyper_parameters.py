"""Searches over settings beside archs, as a user runs them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nas_ray.benchmarks import Benchmark, TableBenchmark
from nas_ray.drivers.simulation import simulate
from nas_ray.drivers.trainable import ArchTrial
from nas_ray.errors import UsageError
from nas_ray.evaluation.proxy_scores import Lookup, ProxyScores
from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.images.image_data import ImageDataModule
from nas_ray.images.splits import NetImages
from nas_ray.proxies import PROXIES
from nas_ray.report.accuracies import Accuracies
from nas_ray.report.cells import _cell_figure, cell_graph, cell_text
from nas_ray.report.html_report import write_report
from nas_ray.report.summary import summarize
from nas_ray.rows import Row
from nas_ray.search.arguments import SearchArgs, parse
from nas_ray.search.experiment import Prepared, judged, prepare
from nas_ray.search.finish import best_row, with_accuracy
from nas_ray.searchers import ArchSearcher, Single
from nas_ray.searchers.named import make_searcher
from nas_ray.spaces import Choice, Conditional, Interval, NatsTss, Product, SearchSpace, arch_of, settings_of
from nas_ray.spaces.named import open_space
from nas_ray.spaces.settings import parse_settings
from nas_ray.train.args import parse as parse_training
from nas_ray.train.job import prepare as prepare_training
from nas_ray.training.recipes import parse_recipe
from nas_ray.training.settings import check_settings
from tests.evaluation.test_short_training import ToyNets, without_times
from tests.guards.commands import call, refused
from tests.reproduce.synthetic import benchmark_table

SPACE = "nats-tss@lr=log:0.01..1,batch_size=32/64/128"
TOY = Product(ToyNets(16), "lr=log:0.001..0.1,batch_size=32/64,epochs=1..2")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("table") / "nats.csv"
    benchmark_table().to_csv(path, index=False)
    return path


def trained_there(benchmark: Benchmark) -> Callable[[str, Callable[[Row], None]], None]:
    """Returns what a training by `lr` would give: the benchmark's accuracy at 0.1, less elsewhere."""
    look_up = Lookup(benchmark, 12)

    def evaluate(point: str, report: Callable[[Row], None]) -> None:
        rows: list[Row] = []
        look_up(point, rows.append)
        away = abs(math.log10(float(settings_of(point)["lr"])) + 1)
        report({**rows[0], "valid_acc": rows[0]["valid_acc"] * (1 - 0.3 * away)})

    return evaluate


def searcher(name: str, space: object, **options: int) -> ArchSearcher:
    return make_searcher(name, space, fitness=Single(("valid_acc",)), seed=0, **options)


def found(benchmark: Benchmark, name: str, count: int, **options: int) -> pd.DataFrame:
    made = searcher(name, open_space(SPACE), **options)
    rows = simulate(made, trained_there(benchmark), num_samples=count)
    return with_accuracy(rows, benchmark, ["valid_acc"])


def check_search(benchmark: Benchmark, best_acc: float) -> None:
    rows = found(benchmark, "rea", 300, population=20, sample=5)
    assert rows["arch"].map(arch_of).isin(list(NatsTss())).all()
    best = best_row(rows)
    assert best is not None
    assert 0.07 < float(settings_of(str(best["arch"]))["lr"]) < 0.14
    assert best["test_acc"] == benchmark.test_acc(arch_of(str(best["arch"])))
    assert best["test_acc"] > best_acc
    random = found(benchmark, "random_search", 100)
    assert random["arch"].is_unique
    assert {settings_of(point)["batch_size"] for point in random["arch"]} == {"32", "64", "128"}
    assert random["valid_acc"].max() < rows["valid_acc"].max()


def test_a_table_of_archs_is_the_benchmark_of_their_points(table: Path) -> None:
    check_search(TableBenchmark(table, "cifar10"), 50)


@pytest.mark.data
def test_the_published_table_too(data_dir: Path) -> None:
    check_search(TableBenchmark(data_dir / "nats_tss.csv.gz", "cifar100"), 70)


def test_a_search_that_was_killed_goes_on_exactly(table: Path) -> None:
    evaluate = trained_there(TableBenchmark(table, "cifar10"))
    options = {"population": 5, "sample": 2}
    whole = simulate(searcher("rea", open_space(SPACE), **options), evaluate, num_samples=30)
    for kept in (1, 7, 30):
        first = searcher("rea", open_space(SPACE), **options)
        simulate(first, evaluate, num_samples=20)
        again = searcher("rea", open_space(SPACE), **options)
        again.replay(json.loads(json.dumps(first.events[:kept])))
        rows = simulate(again, evaluate, num_samples=30)
        assert rows["arch"].tolist() == whole["arch"].tolist()
        assert rows["fitness"].tolist() == whole["fitness"].tolist()


@pytest.mark.parametrize("name", ["freerea", "nsga2", "predictor", "local_search", "optuna"])
def test_searchers_that_need_decisions_take_choices(table: Path, name: str) -> None:
    space = open_space("nats-tss@lr=0.01/0.1/1")
    rows = simulate(searcher(name, space), trained_there(TableBenchmark(table, "cifar10")), num_samples=12)
    assert rows["error"].isna().all()
    assert rows["arch"].isin(space).all()  # type: ignore[arg-type]


def test_a_searcher_that_needs_decisions_refuses_a_range() -> None:
    with pytest.raises(UsageError, match="freerea needs settings that are choices, such as "):
        searcher("freerea", open_space(SPACE))


# Trainings.


@pytest.fixture(scope="module")
def digits() -> NetImages:
    return ImageDataModule("digits").train_images


def training(
    images: NetImages, space: object = TOY, recipe: str = "epochs:2", **options: object
) -> ShortTraining:
    return ShortTraining(space, 10, images, parse_recipe(recipe), **options)  # type: ignore[arg-type]


def row_of(evaluator: ShortTraining, point: str) -> Row:
    return without_times(list(evaluator.epochs(point))[-1])


def test_a_point_is_trained_by_its_settings(digits: NetImages) -> None:
    points = [
        f"3@lr={lr},batch_size={size},epochs=2" for lr, size in (("0.1", 64), ("0.001", 64), ("0.1", 32))
    ]
    rows = [row_of(training(digits), point) for point in points]
    assert len({row["train_loss"] for row in rows}) == 3
    assert rows == [row_of(training(digits), point) for point in points]
    for point, row in zip(points, rows, strict=True):
        changes = point.partition("@")[2].replace(",epochs=2", "")
        assert row == row_of(training(digits, ToyNets(16), f"epochs:2:{changes}"), "3")


def test_epochs_beside_archs(digits: NetImages, tmp_path: Path) -> None:
    evaluator = training(digits, checkpoints=tmp_path)
    short, long = (f"3@lr=0.05,batch_size=64,epochs={count}" for count in (1, 2))
    assert [row["epochs"] for row in evaluator.epochs(short)] == [1]
    assert [row["epochs"] for row in evaluator.epochs(long)] == [1, 2]
    assert row_of(evaluator, short) == row_of(training(digits, ToyNets(16), "epochs:1:lr=0.05"), "3")
    trial = ArchTrial.__new__(ArchTrial)
    trial.setup({"arch": short}, evaluator)
    assert trial.step()["done"]
    trial.reset_config({"arch": long})
    evaluator.forget(long)
    assert not trial.step()["done"]
    assert trial.step()["done"]


def test_augmentation_is_that_of_the_point(digits: NetImages) -> None:
    space = Product(ToyNets(16), "cutout=0/16,class_weights=true/false,seeds=1/2")
    evaluator = training(digits, space)
    for changes in ("cutout=16,class_weights=true,seeds=2", "cutout=0,class_weights=false,seeds=1"):
        assert row_of(evaluator, f"3@{changes}") == row_of(
            training(digits, ToyNets(16), f"epochs:2:{changes}"), "3"
        )


def test_checkpoints_are_those_of_whole_points(digits: NetImages, tmp_path: Path) -> None:
    one, other = (f"3@lr={lr},batch_size=64,epochs=2" for lr in ("0.1", "0.001"))
    evaluator = training(digits, checkpoints=tmp_path)
    for point in (one, other):
        epochs = evaluator.epochs(point)
        next(epochs)
        epochs.close()
    assert len(list(tmp_path.iterdir())) == 2
    for point in (one, other):
        assert row_of(training(digits, checkpoints=tmp_path), point) == row_of(training(digits), point)


def test_a_search_over_trainings(digits: NetImages) -> None:
    def searched() -> pd.DataFrame:
        rows = simulate(searcher("rea", TOY, population=4, sample=2), training(digits), num_samples=8)
        return rows[["arch", "valid_acc", "train_loss", "epochs", "error"]]

    rows = searched()
    pd.testing.assert_frame_equal(rows, searched())
    assert rows["error"].isna().all()
    assert rows["epochs"].tolist() == [int(settings_of(point)["epochs"]) for point in rows["arch"]]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("lr=log:0.01..1,dropout=0..1", "Unknown recipe option 'dropout'."),
        ("lr=-1..1", "The recipe option lr must be above 0 and at most 1e+30, got -1.0."),
        ("batch_size=16.0..64.0", "The setting batch_size must be a range of whole numbers such as 1..4"),
        ("batch_size=16/24.5", "The recipe option batch_size must be a whole number, got '24.5'."),
        (
            "schedule=cosine/step",
            "The recipe option schedule must be one of cosine, linear, constant, got step.",
        ),
        ("momentum=0/0.9", "The recipe option nesterov must be false without momentum, got True."),
        (
            "epochs=1..9",
            "The setting epochs must stay within the 4 epochs of --fidelity, got 1..9; give a longer",
        ),
        (
            "valid_fraction=0.1/0.2",
            "The setting valid_fraction would measure trials on different images; give it in",
        ),
    ],
)
def test_settings_that_no_recipe_takes_are_refused_before_the_search(settings: str, said: str) -> None:
    arguments = ["--space", f"nats-tss@{settings}", "--fidelity", "epochs:4"]
    assert said in refused("random_search", *arguments)
    with pytest.raises(UsageError) as caught:
        training(ImageDataModule("digits").train_images, open_space(f"nats-tss@{settings}"), "epochs:4")
    assert said in str(caught.value)
    check_settings({}, parse_recipe("fast"))


def test_names_are_refused_early() -> None:
    assert "Unknown search space 'nats-ts'. Did you mean 'nats-tss'?" in refused(
        "rea", "--space", "nats-ts@lr=0.1"
    )
    assert "The setting lr must read lr=0.01/0.1/1" in refused("rea", "--space", "nats-tss@lr=1..")
    said = (
        "A training takes one arch and one recipe; give --space nats-tss, and settings in --recipe, as in "
        "nats-200:lr=0.1."
    )
    assert refused("train", "--space", "nats-tss@lr=0.1/1", "--arch", "resnet-20") == said


# What a search prepares and leaves.


def prepared(*arguments: str) -> Prepared:
    args = parse(
        SearchArgs, "rea", "", ["--space", SPACE, "--images", "digits", "--batch-size", "4", *arguments]
    )
    return prepare("rea", args, "rea")


def test_an_experiment_says_what_settings_do(table: Path) -> None:
    experiment = prepared("--benchmark", str(table), "--proxies", "params", "--max-params", "1e6")
    assert isinstance(experiment.benchmark, TableBenchmark)
    said = "without --fidelity nothing depends on them; a benchmark knows archs alone"
    assert f"settings   lr=log:0.01..1,batch_size=32/64/128: {said}" in judged(experiment)
    assert experiment.label(f"{NatsTss().archs[5]}@lr=0.1,batch_size=32") == "#5@lr=0.1,batch_size=32"
    trained = judged(prepared("--fidelity", "fast", "--benchmark", "none"))
    assert any("each trial trains by them" in line for line in trained)
    with pytest.raises(UsageError, match="needs the search space nats-tss or nats-sss"):
        prepared("--archs-per-trial", "4", "--benchmark", "none")


def test_the_page_says_what_is_so() -> None:
    page = (Path(__file__).parents[2] / "docs" / "hyper_parameters.md").read_text(encoding="utf-8")
    forms = re.findall(r"\| `(\w+)=([^`]*)` \|.*\| `([^`]*)` \|", page)
    assert len(forms) == 6
    for name, written, made in forms:
        known = parse_settings(f"schedule=cosine/linear/constant,{name}={written}")
        kinds = {"Choice": Choice, "Interval": Interval, "Conditional": Conditional}
        assert known[name] == eval(made, kinds)


def test_the_scores_of_a_point_are_those_of_its_arch() -> None:
    inputs = np.random.default_rng(0).standard_normal((4, 3, 32, 32)).astype(np.float32)
    proxies = {name: PROXIES[name] for name in ("params", "synflow")}
    arch = NatsTss().archs[7]

    def scores(space: SearchSpace, of: str) -> Row:
        rows: list[Row] = []
        ProxyScores(space, 10, inputs, np.arange(4), proxies)(of, rows.append)
        return without_times(rows[0])

    assert scores(open_space(SPACE), f"{arch}@lr=0.1,batch_size=64") == scores(NatsTss(), arch)


def test_reports_look_at_the_arch(table: Path) -> None:
    benchmark = TableBenchmark(table, "cifar10")
    rows = found(benchmark, "random_search", 20)
    summary = summarize(
        rows,
        best_row=best_row(rows),
        proxies=[],
        benchmark=benchmark,
        wall_seconds=1,
        num_draws=20,
        space=NatsTss(),
    )
    arch = arch_of(summary["arch"])
    assert settings_of(summary["arch"])
    assert summary["index"] == NatsTss().index(arch)
    assert summary["accuracy"] == benchmark.test_acc(arch)
    graph = cell_graph(summary["arch"])
    assert graph is not None
    assert cell_text(summary["arch"]) == cell_text(arch)
    title = _cell_figure(summary["arch"], 7).texts[0].get_text()
    assert title.split("\n") == ["arch 7", arch, summary["arch"].removeprefix(arch)]
    joined, column, source, notes = Accuracies(str(table)).join(rows, "cifar10", "none")
    assert joined["accuracy"].tolist() == [benchmark.test_acc(arch_of(point)) for point in rows["arch"]]
    assert (column, source, notes) == ("test_acc", benchmark.acc_source, [])


@pytest.mark.slow(faster="test_a_search_over_trainings")
def test_a_whole_command(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that trains ends after two trials and goes on to four; a report and a training follow."""
    (tmp_path / "small_nets.py").write_text(
        "from nas_ray.spaces import NatsTss\n\n\ndef small():\n    return NatsTss(channels=4, cells=1)\n"
    )
    monkeypatch.chdir(tmp_path)
    space, recipe = (
        "small_nets:small@lr=log:0.01..1,epochs=1..2,weight_decay=0/0.0005",
        "epochs:2:data_fraction=0.2",
    )
    options = ["--space", space, "--fidelity", recipe, "--images", "digits", "--benchmark", table]
    folder = tmp_path / "run"
    small = ["--population", 2, "--driver", "process", "--num-samples", 2]
    done = call("rea", *options, *small, "--out", folder, environment={"COLUMNS": "120"})
    assert done.code == 0, done.err
    assert "settings   lr=log:0.01..1,epochs=1..2,weight_decay=0/0.0005: each trial trains" in done.out
    again = call("rea", "--resume", folder, "--num-samples", 4)
    assert again.code == 0, again.err

    rows = pd.read_parquet(folder / "results.parquet")
    points = rows["arch"].tolist()
    product = open_space(space)
    whole = training(ImageDataModule("digits").train_images, product, recipe)
    expected = simulate(searcher("rea", product, population=2, sample=10), whole, num_samples=4)
    kept = ["arch", "valid_acc", "train_loss", "epochs", "curve", "fitness"]
    pd.testing.assert_frame_equal(rows[kept], expected[kept], check_dtype=False)
    known = TableBenchmark(table, "cifar10")
    assert rows["test_acc"].tolist() == [known.test_acc(arch_of(point)) for point in points]
    best = json.loads((folder / "best.json").read_text())
    assert best["arch"] in points
    assert isinstance(best["rank"], int)
    assert {"cell.png", "search.png"} <= {path.name for path in folder.iterdir()}
    assert best["arch"] in write_report([folder]).read_text(encoding="utf-8").replace("&amp;", "&")
    args = parse_training("", [str(folder), "--formats", "none", "--num-threads", "1"])
    job = prepare_training(args)
    lr = settings_of(best["arch"])["lr"]
    assert (job.found.arch, job.found.space_name) == (arch_of(best["arch"]), "small_nets:small")
    assert (job.recipe.lr, job.recipe.epochs) == (float(lr), 200)
