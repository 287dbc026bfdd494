from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from nas_ray.report.magnitudes import shown_score
from nas_ray.report.summary import summarize
from nas_ray.report.summary_table import Course, print_summary
from nas_ray.searchers.fitness import RankSum, Single
from tests.report.toy import ARCHS, make_rows, toy


def summary(rows: pd.DataFrame, best: int | None = 0, **changed: Any) -> dict[str, Any]:
    row = None if best is None else {str(key): value for key, value in rows.iloc[best].items()}
    given = {"proxies": ["x"], "benchmark": toy(), "wall_seconds": 20.0, "num_draws": 2, **changed}
    content = summarize(rows, best_row=row, **given)
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    return content


def text(content: dict[str, Any], width: int = 100) -> str:
    stream = io.StringIO()
    print_summary(content, Console(file=stream, width=width))
    return stream.getvalue()


@pytest.mark.parametrize(("best", "rank"), [(0, 3), (1, 1), (2, 1), (3, 4)])
def test_equals_share_the_best_rank(best: int, rank: int) -> None:
    content = summary(make_rows([1.0, 2.0, 3.0, 4.0]), best)
    assert (content["rank"], content["num_archs"]) == (rank, 4)


def test_numbers_by_hand() -> None:
    rows = make_rows([1.0, 3.0, 1.0, np.nan], archs=(ARCHS[0], ARCHS[1], ARCHS[0], ARCHS[3]))
    rows["reused"] = [False, False, True, False]
    rows["error"] = [None, None, None, "RuntimeError: no\nTraceback"]
    content = summary(rows, 1, space=ARCHS)
    assert content == {
        "arch": ARCHS[1],
        "index": 1,
        "trial": 1,
        "fitness": 3.0,
        "scores": {"x": 3.0},
        "asked": None,
        "benchmark": "toy",
        "dataset": "cifar10",
        "acc_column": "test_acc",
        "acc_source": "toy table, test split",
        "accuracy": 94.0,
        "rank": 1,
        "num_archs": 4,
        "benchmark_best_arch": ARCHS[1],
        "benchmark_best_accuracy": 94.0,
        "num_draws": 2,
        "random_arch_accuracy": 72.0,
        # The maximum of two of {90, 94, 94, 10}: 94 in five of six pairs, 90 in one.
        "oracle_random_accuracy": pytest.approx((5 * 94 + 90) / 6),
        "evaluations": 4,
        "reused": 1,
        "failures": 1,
        "undefined": 0,
        "first_error": "trial 3: RuntimeError: no\nTraceback",
        "compute_seconds": 6.0,
        "search_seconds": 16.0,
        "wall_seconds": 20.0,
        "archs_per_second": 2 / 12,
    }
    printed = text(content)
    assert "1 evaluation failed; the first was trial 3: RuntimeError: no\n" in printed
    assert "1 reused, 1 failed" in printed


def test_what_is_printed() -> None:
    printed = text(summary(make_rows([1.0, 3.0]), 1, space=ARCHS))
    for expected in (
        f"Best arch (index 1)\n{ARCHS[1]}\n",
        "│  in  ├─ nor_conv_3x3 ─▶│ 1 ├─ nor_conv_3x3 ─▶│ 2 ├─ nor_conv_1x1 ─▶│ out │",
        "94.00 %  rank 1 of 4, top 25 %",
        "72.00 %  expected, without any information",
        "93.33 %  expected, if an oracle picks the best",
        "0.25 archs/s after the first",
        "test_acc: toy table, test split.",
    ):
        assert expected in printed
    assert "failed" not in printed
    assert max(map(len, text(summary(make_rows([1.0, 3.0]), 0), width=80).splitlines())) <= 80


def test_undefined_values_are_null_and_a_dash() -> None:
    content = summary(make_rows([1.0, np.nan]), 0, proxies=["x", "y", "z"], wall_seconds=float("nan"))
    assert content["scores"] == {"x": 1.0, "y": None, "z": None}
    assert (content["undefined"], content["failures"], content["wall_seconds"]) == (1, 0, None)
    printed = text(content)
    assert "1 evaluation without error had no finite fitness." in printed
    assert [line.split()[1] for line in printed.splitlines() if line.startswith(("y ", "z "))] == ["-", "-"]


def test_a_single_row_has_no_rate() -> None:
    content = summary(make_rows([1.0]))
    assert content["archs_per_second"] is None
    assert "archs/s" not in text(content)


def test_the_rate_leaves_out_all_rows_of_the_first_trial() -> None:
    rows = make_rows([1.0, 2.0, 3.0]).assign(finished_at=[4.0, 4.0, 6.0])
    assert summary(rows)["archs_per_second"] == 0.5


@pytest.mark.parametrize("best", [None, 0])
def test_a_search_in_which_everything_failed_is_one_sentence(best: int | None) -> None:
    rows = make_rows([np.nan, np.nan], error="ValueError: [bold]no\nTraceback")
    assert text(summary(rows, best)) == (
        "There is no best arch, since none of 2 evaluations succeeded; the first error was trial 0: \n"
        "ValueError: [bold]no\n"
    )


def test_nothing_found_without_any_error() -> None:
    assert "none of 2 evaluations had a finite fitness; no error" in text(
        summary(make_rows([np.nan, np.nan]), None)
    )
    assert text(summary(make_rows([]), None)) == "No evaluation finished, so there is no best arch.\n"


def test_without_all_accuracies_the_way_to_get_them_is_said() -> None:
    content = summary(make_rows([1.0, 3.0]), 1, benchmark=toy(listed=False))
    assert content["accuracy"] == 94.0
    assert content["rank"] is content["oracle_random_accuracy"] is content["num_archs"] is None
    printed = " ".join(text(content).split())
    assert "export the table with nas-ray export-nats to get them." in printed
    assert "rank 1" not in printed


def test_without_benchmark() -> None:
    content = summary(make_rows([1.0]), benchmark=None)
    assert content["accuracy"] is content["acc_source"] is content["rank"] is None
    assert "%" not in text(content)


def test_another_space_and_an_arch_outside_the_benchmark() -> None:
    content = summary(make_rows([1.0], archs=("8:16:[24]",)))
    assert (content["accuracy"], content["rank"], content["num_archs"]) == (None, None, 4)
    printed = text(content)
    assert printed.count("8:16:[24]") == 1
    assert "-  not in the benchmark" in printed


def test_plain_terminals_get_plain_characters() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    print_summary(summary(make_rows([1.0])), Console(file=stream, width=80))
    stream.seek(0)
    assert "|  in  +- nor_conv_3x3 ->| 1 +- skip_connect ->| 2 +- avg_pool_3x3 ->| out |" in stream.read()


def test_a_best_arch_has_its_ranks_and_no_number_of_a_relative_fitness() -> None:
    rows = make_rows([1.0, 3e49, 2.0, np.nan]).assign(y=[2.0, 1.0, 3.0, 4.0])
    fitness = RankSum(("x", "y"))
    rows["fitness"] = fitness(rows.to_dict("records"))
    content = summary(rows, 2, proxies=["x", "y", "params"])
    stream = io.StringIO()
    course = Course(rows, dict(rows.iloc[2]), fitness)
    print_summary(content, Console(file=stream, width=100), course, introduced=True)
    shown = [
        line.rstrip().split(maxsplit=2)
        for line in stream.getvalue().splitlines()
        if line.startswith(("x ", "y "))
    ]
    assert [line[1:] for line in shown] == [
        ["2", "rank 2 of 3 by this score"],
        ["3", "rank 2 of 4 by this score"],
    ]
    assert " ".join(stream.getvalue().split()).count("fitness best by rank sum of x and y") == 1
    assert "toy table" not in stream.getvalue()
    alone = io.StringIO()
    one = Course(rows, dict(rows.iloc[1]), Single(("x",)))
    print_summary(summary(rows, 1), Console(file=alone, width=100), one)
    assert "10^49.48" in alone.getvalue()
    assert "\nfitness" not in alone.getvalue()  # the score is the fitness
    assert "e+" not in alone.getvalue()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7.003e49, "10^49.85"), (-3.2e7 - 0.5, "-10^7.51"), (1_073_466.0, "1,073,466"), (0.0, "0"),
        (2e-7, "10^-6.70"), (104.8941, "104.894"), (None, "-"), (float("nan"), "-"), (float("-inf"), "-"),
    ],
)  # fmt: skip
def test_a_score_of_any_size_is_short(value: float | None, text: str) -> None:
    assert shown_score(value) == text
