"""What a search computes and maximises where nothing is said, and that saying something means what it did."""

from __future__ import annotations

import inspect
import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from nas_ray.errors import UsageError
from nas_ray.runs.folder import create_run
from nas_ray.search.argument_groups import JudgeArgs
from nas_ray.search.arguments import AnySearchArgs, ReaArgs, SearchArgs, SkipReaArgs, parse
from nas_ray.search.defaults import CELLS, DEFAULTS, OTHERS, OWN_IMAGES, SIZES, default_of, said_out
from nas_ray.search.experiment import introduce, prepare
from nas_ray.search.session import describe, run
from nas_ray.search.two_stage import Halving
from nas_ray.search.two_stage_args import TwoStageArgs
from nas_ray.shared_weights.together import has_together
from nas_ray.spaces import HandDesigned, NatsSss, NatsTss, SearchSpace
from nas_ray.spaces.filtered import FilteredSpace
from nas_ray.spaces.named import make_space
from tests.search.theirs import Slices

TSS = NatsTss()
FEW: dict[str, Any] = {"images": "digits", "batch_size": 8, "benchmark": "none"}


class Derived(NatsTss):
    """A space of someone else whose nets may know no skips."""


@pytest.mark.parametrize(
    ("space", "default"),
    [
        (TSS, CELLS),
        (NatsTss(channels=4, cells=1, stem="strided"), CELLS),
        (FilteredSpace(TSS, lambda arch: "none" not in arch), CELLS),
        (make_space("nats-tss@lr=log:0.01..1"), CELLS),
        (NatsSss(), SIZES),
        (HandDesigned(), OTHERS),
        (Derived(), OTHERS),
        (Slices(), OTHERS),
    ],
)
def test_the_default_of_a_space(space: SearchSpace, default: object) -> None:
    assert default_of(space, SearchArgs()) is default


def test_images_of_ones_own_are_looked_at(tmp_path: Path) -> None:
    args = ReaArgs(images=f"folder:{tmp_path}")
    assert args.dataset == "own"
    assert default_of(TSS, args) is OWN_IMAGES
    assert said_out(args, TSS).fitness == OWN_IMAGES.fitness
    assert default_of(NatsSss(), args) is OTHERS


OWN = ("--proxies", "params,num_conv")
SAID = [
    ((), CELLS.proxies, CELLS.fitness),
    (("--fitness", "default"), CELLS.proxies, CELLS.fitness),
    (("--proxies", "default", "--fitness", "default"), CELLS.proxies, CELLS.fitness),
    (OWN, ("params,num_conv",), None),
    ((*OWN, "--fitness", "params"), ("params,num_conv",), "params"),
    ((*OWN, "--fitness", "default"), ("params", "num_conv", *CELLS.proxies), CELLS.fitness),
    (("--proxies", "default", "params"), (*CELLS.proxies, "params"), None),
    (("--fitness", "rank_sum:naswot,synflow"), ("naswot", "synflow"), "rank_sum:naswot,synflow"),
    (("--fitness", "synflow"), ("synflow",), "synflow"),
    (("--fitness", "rank_sum"), CELLS.proxies, "rank_sum"),
    (("--fitness", "nonsense"), CELLS.proxies, "nonsense"),
    (("--fidelity", "epochs:1"), CELLS.proxies, None),
    (
        ("--fidelity", "epochs:1", "--fitness", "mixed:params,valid_acc"),
        ("params",),
        "mixed:params,valid_acc",
    ),
]


@pytest.mark.parametrize(("given", "proxies", "fitness"), SAID)
def test_what_is_said_and_what_it_means(
    given: tuple[str, ...], proxies: tuple[str, ...], fitness: str | None
) -> None:
    args = said_out(parse(ReaArgs, "rea", "", given), TSS)
    assert (args.proxies, args.fitness) == (proxies, fitness)
    assert said_out(args, TSS) == args


def test_proxies_without_a_fitness_are_a_rank_sum_as_ever() -> None:
    args = SearchArgs(proxies=("params,num_conv",), **FEW)
    assert str(prepare("random_search", args, "random_search").fitness) == "rank sum of params and num_conv"


def test_the_filter_on_skips_is_searched_as_published() -> None:
    experiment = prepare("skip_rea", SkipReaArgs(**FEW), "skip_rea")
    assert str(experiment.fitness) == "rank sum of naswot and synflow"


def test_a_name_that_nobody_has_is_refused() -> None:
    with pytest.raises(UsageError, match="Unknown fitness 'nonsense'"):
        prepare("rea", ReaArgs(fitness="nonsense", **FEW), "rea")


def test_help_says_what_the_default_is() -> None:
    text = " ".join(inspect.getsource(JudgeArgs).split())
    assert f"{CELLS.fitness} on nats-tss, {OWN_IMAGES.fitness} there on images of your own" in text
    assert f"{SIZES.fitness} on nats-sss, and {OTHERS.fitness} on all others" in text
    assert [*DEFAULTS] == ["nats-tss", "nats-sss"]


@pytest.mark.parametrize("space", ["nats-tss", "nats-sss"])
def test_a_space_with_a_supernet_can_score_its_default_together(space: str) -> None:
    assert has_together(make_space(space))
    prepare("rea", ReaArgs(space=space, archs_per_trial=4, **FEW), "rea")


@pytest.mark.parametrize(
    ("space", "default"), [("nats-tss", CELLS), ("nats-sss", SIZES), ("tests.search.theirs:Slices", OTHERS)]
)
def test_run_json_and_the_first_lines_name_it(space: str, default: Any) -> None:
    said = io.StringIO()
    experiment = prepare("random_search", SearchArgs(space=space, **FEW), "random_search")
    kept = describe(experiment)
    assert (kept["args"]["proxies"], kept["args"]["fitness"]) == (default.proxies, default.fitness)
    assert kept["scores"] == default.proxies
    introduce(experiment, "here", "runs/x", Console(file=said, width=300))
    assert f"(the default for {default.where})" in said.getvalue()


def test_two_stages_keep_it_as_well() -> None:
    halving = Halving(TwoStageArgs(**FEW))
    assert halving.info()["args"]["fitness"] == CELLS.fitness
    assert halving.info()["args"]["proxies"] == CELLS.proxies


def search(folder: Path, **changes: Any) -> dict[str, Any]:
    args = AnySearchArgs(searcher="rea", driver="process", num_samples=3, out=folder, **FEW)
    out = Console(file=io.StringIO())
    made = folder / "run.json"
    if made.exists():
        args = parse(AnySearchArgs, "search", "", ["--resume", str(folder), "--num-samples", "5"])
    assert run("search", args, "rea", out) == 0
    kept: dict[str, Any] = json.loads(made.read_text())
    return kept


def test_a_run_goes_on_with_what_it_began_with(tmp_path: Path) -> None:
    """One that an earlier version made, too: its fitness was not written down, and its proxies were."""
    folder = tmp_path / "run"
    first = search(folder)["args"]
    assert (first["proxies"], first["fitness"]) == ([*CELLS.proxies], CELLS.fitness)
    assert search(folder)["args"] | {"num_samples": 3} == first


def test_a_run_of_before_goes_on_with_a_rank_sum(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    args = AnySearchArgs(
        searcher="rea", driver="process", num_samples=3, out=folder, proxies=("naswot", "synflow"), **FEW
    )
    assert run("search", args, "rea", Console(file=io.StringIO())) == 0
    before = json.loads((folder / "run.json").read_text())["args"]
    assert before["fitness"] is None
    again = search(folder)["args"]
    assert again["fitness"] is None
    assert again["proxies"] == ["naswot", "synflow"]
    assert len((folder / "results.csv").read_text().splitlines()) == 6


@pytest.mark.parametrize(
    ("kept", "meant"),
    [
        ({"num_samples": None}, 150),
        ({"num_samples": None, "time_budget_s": 5.0}, None),
        ({"num_samples": 7}, 7),
        ({"num_samples": None, "own_weights": False}, None),
    ],
)
def test_a_run_of_before_goes_on_to_the_evaluations_that_it_meant(
    kept: dict[str, Any], meant: int | None, tmp_path: Path
) -> None:
    create_run(tmp_path / "run", {"experiment": "rea", "args": kept})
    assert parse(ReaArgs, "rea", "", ["--resume", str(tmp_path / "run")]).num_samples == meant
