"""What cannot be true is found, with the right reason, and what archs really gave is never blamed."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from nas_ray.errors import UsageError
from nas_ray.reproduce.audit.args import AuditArgs
from nas_ray.reproduce.audit.claims import Claim, Line, Measure, measure_of, read_lines_of
from nas_ray.reproduce.audit.reachable import largest_deviation, possible
from nas_ray.reproduce.audit.run import run
from nas_ray.reproduce.audit.verdicts import BLAMED, DOUBTFUL, FINE, IMPOSSIBLE, NOTE, REPEATED, judged
from tests.reproduce.synthetic import benchmark_table

TEST, VALID = Measure("cifar10", "test"), Measure("cifar10", "valid")
OTHER = Measure("cifar100", "test")
SHORT = Measure("cifar10", "valid", 12)


def world(archs: int = 400) -> dict[Measure, np.ndarray]:
    """Returns accuracies that go together, but not quite."""
    rng = np.random.default_rng(0)
    base = 95 - rng.gamma(1.5, 4, archs)
    return {
        TEST: base,
        VALID: base - 3 + rng.normal(0, 0.2, archs),
        OTHER: 0.9 * base - 15 + rng.normal(0, 0.8, archs),
    }


def claim(mean: float, deviation: float | None = None) -> Claim:
    return Claim(round(mean, 2), 0.005, None if deviation is None else round(deviation, 2), 0.005)


def line(claims: dict[Measure, Claim], *, name: str = "method", runs: int | None = None, **how: str) -> Line:
    return Line(name, 1, claims, runs, **how)


def verdicts(*lines: Line, known: dict[Measure, np.ndarray] | None = None) -> list[str]:
    return [found.verdict for found in judged(lines, world() if known is None else known)]


def test_what_archs_gave_is_never_blamed() -> None:
    known, rng = world(), np.random.default_rng(1)
    order = known[TEST].argsort()
    lines = []
    for runs in [1, 2, 3, 5, 20, 200] * 10:
        best = order[-rng.integers(1, len(order)) :]
        found = rng.choice(best, runs)
        claims = {
            measure: claim(
                values[found].mean(), values[found].std(ddof=rng.integers(0, 2)) if runs > 1 else None
            )
            for measure, values in known.items()
        }
        told = int(runs) if rng.random() < 0.5 else None
        lines.append(line(claims, name=f"{len(lines)}", runs=told, searched="once"))
    assert not {found.verdict for found in judged(lines, known)} & set(BLAMED)


def test_possible_by_hand() -> None:
    known = {TEST: np.array([10.0, 50.0, 90.0]), OTHER: np.array([0.0, 80.0, 40.0])}
    assert possible({TEST: claim(50)}, known, None, 0)
    assert possible({TEST: claim(50, 0)}, known, None, 0)
    assert possible({TEST: claim(50, 40)}, known, None, 0)  # half of the runs at either end
    assert possible({TEST: claim(50, 56.57)}, known, 2, 0)  # the same, divided by n - 1
    assert not possible({TEST: claim(50, 57)}, known, 2, 0)
    assert not possible({TEST: claim(50, 45)}, known, 100, 0)
    assert not possible({TEST: claim(30, 0)}, known, None, 0)
    assert possible({TEST: claim(30, 20)}, known, None, 0)
    assert possible({TEST: claim(50), OTHER: claim(20)}, known, None, 0)  # ends alone
    assert not possible({TEST: claim(50), OTHER: claim(81)}, known, None, 0)
    assert not possible({TEST: claim(50), OTHER: claim(19)}, known, None, 0)
    assert possible({TEST: claim(50), OTHER: claim(19)}, known, None, 1)


@pytest.mark.parametrize("runs", [2, 3, 10])
def test_the_largest_deviation_is_that_of_the_worst_runs(runs: int) -> None:
    rng = np.random.default_rng(runs)
    for _ in range(300):
        found = rng.choice([0.0, 30.0, 94.0, 100.0], runs, p=[0.1, 0.1, 0.3, 0.5])
        bound = largest_deviation(Claim(found.mean(), 0), np.array([0.0, 100.0]), runs, 0)
        assert found.std(ddof=1) <= bound + 1e-9
    one_bad = np.array([100.0] * (runs - 1) + [0.0])
    bound = largest_deviation(Claim(one_bad.mean(), 0), np.array([0.0, 100.0]), runs, 0)
    assert bound == pytest.approx(one_bad.std(ddof=1))


def test_values_beyond_the_space_and_what_they_may_be() -> None:
    known = {TEST: np.array([60.0, 94.0]), VALID: np.array([50.0, 91.0])}
    high, low = (judged([line({VALID: claim(mean)})], known)[0] for mean in (93.0, 49.0))
    assert high.verdict == low.verdict == IMPOSSIBLE
    assert "above the best of all 2 archs, 91.00, and may be cifar10 test" in high.reason
    assert "below the worst of all 2 archs, 50.00." in low.reason
    assert verdicts(line({VALID: claim(91.0)}), known=known) == [FINE]


def test_a_large_deviation_at_the_optimum() -> None:
    best = float(world()[TEST].max())
    [found] = judged([line({TEST: claim(best, 3.0)}, runs=500)], world())
    assert found.verdict == IMPOSSIBLE
    assert "too large a deviation; a mean of 500 runs so near to the best arch" in found.reason
    assert verdicts(line({TEST: claim(best - 3, 3.0)}, runs=500)) == [FINE]


def test_values_that_changed_places() -> None:
    known = world()
    place = known[TEST].argsort()[40]
    right = {measure: claim(values[place], 0.0) for measure, values in known.items()}
    assert verdicts(line(right, searched="once")) == [FINE]
    *_, found = judged([line({TEST: right[VALID], VALID: right[TEST]})], known)
    assert found.verdict == IMPOSSIBLE
    assert "cifar10 test and cifar10 valid may have changed places." in found.reason


def test_accuracies_of_several_searches_in_one_row() -> None:
    known = world()
    best, other = known[TEST].argmax(), known[TEST].argsort()[10]
    mixed = {TEST: claim(known[TEST][best], 0.0), OTHER: claim(known[OTHER][other], 0.0)}
    said = {how: verdicts(line(mixed, searched=how)) for how in ("once", "each", "unknown")}
    assert said == {"once": [IMPOSSIBLE], "each": [FINE], "unknown": [DOUBTFUL]}


def test_copies_are_named_and_equal_archs_are_not() -> None:
    known = world()
    found = known[TEST].argsort()[-30:]
    row = {measure: claim(values[found].mean(), values[found].std()) for measure, values in known.items()}
    copy = judged([line(row, name="first"), line(row, name="second")], known)
    assert [one.verdict for one in copy] == [FINE, REPEATED]
    assert copy[1].reason == "all of its values are those of row 1 (first), to every digit."
    one_arch = {measure: claim(values[found[0]], 0.0) for measure, values in known.items()}
    assert verdicts(line(one_arch), line(one_arch)) == [FINE, FINE]
    half = {TEST: row[TEST], OTHER: claim(60.0, 1.0)}
    assert REPEATED not in verdicts(line(row), line(half))
    assert verdicts(line(row), line({**row, OTHER: claim(60.0, 9.0)}))[-1] in (REPEATED, IMPOSSIBLE)


def test_better_than_validation_accuracy_can_choose_is_noted() -> None:
    known = {TEST: np.array([94.0, 95.0, 60.0]), VALID: np.array([91.0, 90.0, 50.0])}
    assert verdicts(line({TEST: claim(95.0)}), known=known) == [FINE, NOTE]
    assert verdicts(line({TEST: claim(94.0)}), known=known) == [FINE]


@pytest.mark.parametrize(
    ("column", "measure"),
    [
        ("cifar10", TEST),
        ("CIFAR-10 test", TEST),
        ("C10 valid", VALID),
        ("cifar10_valid_12", SHORT),
        ("cifar10_valid_acc_12", SHORT),
        ("CIFAR-100", OTHER),
        ("ImageNet16-120 valid", Measure("ImageNet16-120", "valid")),
        ("in16", Measure("ImageNet16-120", "test")),
        ("seconds", None),
        ("cifar1000", None),
    ],
)
def test_names_of_columns(column: str, measure: Measure | None) -> None:
    assert measure_of(column) == measure


def test_cells_and_columns_are_read(tmp_path: Path) -> None:
    table = tmp_path / "results.tsv"
    table.write_text(
        "method\tC10\tC10 std\tC100\truns\tsearched\tcost\n"
        "a\t93.940\t.4\t71.9±1.23\t500\tonce\t3\nb\t94 %\t-\t70.1 +- .5\t\teach\t4\nc\t\t\t70 (0.5)\t\t\t\n"
    )
    [a, b, c], unread = read_lines_of(table, 7, "unknown")
    assert unread == ["cost"]
    assert a == Line(
        "a", 1, {TEST: Claim(93.94, 0.0005, 0.4, 0.05), OTHER: Claim(71.9, 0.05, 1.23, 0.005)}, 500, "once"
    )
    assert b == Line("b", 2, {TEST: Claim(94, 0.5), OTHER: Claim(70.1, 0.05, 0.5, 0.05)}, 7, "each")
    assert c == Line("c", 3, {OTHER: Claim(70, 0.5, 0.5, 0.05)}, 7, "unknown")
    assert str(a.claims[TEST]) == "93.940 ± 0.400"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be read"),
        ("method,cifar10\n", "must have a row for each method"),
        ("method,seconds\na,3\n", "must have a column named after a dataset"),
        ("method,cifar10\na,good\n", "must read 93.94 or 93.94±0.40, got 'good' as cifar10 in row 1 (a)"),
        ("method,cifar10\na,194\n", "from 0 to 100 percent"),
        ("method,cifar10 err\na,6\n", "which is an error; subtract it from 100"),
        ("method,cifar10,C10\na,6,7\n", "which are both of cifar10 test"),
        ("method,cifar10,runs\na,6,many\n", "number of runs must be a whole number"),
        ("method,cifar10,searched\na,6,twice\n", "must be once, each or unknown, got 'twice'"),
    ],
)
def test_tables_that_cannot_be_read_are_told_why(tmp_path: Path, text: str, said: str) -> None:
    table = tmp_path / "results.csv"
    table.write_text(text)
    with pytest.raises(UsageError) as error:
        read_lines_of(table, None, "unknown")
    assert said in str(error.value)


def test_the_command(tmp_path: Path) -> None:
    everything = benchmark_table()
    everything.to_parquet(tmp_path / "nats.parquet")
    best = everything["cifar10_test_acc_200"].max()
    table = tmp_path / "results.csv"
    table.write_text(f"method,cifar10 valid,cifar10,note\nfine,,{best:.2f},x\ngood,{best:.2f},{best:.2f},\n")
    args = AuditArgs(table, benchmark=str(tmp_path / "nats.parquet"), out=tmp_path / "verdicts.csv")
    args.check()
    console = Console(file=StringIO(), width=200)
    assert run(args, console) == 1
    assert pd.read_csv(tmp_path / "verdicts.csv")["verdict"].tolist() == [FINE, IMPOSSIBLE]
    assert isinstance(console.file, StringIO)
    said = console.file.getvalue()
    assert "not read: note" in said
    assert "1 of 2 rows possible, 1 impossible." in said


def test_test_accuracy_needs_a_benchmark_that_has_it(tmp_path: Path) -> None:
    table = tmp_path / "results.csv"
    table.write_text("method,cifar10\nmine,94.36\n")
    with pytest.raises(
        UsageError, match="are test accuracy, and the benchmark nb201 holds validation accuracy"
    ):
        run(AuditArgs(table, benchmark="nb201"), Console(file=StringIO()))
    table.write_text("method,cifar10 valid\nmine,91.50\n")
    assert run(AuditArgs(table, benchmark="nb201"), Console(file=StringIO())) == 0
    with pytest.raises(UsageError, match="must be a file, got the folder"):
        run(AuditArgs(tmp_path), Console(file=StringIO()))


@pytest.mark.data
def test_planted_faults_among_real_rows(data_dir: Path, tmp_path: Path) -> None:
    real = pd.read_csv(data_dir / "nats_tss.csv.gz")
    names = [
        f"{one}_{split}_acc_200"
        for one in ("cifar10", "cifar100", "ImageNet16-120")
        for split in ("valid", "test")
    ]
    values, rng = real[names].to_numpy(), np.random.default_rng(0)
    rows: list[list[str]] = []
    for size in (1, 10, 100, 1_000):  # the best by validation accuracy of so many random archs
        drawn = rng.integers(len(values), size=(200, size))
        found = drawn[np.arange(200), values[drawn, 0].argmax(1)]
        rows.append(
            [f"{m:.2f}±{s:.2f}" for m, s in zip(values[found].mean(0), values[found].std(0), strict=True)]
        )
    true = len(rows)
    rows.append(["91.70±0.00", *rows[3][1:]])
    rows.append([rows[2][1], rows[2][0], *rows[2][2:]])
    rows.append(rows[1])
    rows.append([*rows[3][:1], "94.37±3.00", *rows[3][2:]])
    rows.append([*rows[3][:4], rows[0][4], rows[0][5]])
    table = pd.DataFrame(rows, columns=names)
    table.insert(0, "method", [f"m{number}" for number in range(len(rows))])
    table.to_csv(tmp_path / "table.csv", index=False)
    args = AuditArgs(
        tmp_path / "table.csv",
        benchmark=str(data_dir / "nats_tss.csv.gz"),
        searched="once",
        runs=200,
        out=tmp_path / "verdicts.csv",
    )
    assert run(args, Console(file=StringIO())) == 1
    verdict = (
        pd.read_csv(tmp_path / "verdicts.csv").query("verdict != 'note'").groupby("row")["verdict"].first()
    )
    assert verdict.tolist()[:true] == [FINE] * true
    assert verdict.tolist()[true:] == [IMPOSSIBLE, IMPOSSIBLE, REPEATED, IMPOSSIBLE, IMPOSSIBLE]


@pytest.mark.parametrize("kept", ["results.csv", "nats.csv"])
def test_verdicts_never_replace_what_was_read(kept: str, tmp_path: Path) -> None:
    benchmark_table().to_csv(tmp_path / "nats.csv", index=False)
    (tmp_path / "results.csv").write_text("method,cifar10\nfoo,94.0\n")
    before = (tmp_path / kept).read_bytes()
    args = AuditArgs(
        tmp_path / "results.csv", benchmark=str(tmp_path / "nats.csv"), out=tmp_path / "." / kept
    )
    with pytest.raises(UsageError, match="a file of their own, got --out"):
        run(args, Console(file=StringIO()))
    assert (tmp_path / kept).read_bytes() == before


@pytest.mark.parametrize("column", ["cifar10_test_12", "cifar10 after 12 epochs"])
def test_a_test_accuracy_of_a_short_schedule_is_not_held_against_that_of_the_long_one(
    column: str, tmp_path: Path
) -> None:
    benchmark_table().to_parquet(tmp_path / "nats.parquet")
    (tmp_path / "results.csv").write_text(f"method,{column}\nfoo,80.0\n")
    args = AuditArgs(tmp_path / "results.csv", benchmark=str(tmp_path / "nats.parquet"))
    with pytest.raises(UsageError, match="longest schedule alone, got a column of cifar10 test after 12 ep"):
        run(args, Console(file=StringIO()))


@pytest.mark.parametrize(
    "text", ["cifar10\n94\n", "cifar10 top-1\n94\n", "method;cifar10\nfoo;94\n", "m\tc10\nf\t94"]
)
def test_what_parts_columns_is_no_letter_of_a_name(text: str, tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text(text)
    lines, unread = read_lines_of(tmp_path / "results.csv", None, "unknown")
    assert [list(one.claims) for one in lines] == [[TEST]]
    assert not unread


def test_a_column_with_a_number_without_end_has_no_schedule() -> None:
    assert measure_of("cifar10 valid " + "9" * 5000) == VALID
