"""What the archs of one-shot methods are worth."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from nas_ray.errors import UsageError
from nas_ray.search.one_shot.chance import no_better_than_a_guess, said_of_chance
from nas_ray.search.one_shot.worth import (
    ALL,
    RANDOM,
    lines_of,
    to_latex,
    to_markdown,
)
from nas_ray.text.corpus import open_corpus
from nas_ray.text.spec import parse_text
from nas_ray.training.text_task import TextTask


class Known:
    """Ten archs whose accuracy is their number times ten."""

    name, dataset, acc_column, acc_source = "table", "cifar10", "test_acc", "a table"
    archs = tuple("abcdefghij")

    def test_acc(self, arch: str) -> float:
        if arch not in self.archs:
            raise UsageError("unknown")
        return 10.0 * self.archs.index(arch)

    def all_test_acc(self) -> np.ndarray:
        return np.arange(10) * 10.0


def rows() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"arch": "darts1,seed=0", "found": "b", "found_best": "d", "valid_acc": 40.0, "skips": 6.0},
            {"arch": "darts1,seed=1", "found": "d", "found_best": "d", "valid_acc": 60.0, "skips": 2.0},
            {
                "arch": "darts1,lr=0.1,seed=0",
                "found": "j",
                "found_best": "j",
                "valid_acc": 50.0,
                "skips": 0.0,
            },
            {"arch": "darts1,lr=0.1,seed=1", "found": None, "error": "diverged"},
        ],
        columns=["arch", "found", "found_best", "valid_acc", "skips", "error"],
    )


def test_a_line_per_method_beside_random_archs() -> None:
    lines = lines_of(rows(), ["darts1", "darts1,lr=0.1"], Known(), ["a", "i"])  # type: ignore[arg-type]
    assert [line.method for line in lines] == ["darts1", "darts1,lr=0.1", RANDOM, ALL]
    first, changed, drawn, everything = lines
    assert (first.seeds, first.failed, first.mean, first.worst) == (2, 0, 20.0, 10.0)
    assert first.std == pytest.approx(np.std([10, 30], ddof=1))
    assert first.top == pytest.approx((90 + 70) / 2)  # nine and seven of ten are as good
    assert (first.best_epoch, first.supernet, first.skips) == (30.0, 50.0, 4.0)
    assert (changed.seeds, changed.failed, changed.mean) == (1, 1, 90.0)
    assert math.isnan(changed.std)
    assert (drawn.seeds, drawn.mean) == (2, 40.0)
    assert (everything.seeds, everything.mean, everything.worst) == (10, 45.0, 0.0)


def test_without_a_benchmark_there_is_what_the_search_says() -> None:
    (line,) = lines_of(rows(), ["darts1"], None, ["a"])
    assert (line.seeds, line.supernet) == (2, 50.0)
    assert math.isnan(line.mean)


def test_a_method_that_always_failed_has_a_line() -> None:
    lines = lines_of(rows()[3:].reset_index(drop=True), ["darts1,lr=0.1"], Known())  # type: ignore[arg-type]
    assert (lines[0].seeds, lines[0].failed) == (0, 1)
    assert "0 (1 failed)" in to_markdown(lines)


def test_tables_for_papers() -> None:
    lines = lines_of(rows(), ["darts1", "darts1,lr=0.1"], Known(), ["a", "i"])  # type: ignore[arg-type]
    markdown, latex = to_markdown(lines), to_latex(lines, "One & all")
    assert "| darts1 | 2 | 20.00 ± 14.14 |" in markdown
    assert r"darts1,lr=0.1 & $1$ & $\mathbf{90.00}$" in latex
    assert r"One \& all" in latex


class Parts:
    """What a run of one-shot searches says of its images."""

    class evaluator:
        num_classes = 10

        class parts:
            arch_part = range(400)


@pytest.mark.parametrize(("supernet", "said"), [(12.0, True), (16.0, False)])
def test_supernets_that_only_guess_are_told(supernet: float, said: bool) -> None:
    found = no_better_than_a_guess([supernet], Parts())  # type: ignore[arg-type]
    assert (found is not None) == said
    if found:
        assert "better than a guess: the best has 12.0 % on 400 images of 10 classes" in found


@pytest.mark.parametrize(("nats", "said"), [(5.5, False), (6.5, True), (math.nan, False)])
def test_supernets_that_know_no_more_of_a_text_than_frequencies_are_told(nats: float, said: bool) -> None:
    task = TextTask(open_corpus(parse_text("text")), scored=2, scored_seed=0)
    words, held = np.bincount(task.corpus.train, minlength=len(task.corpus.vocabulary)), task.corpus.valid
    logs = [math.log((words[token] + 1) / (words.sum() + len(words))) for token in held]
    guess = -sum(logs) / len(logs)
    assert task.corpus.frequency_nats == pytest.approx(guess)

    class Run:
        images = task
        evaluator = None

    table = pd.DataFrame({"valid_nats": [math.nan, nats + guess - 6]})
    found = said_of_chance([13.0], table, Run())  # type: ignore[arg-type]
    assert (found is not None) == said
    if found:
        assert f"frequencies have {math.exp(guess):,.0f}, so what was found is chance" in found
