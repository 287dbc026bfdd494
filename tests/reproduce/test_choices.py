"""Choosing a score by validation accuracy."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from nas_ray.errors import UsageError
from nas_ray.reproduce.args import ChooseArgs
from nas_ray.reproduce.choices import KINDS, PRIORS, Choice, best, choices, judge
from nas_ray.reproduce.choose import choose, stored
from nas_ray.spaces import NatsTss
from nas_ray.spaces.nats_tss import to_ops
from tests.commands.next_line import next_commands
from tests.reproduce.synthetic import write_files

SPACE = NatsTss()
ARCHS = SPACE.archs[:400]


def test_every_combination_is_tried_once() -> None:
    made = list(choices(["a", "b", "c", "d"]))
    assert len(made) == len(set(made)) == len(PRIORS) * (4 + (6 + 4) * len(KINDS))
    assert str(made[0]) == "a"
    assert "rank_sum:b,d, skip on 0->3" in [str(choice) for choice in made]


def test_the_best_of_a_sum_by_hand() -> None:
    scores = {"a": np.array([4.0, 2.0, 3.0, 0.0]), "b": np.array([1.0, 10.0, 6.0, -np.inf])}
    everything = np.ones(4, dtype=bool)
    assert best(Choice(("a",), "single", "none"), scores, everything) == 0
    assert best(Choice(("a", "b"), "normalised_sum", "none"), scores, everything) == 1  # 1.1, 1.5, 1.35
    assert best(Choice(("a", "b"), "normalised_sum", "none"), scores, np.array([1, 0, 1, 1], bool)) == 2
    assert best(Choice(("b",), "single", "none"), {"b": np.array([np.nan, 1.0])}, np.ones(2, bool)) == 1


def test_the_choice_is_the_one_whose_archs_validate_best() -> None:
    rng = np.random.default_rng(0)
    valid = rng.random(len(ARCHS))
    sets = [{"noise": rng.random(len(ARCHS)), "good": valid} for _ in range(3)]
    lines, places = judge(ARCHS, sets, valid)
    assert lines["score"].iloc[0] == "good"
    assert lines["archs"].iloc[0] == 1
    assert next(iter(places.values())) == [int(np.argmax(valid))] * 3
    with_prior = dict(zip(map(str, places), places.values(), strict=True))["good, one skip, on 0->3"]
    cells = [to_ops(ARCHS[place]) for place in with_prior]
    assert all(ops.count("skip_connect") == 1 and ops[3] == "skip_connect" for ops in cells)
    assert valid[with_prior[0]] == max(
        value for arch, value in zip(ARCHS, valid, strict=True)
        if to_ops(arch).count("skip_connect") == 1 and to_ops(arch)[3] == "skip_connect"
    )  # fmt: skip


def test_the_experiment_tests_one_choice(tmp_path: Path) -> None:
    write_files(str(tmp_path))
    said = io.StringIO()
    shutil.copy(tmp_path / "scores.csv", tmp_path / "again.csv")
    files = (tmp_path / "scores.csv", tmp_path / "again.csv")
    args = ChooseArgs(scores_file=files, benchmark=str(tmp_path / "nats.csv"), out=tmp_path / "out")
    assert choose(args, Console(file=said, width=160)) == 0
    text = said.getvalue()
    assert next_commands(text)[0] == "nas-ray best-arch"
    assert "333 choices were tried" in text
    assert text.count("cifar100:") == 1
    assert (tmp_path / "out" / "choices.csv").is_file()


def test_parameters_are_in_the_order_of_those_of_the_nets(tmp_path: Path) -> None:
    write_files(str(tmp_path))
    some = np.random.default_rng(0).choice(len(SPACE), 20)
    counted = [sum(p.numel() for p in SPACE.build(SPACE[i], 10).parameters()) for i in some]
    ours = stored(tmp_path / "scores.csv", (), SPACE)["params"][some]
    assert np.corrcoef(ours, counted)[0, 1] == pytest.approx(1.0, abs=1e-3)
    assert (np.argsort(ours, kind="stable") == np.argsort(counted, kind="stable")).all()


def test_scores_are_needed() -> None:
    with pytest.raises(UsageError, match="got no --scores-file"):
        choose(ChooseArgs(), Console(file=io.StringIO()))
