from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from nas_ray.correlate.run import compare_all
from nas_ray.correlate.scoring import score_archs
from nas_ray.drivers.resources import Request, make_plan
from nas_ray.errors import UsageError
from nas_ray.evaluation.proxy_scores import ProxyScores
from nas_ray.proxies import PROXIES
from nas_ray.spaces import NatsTss
from nas_ray.spaces.choice import choose_archs
from tests.commands.next_line import next_commands

SPACE = NatsTss()


def test_archs_are_a_seeded_sample_without_repeats() -> None:
    archs = choose_archs(SPACE, 300, seed=1)
    assert archs == choose_archs(SPACE, 300, seed=1)
    assert archs != choose_archs(SPACE, 300, seed=2)
    assert len(set(archs)) == 300
    assert choose_archs(SPACE, 0, seed=1) == list(SPACE)


def test_strata_give_equal_numbers() -> None:
    accuracy = np.random.default_rng(0).normal(size=len(SPACE))
    chosen = choose_archs(SPACE, 200, seed=0, accuracy=accuracy)
    tenth = pd.qcut(pd.Series(accuracy, index=list(SPACE)), 10, labels=False)
    assert set(tenth.loc[chosen].value_counts()) == {20}


def test_too_many_archs() -> None:
    with pytest.raises(UsageError) as caught:
        choose_archs(SPACE, 20_000, seed=0)
    assert str(caught.value) == "--num-archs must be from 0 to 15625, the size of the space, got 20000."


def compare(folder: Path, **changes: object) -> dict[str, pd.DataFrame]:
    console = Console(file=io.StringIO(), width=200)
    arguments: dict[str, object] = {
        "proxies": ["naswot"], "datasets": ["cifar10"], "num_archs": 12, "stratified": False,
        "images": "digits",
        "benchmark": "nb201", "batch_size": 4, "seed": 0, "init_seed": 0, "batch_seed": 0, "resamples": 20,
        "num_cpus": 1, "num_gpus": 0, "score_as": None, "fitness": [],
    }  # fmt: skip
    everything = {**arguments, **changes, "out": folder, "console": console}
    made = compare_all(**everything)  # type: ignore[arg-type]
    best = "--proxies naswot" if everything["proxies"] == ["naswot"] else "--proxies params"
    words = f"{best} --dataset cifar10 --images digits"
    words += f" --space {changes['space']}" if "space" in changes else ""
    assert next_commands(console.file.getvalue())[1] == f"nas-ray search rea {words}"  # type: ignore[attr-defined]
    return made


def test_scores_are_compared_and_never_computed_twice(ray_started: None, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    calls.touch()

    def counted(net: object, inputs: object, targets: object) -> float:
        with calls.open("a") as file:
            file.write("x")
        return 1.0

    images = np.zeros((2, 3, 8, 8), dtype=np.float32)
    archs = choose_archs(SPACE, 5, seed=0)

    def score(archs: list[str], **proxies: object) -> pd.DataFrame:
        evaluator = ProxyScores(SPACE, 10, images, np.zeros(2, dtype=np.int64), proxies)  # type: ignore[arg-type]
        return score_archs(tmp_path / "scores", archs, evaluator, plan, console=Console(quiet=True))

    plan = make_plan(Request(num_cpus=1), 1, 0, "this machine")
    first = score(archs[:3], counted=counted)
    assert list(first["arch"]) == archs[:3]
    score(archs, counted=counted)
    table = score(archs, counted=counted, params=PROXIES["params"])
    assert len(calls.read_text()) == 5
    assert list(table["arch"]) == archs
    assert table[["counted", "params", "counted_seconds"]].notna().all().all()
    other = ProxyScores(SPACE, 10, images + 1, np.zeros(2, dtype=np.int64), {"params": PROXIES["params"]})
    with pytest.raises(UsageError, match="holds scores with minibatch sha256"):
        score_archs(tmp_path / "scores", archs, other, plan, console=Console(quiet=True))


def test_tables_and_pictures(ray_started: None, tmp_path: Path) -> None:
    tables = compare(tmp_path)
    assert set(tables["cifar10"]["score"]) == {"naswot", "params", "flops", "num_conv", "live_ops"}
    for name in (
        "scores-cifar10.parquet",
        "correlations-cifar10.md",
        "correlations-cifar10.tex",
        "ranks-cifar10.png",
        "correlations.png",
    ):
        assert (tmp_path / name).stat().st_size > 0


@pytest.mark.slow(faster="test_tables_and_pictures")
def test_combinations_are_judged_as_well(ray_started: None, tmp_path: Path) -> None:
    table = compare(tmp_path, fitness=["rank_sum:naswot,params"])["cifar10"]
    assert table["score"].tolist()[-1] == "rank_sum:naswot,params"
    scores = pd.read_parquet(tmp_path / "scores-cifar10.parquet")
    ranks = scores["naswot"].rank() + scores["params"].rank()
    assert (scores["rank_sum:naswot,params"] == ranks).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"datasets": []}, "--datasets must name at least one dataset."),
        ({"proxies": [",", ""]}, '--proxies must name at least one proxy, or "all".'),
        ({"proxies": ["all", "naswott"]}, "Unknown proxy 'naswott'. Did you mean 'naswot'?"),
        ({"seed": -1}, "--seed must be from 0 to 2^63 - 1, got -1."),
        ({"init_seed": 2**64}, "--init-seed must be from 0 to 2^63 - 1, got 18446744073709551616."),
        ({"resamples": 0}, "--resamples must be from 10 to 1,000,000, got 0."),
        ({"score_as": "cifar11"}, "Unknown dataset 'cifar11'. Did you mean 'cifar10'?"),
        ({"num_archs": 5}, "--num-archs must be at least 10 to compare ranks, got 5."),
        (
            {"benchmark": "none"},
            "Correlations need a benchmark; --benchmark none has no accuracy to compare with.",
        ),
        (
            {"fitness": ["rank_sum:naswot,snip"]},
            "Fitness 'rank_sum:naswot,snip': Unknown score 'snip'. Known: flops, live_ops, naswot, num_conv, "
            "params. Add it with --proxies.",
        ),
    ],
)
def test_bad_input(changes: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        compare(tmp_path, **changes)
    assert str(caught.value).startswith(message)


def test_an_unwritable_folder_is_told_before_ray_starts(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"/file/x must be writable, but: .*; choose another --out."):
        compare(tmp_path / "file" / "x")
