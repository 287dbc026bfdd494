"""Searches side by side on several sets: what is compared, tables by hand, a study from end to end."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from scipy import stats

from nas_ray.commands.names import SEARCHERS, SPACES
from nas_ray.commands.options import check_options
from nas_ray.errors import UsageError
from nas_ray.search.contest import run as study
from nas_ray.search.contest.args import ContestArgs, StudyArgs, UnseenArgs
from nas_ray.search.contest.contestants import CONTESTANTS, Contestant
from nas_ray.search.contest.entry import Entry, carry_out, search_args
from nas_ray.search.contest.lines import lines_of, shown, to_latex, to_markdown
from nas_ray.search.contest.sets import sets_of
from nas_ray.search.experiment import prepare
from nas_ray.searchers.fitness import parse_fitness
from nas_ray.spaces.options import named_options
from nas_ray.training.recipes import parse_recipe
from tests.commands.next_line import next_commands

SET = "shapes,size=16,shapes=2,train=48,test=12"
TINY: dict[str, Any] = {
    "sets": (SET,),
    "space": "nats-tss:channels=2,cells=1",
    "searcher_args": ("population=3", "sample=2"),
    "num_samples": 4,
    "rivals": ("random", "lenet-5"),
    "batch_size": 8,
    "recipe": "epochs:1:batch_size=16",
    "seeds": 1,
    "num_cpus": 1,
}


def args(**changes: Any) -> UnseenArgs:
    return UnseenArgs(**{**TINY, **changes})


def made(given: StudyArgs) -> str:
    said = io.StringIO()
    assert study.run(given, Console(file=said, width=160)) == 0
    return said.getvalue()


def rows_in(out: Path) -> pd.DataFrame:
    rows = pd.read_parquet(out / "entries.parquet").sort_values(["contestant", "seed"], ignore_index=True)
    return rows[[name for name in rows if not str(name).endswith("_seconds")]]


def test_sets_by_their_names(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", x=np.zeros(1))
    for name in ("de", "en"):
        (tmp_path / f"{name}.txt").write_text("a", encoding="utf-8")
    found = sets_of(
        ("add", "shapes,seed=3", f"npz:{tmp_path}/mine.npz"), tmp_path / "mine.npz", tmp_path, size=16
    )
    assert [one.label for one in found] == [
        *("add", "shapes,seed=3", "mine", "tile,images=npz:mine.npz,size=32"),
        f"language,words={tmp_path.name}",
    ]  # fmt: skip
    assert [one.size for one in found] == [None, None, 16, None, None]
    assert {one.args.dataset for one in found} == {"own"}
    assert sets_of(["cifar10"])[0].args.dataset == "cifar10"


def test_a_search_is_what_the_command_search_is_given() -> None:
    (found, random, lenet) = args(proxies=("naswot",)).entrants()
    assert (found.name, random.name, lenet.name) == ("rea", "random", "lenet-5")
    entry = Entry(args(), Path("x"), args().image_sets()[0], found, 7, "p")
    given = search_args(entry)
    assert (given.seed, given.init_seed, given.batch_seed) == (7, 7, 7)
    assert (given.num_samples, given.time_budget_s, given.proxies) == (4, None, ("naswot",))
    assert str(prepare("search", given, given.searcher).fitness) == "naswot"
    assert args(searcher="random_search", searcher_args=()).entrants()[0].searcher_args == ()
    budgets = [study.budget(args(num_samples=count, time_budget_s=3.0)) for count in (4, None)]
    assert [study.budget(args()), *budgets] == ["4 evaluations", "4 evaluations or 3 s", "3 s"]


@pytest.mark.slow(faster="test_contestants_by_their_names")
def test_every_contestant_can_take_part() -> None:
    small = ContestArgs(sets=(SET,), batch_size=8, seeds=1)
    for contestant in small.entrants():
        study.check(Entry(small, Path("x"), small.image_sets()[0], contestant, 0, "p"))
    assert [one.name for one in small.entrants()] == list(CONTESTANTS)


def test_lines_by_hand() -> None:
    spent = {"evaluations": 5, "search_seconds": 1.0, "train_seconds": 2.0, "params": 10.0, "flops": 20.0}
    rows = pd.DataFrame(
        [
            {"contestant": "a", "set": "s", "test_acc": value, "guess": 25.0, **spent}
            for value in (50.0, 60.0, np.nan)
        ]
        + [{"contestant": "b", "set": "s", "test_acc": 40.0, "guess": 25.0, **spent, "evaluations": 0}]
    )
    lines = lines_of(rows)
    half = stats.t.ppf(0.975, 2) * np.std([50, 60, 25], ddof=1) / np.sqrt(3)
    line = lines.iloc[0]
    assert (line["mean"], line["failed"], line["seeds"]) == (45.0, 1, 3)
    assert (line["low"], line["high"]) == pytest.approx((45 - half, 45 + half))
    assert shown(lines.to_dict("records")[1]) == "40.0"
    text = to_markdown(lines, "title")
    assert f"| a | 45.0 (0.2 to {45 + half:.1f}) | 5 | 1 | 2 | 10 |" in text
    assert "| b | 40.0 | - | - | 2 | 10 |" in text
    assert text.endswith("An entry without a net counts as a guess. A guess: s 25.0.\n")
    assert "A guess: s 25.0." in to_latex(lines, "title", "name")
    assert r"\mathbf{45.0}" in to_latex(lines, "title", "name")


def test_a_study_from_end_to_end(tmp_path: Path) -> None:
    text = made(args(out=tmp_path))
    rows = rows_in(tmp_path)
    assert len(rows) == 3
    assert rows["error"].isna().all()
    assert set(rows[rows["contestant"] == "lenet-5"]["arch"]) == {"lenet-5"}
    assert rows.groupby("contestant")["evaluations"].max().to_dict() == {
        "rea": 4,
        "random": 0,
        "lenet-5": 0,
    }
    searches = sorted(tmp_path.glob("entries/*/*/search/best.json"))
    assert len(searches) == 1
    for name in ("contest.csv", "contest.md", "contest.tex", "contest.png", "entries.csv", "run.json"):
        assert (tmp_path / name).stat().st_size > 300
    assert not list(tmp_path.glob("entries/*/*/checkpoints"))
    assert next_commands(text)[0].startswith("nas-ray report ")
    assert "images     generated shapes,train=48,test=12,size=16,shapes=2, 48 training images" in text
    assert "A guess: shapes,size=16,shapes=2,train=48,test=12 33.3." in " ".join(text.split())


def test_what_was_killed_goes_on_to_equal_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    two: dict[str, Any] = {"rivals": (), "seeds": 2}
    made(args(out=tmp_path / "whole", **two))
    done: list[Entry] = []

    def cut(entry: Entry) -> dict[str, Any]:
        if done:
            carry_out(entry)  # and is killed in the middle of its search
            journal = entry.place / "search" / "journal.jsonl"
            journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:5]))
            raise KeyboardInterrupt
        done.append(entry)
        return carry_out(entry)

    with monkeypatch.context() as patched:
        patched.setattr(study, "carry_out", cut)
        assert study.run(args(out=tmp_path / "cut", **two), Console(quiet=True)) == 130
    assert len(rows_in(tmp_path / "cut")) == 1
    made(args(out=tmp_path / "cut", **two))
    pd.testing.assert_frame_equal(rows_in(tmp_path / "cut"), rows_in(tmp_path / "whole"))


def test_a_search_that_finds_nothing_counts_as_a_guess(tmp_path: Path) -> None:
    given = args(space="tests.search.test_contest:Nothing", searcher="random_search", searcher_args=(),
                 rivals=(), proxies=("naswot",), seeds=1, num_samples=2, out=tmp_path)  # fmt: skip
    text = made(given)
    assert "1 of 1 entries have no trained net." in text
    assert "the search found no net: " in text
    (line,) = pd.read_csv(tmp_path / "contest.csv").to_dict("records")
    assert (line["mean"], line["failed"]) == (pytest.approx(100 / 3), 1)


class Nothing:
    """A space whose nets cannot be built."""

    def sample(self, rng: np.random.Generator) -> str:
        return str(rng.integers(100))

    def build(self, arch: str, num_classes: int) -> Any:
        raise ValueError("no net")


@pytest.mark.slow(faster="test_a_study_from_end_to_end")
def test_results_do_not_depend_on_the_number_of_processes(tmp_path: Path) -> None:
    made(args(out=tmp_path / "one", seeds=2))
    made(args(out=tmp_path / "two", seeds=2, num_cpus=2))
    pd.testing.assert_frame_equal(rows_in(tmp_path / "one"), rows_in(tmp_path / "two"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sets": ()}, "A set of images must be named, got none; name one such as shapes."),
        ({"sets": ("add", "add")}, "The sets must all be different, got add add."),
        ({"sets": ("ad",)}, "Unknown images 'ad'."),
        ({"cifar": Path("no/such.npz")}, "images of generated:tile must be of a path that exists"),
        ({"num_samples": None}, "A search must have an end, got neither --num-samples nor --time-budget-s"),
        ({"rivals": ("rea",)}, "The rivals of rea must all be different, got rea."),
        ({"rivals": ("resnet-21",)}, "Unknown hand-designed net 'resnet-21'."),
        ({"recipe": "fas"}, "Unknown recipe 'fas'."),
        ({"fidelity": "fas"}, "Unknown recipe 'fas'."),
        ({"space": "nats-ts"}, "Unknown search space 'nats-ts'."),
        ({"searcher": "bogus"}, "Unknown searcher 'bogus'."),
    ],
)
def test_bad_input_is_one_sentence(given: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        study.run(args(out=tmp_path / "new", **given), Console(quiet=True))
    assert str(caught.value).startswith(message)
    assert not (tmp_path / "new").exists()


def test_contestants_by_their_names() -> None:
    given = ContestArgs(contestants=("resnet-20,rea-tss",))
    assert given.entrants() == [CONTESTANTS["resnet-20"], CONTESTANTS["rea-tss"]]
    for one in CONTESTANTS.values():
        assert isinstance(one, Contestant)
        assert named_options(one.space)[0] in SPACES
        assert one.searcher in ("", *SEARCHERS)
        check_options(one.searcher, one.searcher_args)
        parse_recipe(one.fidelity or "fast")
        parse_fitness(one.fitness, ["lcmnas", "valid_acc"])
    with pytest.raises(UsageError, match="Unknown contestant 'resnet-21'"):
        ContestArgs(contestants=("resnet-21",)).check()


def test_a_search_of_settings_too_leaves_its_arch(tmp_path: Path) -> None:
    given = args(
        space="nats-tss:channels=2,cells=1@lr=log:0.01..1",
        fidelity="epochs:1",
        rivals=(),
        num_samples=2,
        out=tmp_path / "unseen",
    )
    made(given)
    [found] = rows_in(tmp_path / "unseen")["arch"]
    assert "@" not in found
