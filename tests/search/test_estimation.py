"""One call says how archs are judged, and nothing is changed after it was made."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nas_ray.drivers.simulation import simulate
from nas_ray.errors import UsageError
from nas_ray.evaluation.base import ChunkEvaluator, EpochEvaluator, InFolder, Placed
from nas_ray.evaluation.proxy_scores import ProxyScores
from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.images.image_data import ImageDataModule
from nas_ray.proxies import PROXIES
from nas_ray.runs.folder import create_run
from nas_ray.search.arguments import SearchArgs
from nas_ray.search.defaults import CELLS, SIZES
from nas_ray.search.estimation import Estimation, estimate, in_run
from nas_ray.search.experiment import Experiment, prepare
from nas_ray.search.session import describe
from nas_ray.shared_weights.chunk_scores import ChunkScores
from nas_ray.shared_weights.size_scores import SizeScores
from nas_ray.spaces import NatsSss, NatsTss, SearchSpace

HERE = "tests.search.theirs"
SMALL = NatsTss(channels=4, cells=1)
TRAINED = {"fidelity": "epochs:2:data_fraction=0.1"}


def estimation(space: SearchSpace = SMALL, **options: Any) -> Estimation:
    args = SearchArgs(images="digits", batch_size=8, **options)
    return estimate(args, space, ImageDataModule("digits", dataset="cifar10", batch_size=8))


@pytest.mark.parametrize(
    ("space", "options", "kind", "scores"),
    [
        (SMALL, {}, ChunkScores, CELLS.proxies),
        (SMALL, {"own_weights": True}, ProxyScores, CELLS.proxies),
        (NatsTss(4, 1, "strided"), {}, ProxyScores, CELLS.proxies),
        (NatsSss(), {}, SizeScores, SIZES.proxies),
        (SMALL, {"archs_per_trial": 4}, ChunkScores, CELLS.proxies),
        (NatsSss(), {"archs_per_trial": 4}, SizeScores, SIZES.proxies),
        (SMALL, TRAINED, ShortTraining, ("valid_acc",)),
        (SMALL, {**TRAINED, "fitness": "mixed:naswot,valid_acc"}, ShortTraining, ("naswot", "valid_acc")),
    ],
)
def test_the_evaluator_that_the_arguments_ask_for(
    space: SearchSpace, options: dict[str, Any], kind: type, scores: tuple[str, ...]
) -> None:
    judged = estimation(space, **options)
    assert type(judged.evaluator) is kind
    assert judged.scores == scores
    assert [*judged.proxies] == [name for name in scores if name != "valid_acc"]
    assert isinstance(judged.evaluator, ChunkEvaluator) == (kind in (ChunkScores, SizeScores))
    assert isinstance(judged.evaluator, EpochEvaluator) == ("fidelity" in options)


def test_an_evaluator_in_its_place_is_another_one(tmp_path: Path) -> None:
    create_run(tmp_path, {"forms": {}})
    judged = estimation(**TRAINED, fitness="mixed:naswot,valid_acc").evaluator
    assert isinstance(judged, ShortTraining)
    placed = in_run(judged, "gpu", tmp_path)
    assert isinstance(placed, ShortTraining)
    assert isinstance(placed.scores, ChunkScores)
    assert isinstance(judged.scores, ChunkScores)
    assert (placed.accelerator, placed.scores.accelerator) == ("gpu", "gpu")
    assert placed.checkpoints == tmp_path.resolve() / "checkpoints"
    assert (judged.accelerator, judged.scores.accelerator, judged.checkpoints) == ("cpu", "cpu", None)
    assert placed.fingerprint == judged.fingerprint
    assert isinstance(placed, InFolder)
    assert placed.without_folder().checkpoints is None
    assert placed.checkpoints is not None


def test_what_was_computed_for_another_device_is_left_behind() -> None:
    scores = estimation(proxies=("params",)).evaluator
    assert isinstance(scores, ChunkScores)
    scores(SMALL[0], lambda row: None)
    made = {"_trainer", "_scorer"}
    assert made <= set(vars(scores))
    assert not made & set(vars(scores.placed("gpu", None)))
    assert made <= set(vars(scores))


@pytest.mark.parametrize("options", [{"own_weights": True}, {}, {"archs_per_trial": 4}])
def test_a_resumed_run_scores_in_the_forms_that_it_began_with(
    options: dict[str, Any], tmp_path: Path
) -> None:
    judged = estimation(proxies=("fisher",), **options).evaluator
    found = []
    for name, forms in (("now", {"forms": {"fisher": 2}}), ("before", {})):
        create_run(tmp_path / name, forms)
        placed: Any = in_run(judged, "cpu", tmp_path / name)
        found.append(placed.proxies["fisher"])
    assert found == [PROXIES["fisher"], PROXIES["fisher_channels"]]
    assert judged.proxies == {"fisher": PROXIES["fisher"]}  # type: ignore[attr-defined]


def theirs(name: str, **options: Any) -> Experiment:
    args = SearchArgs(
        space=f"{HERE}:{name}", images="digits", batch_size=8, proxies=("naswot,synflow",), **options
    )
    return prepare("random_search", args, "random_search")


def test_a_space_of_others_says_how_its_archs_are_scored_together(tmp_path: Path) -> None:
    experiment = theirs("Slices", archs_per_trial=4, init_seed=3)
    create_run(tmp_path, describe(experiment))
    assert json.loads((tmp_path / "run.json").read_text())["minibatch_sha256"] == experiment.batch_fingerprint
    evaluator = in_run(experiment.evaluator, "cpu", tmp_path)
    assert not isinstance(evaluator, Placed)
    assert evaluator is experiment.evaluator
    rows = simulate(experiment.searcher, evaluator, num_samples=12, archs_per_trial=4)
    assert rows["error"].isna().all()
    assert rows["together"].max() == 4
    assert (rows["naswot"] == rows["synflow"]).all()
    alone: list[Any] = []
    experiment.evaluator(rows["arch"][0], alone.append)
    assert alone[0]["naswot"] == rows["naswot"][0]
    widths = rows["arch"].astype(int).to_numpy()
    assert (np.diff(rows["naswot"].to_numpy()[np.argsort(widths, kind="stable")]) >= 0).all()


def test_such_a_space_is_scored_net_by_net_as_well() -> None:
    assert isinstance(theirs("Slices").evaluator, ProxyScores)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "Widths",
            f"--archs-per-trial 4 needs the search space nats-tss or nats-sss, got '{HERE}:Widths'; leave "
            "--archs-per-trial out. A space of your own may have a method together (docs/batched.md).",
        ),
        (
            "Broken",
            "The search space Broken could not say how its archs are scored together: KeyError: 'weights'; "
            "mend its method together, or leave --archs-per-trial out.",
        ),
        (
            "Nothing",
            "The method together of the search space Nothing must return an evaluator with the methods "
            "__call__ and rows, got NoneType.",
        ),
    ],
)
def test_a_space_that_cannot_is_refused(name: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        theirs(name, archs_per_trial=4)
    assert str(caught.value) == said


def test_a_cost_cannot_be_measured_on_parts_of_a_net() -> None:
    with pytest.raises(UsageError, match="cannot measure latency_ms; leave --archs-per-trial out"):
        estimation(archs_per_trial=4, proxies=("naswot,latency_ms",))


def test_estimation_needs_no_ray() -> None:
    code = "import nas_ray.search.estimation, sys; assert 'ray' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_experiment_asks_a_space_for_its_class() -> None:
    package = Path(__file__).parents[2] / "nas_ray"
    asking = [
        f"{path.name}: {line.strip()}"
        for room in ("search", "score_space", "best_arch")
        for path in (package / room).glob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if ("NatsTss" in line and ("isinstance(" in line or "type(" in line)) or "NatsSss" in line
    ]
    assert not asking
