from __future__ import annotations

import datetime
import math
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nas_ray.errors import UsageError
from nas_ray.safe_files.stored_numbers import StoredTable, row_numbers, to_number, with_numbers

NUMBERS = {
    "1200": 1200.0, "1.5": 1.5, " 1.5\t": 1.5, "+1": 1.0, "-1e-3": -0.001, "1E+05": 1e5, ".5": 0.5, "5.": 5.0,
    "94.37333333333333": 94.37333333333333, "1e-400": 0.0, "\xa01": 1.0,
}  # fmt: skip
UNDEFINED = [
    "",
    "  ",
    "nan",
    "NaN",
    "-nan",
    "NA",
    "N/A",
    "n/a",
    "#N/A",
    "null",
    "NULL",
    "None",
    "<NA>",
    "1.#IND",
]
INFINITE = {
    "inf": 1,
    "Inf": 1,
    "+inf": 1,
    "-inf": -1,
    "Infinity": 1,
    "-Infinity": -1,
    "1.#INF": 1,
    "-1.#INF": -1,
}
WRONG: list[Any] = [
    *("1,200.0", "1,200", "1'200.0", "1\u2019200.0", "1\u2009200.0", "1 200", "1\xa0200", "1_200", "1.200,5"),
    *("1,5", "\u22121.5", "\u20131.5", "--1", "+-1", "\uff11\uff12", "\u0661\u0662", "1\xbd", "\xb2", "50%"),
    *("50 %", "\u221e", "#DIV/0!", "#VALUE!", "#REF!", "-", ".", "e5", "?", "high", "1.5 s", "1.5e", "1e400"),
    *("-1e400", "0x1A", "0x1p3", "1e5.0", "True", "true", "2024-01-31", "12:30", "1/2", "NaT", "(1.5)", "$1"),
    *("1.5f", "=1+1", "infinite", "nano", True, False, np.True_, 10**400, Decimal("1e400"), 1j, [1.0]),
    *({"a": 1}, datetime.date(2024, 1, 31), b"x"),
]


def test_numbers() -> None:
    for text, number in NUMBERS.items():
        assert to_number(text) == number, text
    for value in (2, np.int64(2), np.float32(2), 2.0, Decimal(2), Fraction(2), b"2", np.uint8(2)):
        assert to_number(value) == 2.0
    assert to_number(2**53 + 1) == float(2**53)


def test_undefined() -> None:
    for value in (*UNDEFINED, None, pd.NA, math.nan, np.nan, Decimal("NaN")):
        assert math.isnan(to_number(value)), value
    for text, sign in INFINITE.items():
        assert to_number(text) == sign * math.inf, text
    assert to_number(Decimal("-Infinity")) == to_number(-math.inf) == -math.inf


@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_everything_else_is_an_error(value: Any) -> None:
    with pytest.raises(ValueError, match="it is no number|no float can hold it"):
        to_number(value)


def stored(folder: Path, text: str) -> StoredTable:
    (folder / "t.csv").write_text(text, encoding="utf-8")
    return StoredTable.read(folder / "t.csv")


def refused(action: Any, *args: Any, **options: Any) -> str:
    with pytest.raises(UsageError) as caught:
        action(*args, **options)
    return str(caught.value)


def test_a_wrong_cell_is_named_with_its_row(tmp_path: Path) -> None:
    table = stored(tmp_path, 'arch,x,y\n\na,1,1\n"b","1,200.0",x\n c ,nan,2\nd,#DIV/0!,3\n')
    assert refused(table.numbers, "x") == (
        f"The column 'x' of the table {tmp_path}/t.csv must hold numbers such as -1234.5 or 1e-3, got "
        "'1,200.0' for b in line 4 (the first of 2); correct the value."
    )
    assert refused(table.numbers, "y") == (
        f"The column 'y' of the table {tmp_path}/t.csv must hold numbers such as -1234.5 or 1e-3, got 'x' "
        "for b in line 4; correct the value."
    )
    assert table.archs() == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("cell", "said"),
    [("", "nan"), ("NaN", "nan"), ("-Inf", "-inf"), ("100.5", "100.5"), ("-1", "-1"), ("1.#INF", "inf"),
     ("high", "'high'"), ("\x1b[2J", r"'\x1b[2J'"), ("x" * 10**4, "'" + "x" * 79 + "...")],
)  # fmt: skip
def test_what_is_out_of_range_is_shown_as_it_stands(cell: str, said: str, tmp_path: Path) -> None:
    table = stored(tmp_path, f"arch,x\na,50\nb,{cell}\n")
    assert refused(table.numbers, "x", must="percentages", within=(0, 100)) == (
        f"The column 'x' of the table {tmp_path}/t.csv must hold percentages, got {said} for b in line 3; "
        "correct the value."
    )
    assert stored(tmp_path, "arch,x\na,0\nb,100\n").numbers("x", within=(0, 100)).tolist() == [0, 100]


def test_a_table_without_archs_names_the_line(tmp_path: Path) -> None:
    assert "got 'x' for line 3; correct" in refused(stored(tmp_path, "y\n1\nx\n").numbers, "y")


def test_a_column_must_be_one(tmp_path: Path) -> None:
    table = stored(tmp_path, "arch,x,x,y,arch\na,1,2,3,b\n")
    assert table.numbers("y").tolist() == [3.0]
    for name, read in (("x", lambda: table.numbers("x")), ("arch", table.archs)):
        assert refused(read) == (
            f"The table {tmp_path}/t.csv must have one column {name!r}, got 2; rename or remove the others."
        )


COLUMNS = {
    "text": pa.array(["1.5", " 2", "nan"]),
    "dictionary": pa.array(["1.5", "2", None]).dictionary_encode(),
    "numbers of a dictionary": pa.array([1.5, 2, None]).dictionary_encode(),
    "decimals": pa.array([Decimal("1.5"), Decimal(2), None], pa.decimal128(5, 1)),
    "half": pa.array([np.float16(1.5), np.float16(2), None], pa.float16()),
    "single": pa.array([1.5, 2, None], pa.float32()),
    "bytes": pa.array([b"1.5", b"2", b""]),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_numbers_of_any_column_of_parquet(kind: str, tmp_path: Path) -> None:
    pq.write_table(pa.table({"arch": ["a", "b", "c"], "x": COLUMNS[kind]}), tmp_path / "t.parquet")
    np.testing.assert_array_equal(StoredTable.read(tmp_path / "t.parquet").numbers("x"), [1.5, 2, np.nan])


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "int64[pyarrow]", "double[pyarrow]"])
def test_nullable_numbers(dtype: str) -> None:
    rows = pd.DataFrame({"x": pd.array([1, None], dtype=dtype)})
    np.testing.assert_array_equal(row_numbers(rows, "x", "it"), [1, np.nan])


OTHERS = {
    "truth values": (pa.array([None, True]), "True"),
    "dates": (pa.array([None, datetime.datetime(2024, 1, 31)]), "2024-01-31 00:00:00"),
    "durations": (pa.array([None, datetime.timedelta(1)]), "1 days 00:00:00"),
    "lists": (pa.array([None, [1.0]]), "[1.]"),
    "structs": (pa.array([None, {"a": 1.5}]), "{'a': 1.5}"),
    "mixed texts": (pa.array(["1", "1,2"]), "'1,2'"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_columns_of_parquet_are_no_numbers(kind: str, tmp_path: Path) -> None:
    column, said = OTHERS[kind]
    pq.write_table(pa.table({"arch": ["a", "b"], "x": column}), tmp_path / "t.parquet")
    text = refused(StoredTable.read(tmp_path / "t.parquet").numbers, "x")
    assert f"got {said} for b in row 2; correct the value." in text


def test_the_table_of_a_run() -> None:
    rows = pd.DataFrame(
        {"arch": ["a", "b"], "x": ["1", "2.5"], "error": ["e", None], "y": [None, None], "z": [1, 2]}
    )
    made = with_numbers(rows, "the table t")
    assert made["x"].tolist() == [1.0, 2.5]
    assert made[["arch", "error", "y", "z"]].equals(rows[["arch", "error", "y", "z"]])
    assert refused(with_numbers, rows.assign(x=["1", "1_0"]), "the table t") == (
        "The column 'x' of the table t must hold numbers such as -1234.5 or 1e-3, got '1_0' for b in row 2; "
        "correct the value."
    )
