from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from nas_ray.safe_files import tables
from nas_ray.safe_files.tables import read_lines, read_rows, read_table, table_ending

PACK = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def read(folder: Path, text: str, name: str = "t.csv", encoding: str = "utf-8") -> tuple[dict, list[int]]:
    (folder / name).write_bytes(text.encode(encoding))
    frame, lines = read_rows(folder / name)
    return frame.to_dict("list"), list(lines or [])


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("a.csv", ".csv"), ("A.CSV", ".csv"), ("a.Csv.GZ", ".csv.gz"), ("a.tsv", ".tsv"),
        ("a.csv.zip", ".csv.zip"),
        ("a.PARQUET", ".parquet"), ("a.pq", ".pq"), ("a.b.csv", ".csv"),
        ("a.txt", None), ("a.gz", None), ("csv", None), ("a.csv.tar", None), ("a.parquet.gz", None),
    ],
)  # fmt: skip
def test_the_ending_of_a_table(name: str, ending: str | None) -> None:
    assert table_ending(Path("x.csv") / name) == ending


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_cells_stay_text_whatever_wrote_them(encoding: str, end: str, mark: str, tmp_path: Path) -> None:
    text = end.join([f"arch{mark}x", f"é{mark}1.50", f"NA{mark}", ""])
    assert read(tmp_path, text, encoding=encoding) == ({"arch": ["é", "NA"], "x": ["1.50", ""]}, [2, 3])


@pytest.mark.parametrize(
    ("text", "held", "lines"),
    [
        ("\n \narch,x\n\na,1\n,\nb,2", {"arch": ["a", "b"], "x": ["1", "2"]}, [5, 7]),
        ('arch,x\n"a\nb",1\n"c,""d",2\n', {"arch": ["a\nb", 'c,"d'], "x": ["1", "2"]}, [3, 4]),
        ("arch,x\na,1,\nb,2,,\n", {"arch": ["a", "b"], "x": ["1", "2"]}, [2, 3]),
        ("arch,x\na\n", {"arch": ["a"], "x": [""]}, [2]),
        (",arch\n0,a\n", {"Unnamed: 0": ["0"], "arch": ["a"]}, [2]),
        (" arch , x\na,1\n", {"arch": ["a"], "x": ["1"]}, [2]),
        ("arch,x\n1,a,5\n2,b,6\n", {"Unnamed: 0": ["1", "2"], "arch": ["a", "b"], "x": ["5", "6"]}, [2, 3]),
        ("arch,x\n", {"arch": [], "x": []}, []),
        ("x;y,z\n1;2,3\n", {"x;y": ["1;2"], "z": ["3"]}, [2]),
    ],
    ids=[
        "blank lines", "quoted", "commas at the end", "cut short", "no name", "blanks", "numbered", "no rows",
        "no arch",
    ],
)  # fmt: skip
def test_shapes(text: str, held: dict, lines: list[int], tmp_path: Path) -> None:
    assert read(tmp_path, text) == (held, lines)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is empty"),
        ("\n\n", "it is empty"),
        ("\0\0\n", "it has null bytes, which no UTF-8 text has"),
        ("arch,x\na,1\nb,1,200.0\n", "line 3 has 3 cells, and the header 2: after '1' comes '200.0'"),
        ("arch,x\na,1,200.0\nb,2\n", "line 2 has 3 cells, and the header 2"),
        ('arch,x\na,1\nb,"2\n', "line 3 is no CSV: unexpected end of data"),
        ('arch,"x\n', "line 1 is no CSV: unexpected end of data"),
    ],
)
def test_what_is_no_table_says_where(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - compared below
        read(tmp_path, text)
    assert str(caught.value) == message


@pytest.mark.parametrize("ending", PACK)
def test_packed_texts(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"t.CSV{ending.upper()}"
    path.write_bytes(PACK[ending](b"arch,x\na,1\n"))
    assert read_table(path).to_dict("list") == {"arch": ["a"], "x": ["1"]}


def test_a_zip_holds_one_table(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("t.csv", "arch,x\na,1\n")
    assert read_table(path).to_dict("list") == {"arch": ["a"], "x": ["1"]}
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("u.csv", "arch,x\n")
    with pytest.raises(ValueError, match="a packed table must be the only file, and it holds 2"):
        read_table(path)


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz"])
def test_a_packed_text_that_has_no_room(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_BYTES", 10**6)
    path = tmp_path / f"t.csv{ending}"
    path.write_bytes(PACK[ending](b"arch,x\n" + b"a,1\n" * 10**6))
    with pytest.raises(ValueError, match="unpacked it has no room in memory"):
        read_table(path)


def test_many_rows_keep_their_order(tmp_path: Path) -> None:
    count = 2 * tables._CHUNK + 3
    held, lines = read(tmp_path, "arch,x\n" + "".join(f"a{i},{i}\n" for i in range(count)))
    assert held["x"] == list(map(str, range(count)))
    assert lines == list(range(2, count + 2))


@pytest.mark.parametrize("name", ["t.parquet", "T.PARQUET", "t.pq", "t.PQ"])
def test_an_index_called_arch_is_a_column(name: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"arch": ["a", "b"], "x": [1.0, 2.0]})
    frame.set_index("arch").to_parquet(tmp_path / name)
    pd.testing.assert_frame_equal(read_table(tmp_path / name), frame)
    frame.to_parquet(tmp_path / name, index=False)
    pd.testing.assert_frame_equal(read_table(tmp_path / name), frame)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_lines_of_a_text(encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_bytes("\n a\r\n\tb \n\n".encode(encoding))
    assert read_lines(tmp_path / "a.txt") == ["a", "b"]
    monkeypatch.setattr(tables, "MOST_CHARACTERS", 3)
    with pytest.raises(ValueError, match="it has no room in memory"):
        read_lines(tmp_path / "a.txt")
