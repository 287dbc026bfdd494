"""Tables: benchmarks and stored scores."""

from __future__ import annotations

import gzip
import os
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nas_ray.benchmarks import open_benchmark
from nas_ray.best_arch.args import BestArgs
from nas_ray.best_arch.run import earlier_rows
from nas_ray.reproduce.audit.claims import read_lines_of
from nas_ray.runs.record import Record
from nas_ray.score_space.arch_list import wanted_archs
from nas_ray.searchers.cheap_score import ScoreTable
from nas_ray.spaces import NatsTss
from tests.safe_files.cases import GARBAGE, Case, case

ARCHS = list(NatsTss())
Change = Callable[[pd.DataFrame], pd.DataFrame]


@cache
def whole() -> pd.DataFrame:
    """Returns a table that is accepted."""
    return pd.DataFrame({"arch": ARCHS, "cifar10_test_acc_200": [50.0 + i % 40 for i in range(len(ARCHS))]})


def benchmark(path: Path) -> Case:
    return Case(lambda: open_benchmark(str(path), "cifar10"), str(path))


def scores(path: Path) -> Case:
    return Case(lambda: ScoreTable(path, "x")(ARCHS[:3]), str(path))


def arch_list(path: Path) -> Case:
    return Case(lambda: wanted_archs(NatsTss(), path, 0, seed=0), str(path))


def results(path: Path) -> Case:
    return Case(lambda: read_lines_of(path, None, "unknown"), str(path))


def of_bytes(title: str, name: str, content: bytes, reader: Callable[[Path], Case]) -> None:
    @case(f"{title}, {name}")
    def make(folder: Path) -> Case:
        (folder / name).write_bytes(content)
        return reader(folder / name)


def changed(title: str, change: Change) -> None:
    @case(f"benchmark table: {title}")
    def make(folder: Path) -> Case:
        change(whole()).to_parquet(folder / "table.parquet", index=False)
        return benchmark(folder / "table.parquet")


for kind, reader in (("benchmark table", benchmark), ("scores", scores)):
    for ending in ("csv", "csv.gz", "parquet"):
        of_bytes(f"{kind}: empty", f"empty.{ending}", b"", reader)
        of_bytes(f"{kind}: garbage", f"garbage.{ending}", GARBAGE, reader)
    of_bytes(f"{kind}: UTF-16", "wide.csv", "arch,x\na,1\n".encode("utf-16"), reader)
    of_bytes(f"{kind}: null bytes", "null.csv", b"\0" * 999, reader)
    of_bytes(f"{kind}: cut short", "cut.csv.gz", gzip.compress(b"arch,x\n" + b"a,1\n" * 999)[:-9], reader)

changed("arch and accuracy swapped", lambda t: t.set_axis(["cifar10_test_acc_200", "arch"], axis=1))
changed("no column of archs", lambda t: t.drop(columns="arch"))
changed("no accuracy", lambda t: t[["arch"]])
changed("a missing arch", lambda t: t[1:])
changed("an arch twice", lambda t: pd.concat([t, t[:1]]))
changed("archs that are lists", lambda t: t.assign(arch=[[arch] for arch in t["arch"]]))
changed("NaN", lambda t: t.assign(cifar10_test_acc_200=t["cifar10_test_acc_200"].where(t.index > 0)))
changed("infinity", lambda t: t.assign(cifar10_test_acc_200=float("inf")))
changed("fractions", lambda t: t.assign(cifar10_test_acc_200=t["cifar10_test_acc_200"] / 100))
changed("text", lambda t: t.assign(cifar10_test_acc_200="high"))
changed("a foreign arch of a path", lambda t: t.assign(arch=["../../etc/passwd", *t["arch"][1:]]))


changed("thousands", lambda t: t.assign(cifar10_test_acc_200="1,200.0"))
changed("truth values", lambda t: t.assign(cifar10_test_acc_200=True))
changed("dates", lambda t: t.assign(cifar10_test_acc_200=pd.Timestamp(0)))
changed("text that a terminal obeys", lambda t: t.assign(cifar10_test_acc_200="\x1b[2J" * 10**3))

for title, cells in (
    ("a number too large", "1e400"),
    ("an error of a spreadsheet", "#DIV/0!"),
    ("digits of another script", "\u0661"),
    ("a separator that cuts the row", "1,200"),
    ("an open quote", '"1'),
):
    of_bytes(f"scores: {title}", "cells.csv", f"arch,x\n{ARCHS[0]},1\n{ARCHS[1]},{cells}\n".encode(), scores)


@case("benchmark table: cut Parquet")
def _(folder: Path) -> Case:
    path = folder / "cut.parquet"
    whole().to_parquet(path)
    path.write_bytes(path.read_bytes()[:-100])
    return benchmark(path)


@case("scores: Parquet whose footer declares what is not there")
def _(folder: Path) -> Case:
    path = folder / "footer.parquet"
    pq.write_table(pa.table({"arch": ["a"], "x": [1.0]}), path)
    content = path.read_bytes()
    path.write_bytes(content[:-8] + (2**31 - 1).to_bytes(4, "little") + content[-4:])
    return scores(path)


@case("scores: a column of objects")
def _(folder: Path) -> Case:
    pd.DataFrame({"arch": ARCHS[:3], "x": [["a"], ["b"], ["c"]]}).to_parquet(folder / "lists.parquet")
    return scores(folder / "lists.parquet")


@case("scores: all undefined")
def _(folder: Path) -> Case:
    pd.DataFrame({"arch": ARCHS[:3], "x": [float("nan")] * 3}).to_parquet(folder / "nan.parquet")
    return scores(folder / "nan.parquet")


@case("benchmark table: a folder")
def _(folder: Path) -> Case:
    (folder / "table.csv").mkdir()
    return benchmark(folder / "table.csv")


@case("benchmark table: a link to itself")
def _(folder: Path) -> Case:
    (folder / "loop.csv").symlink_to(folder / "loop.csv")
    return benchmark(folder / "loop.csv")


@case("benchmark table: a device")
def _(folder: Path) -> Case:
    (folder / "endless.csv").symlink_to("/dev/zero")
    return benchmark(folder / "endless.csv")


BILLION = 1_000_000_000


@cache
def bomb() -> bytes:
    """Returns a Parquet file of kilobytes with a billion rows."""
    rows = 10_000_000
    few = pa.DictionaryArray.from_arrays(pa.array(bytes(rows), pa.int8()), ["a"])
    table = pa.table({"arch": few, "x": pa.nulls(rows, pa.float64())})
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, table.schema, compression="zstd") as writer:
        for _ in range(BILLION // rows):
            writer.write_table(table, row_group_size=rows)
    return bytes(sink.getvalue())


@cache
def gzip_bomb() -> bytes:
    """Returns a CSV that unpacks to 2.5 GB: members one after another are one file."""
    member = gzip.compress(b"a,1\n" * 2_500_000)
    return gzip.compress(b"arch,x\n") + member * 250


for kind, reader in (("benchmark table", benchmark), ("scores", scores), ("list of archs", arch_list),
                     ("results", results)):  # fmt: skip

    @case(f"{kind}: a billion rows in a small Parquet file")
    def _(folder: Path, reader: Callable[[Path], Case] = reader) -> Case:
        (folder / "bomb.parquet").write_bytes(bomb())
        return reader(folder / "bomb.parquet")


@case("scores: a CSV that unpacks without an end")
def _(folder: Path) -> Case:
    (folder / "bomb.csv.gz").write_bytes(gzip_bomb())
    return scores(folder / "bomb.csv.gz")


@case("scores: a pipe that nobody writes")
def _(folder: Path) -> Case:
    os.mkfifo(folder / "scores.csv")
    return scores(folder / "scores.csv")


@case("scores: a zip of several tables")
def _(folder: Path) -> Case:
    with zipfile.ZipFile(folder / "two.csv.zip", "w") as archive:
        archive.writestr("a.csv", "arch,x\n")
        archive.writestr("../b.csv", "arch,x\n")
    return scores(folder / "two.csv.zip")


for ending in ("csv", "parquet", "txt"):
    of_bytes("list of archs: garbage", f"archs.{ending}", GARBAGE, arch_list)
of_bytes("list of archs: a foreign arch", "foreign.txt", b"../../etc/passwd\n", arch_list)


@case("best archs: a table that is garbage")
def _(folder: Path) -> Case:
    args = BestArgs(out=folder)
    Record(folder, "best_arch", args).begin()
    (folder / "best.parquet").write_bytes(GARBAGE)
    return Case(lambda: earlier_rows(folder, args), str(folder / "best.parquet"))
