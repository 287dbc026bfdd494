from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nas_ray.errors import UsageError
from nas_ray.score_space.chunk_store import ChunkStore, open_store

IDENTITY = {"experiment": "score_space", "space": "nats-tss", "init_seed": 0}


def table(archs: str, **scores: float) -> pd.DataFrame:
    return pd.DataFrame({"arch": list(archs), **scores, "seconds": 0.1, "error": None})


def add(folder: Path, *tables: pd.DataFrame) -> None:
    with open_store(folder, IDENTITY, print) as store:
        for place, chunk in enumerate(tables):
            store.add(place, chunk)


def columns(*names: str) -> dict[str, list[str]]:
    return {name: [name] for name in names}


def test_scores_come_back_and_nothing_is_missing(tmp_path: Path) -> None:
    add(tmp_path, table("ab", x=1.0), table("c", x=np.nan))
    with open_store(tmp_path, IDENTITY, print) as store:
        assert store.missing("abcd", columns("x")) == {"d": ("x",)}
        assert store.missing("abcd", columns("x"), retry=True) == {"c": ("x",), "d": ("x",)}
        assert store.missing("ab", columns("x", "y")) == {"a": ("y",), "b": ("y",)}
        assert store.table("ba", ["x"])["x"].tolist() == [1.0, 1.0]


def test_a_damaged_file_is_set_aside(tmp_path: Path) -> None:
    add(tmp_path, table("ab", x=1.0), table("cd", x=2.0))
    first, second = sorted((tmp_path / "chunks").glob("*.parquet"))
    first.write_bytes(first.read_bytes()[:50])
    second.rename(second.with_name("000001-0123456789abcdef.parquet"))  # of another run
    said: list[str] = []
    with open_store(tmp_path, IDENTITY, said.append) as store:
        assert set(store.missing("abcd", columns("x"))) == set("abcd")
    assert len(said) == 2
    assert all("cannot be used" in sentence and "scored again" in sentence for sentence in said)
    assert len(list((tmp_path / "chunks").glob("*.damaged"))) == 2


def test_other_settings_are_refused(tmp_path: Path) -> None:
    add(tmp_path, table("a", x=1.0))
    with pytest.raises(UsageError, match="holds scores with init_seed 0, but now it is 1; choose"):
        open_store(tmp_path, {**IDENTITY, "init_seed": 1}, print).__enter__()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with open_store(tmp_path, IDENTITY, print) as store:
        assert isinstance(store, ChunkStore)
        with pytest.raises(UsageError, match="Another process is writing the folder"):
            open_store(tmp_path, IDENTITY, print).__enter__()


def test_an_unwritable_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="must be writable"):
        open_store(tmp_path / "file", IDENTITY, print).__enter__()


def kept(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "run.json").read_text())
    return found


def test_a_folder_says_its_dataset_and_keeps_to_it(tmp_path: Path) -> None:
    with open_store(tmp_path, IDENTITY, print, dataset="cifar10") as store:
        store.add(0, table("ab", x=1.0))
        store.record(status="finished")
    assert kept(tmp_path)["dataset"] == "cifar10"
    with open_store(tmp_path, IDENTITY, pytest.fail, dataset="cifar10") as store:
        assert store.missing("ab", columns("x")) == {}
    with pytest.raises(UsageError, match="holds scores with dataset cifar10, but now it is own; choose"):
        open_store(tmp_path, IDENTITY, print, dataset="own").__enter__()


def test_a_folder_that_does_not_say_its_dataset_goes_on_and_says_it_then(tmp_path: Path) -> None:
    add(tmp_path, table("ab", x=1.0))
    assert "dataset" not in kept(tmp_path)
    with open_store(tmp_path, IDENTITY, pytest.fail, dataset="cifar100") as store:
        assert store.missing("abc", columns("x")) == {"c": ("x",)}
        store.record(status="running")
    assert kept(tmp_path)["dataset"] == "cifar100"
    with open_store(tmp_path, IDENTITY, pytest.fail, dataset="cifar100") as store:
        assert store.missing("ab", columns("x")) == {}


def test_the_kind_of_a_failure_is_kept_and_read_from_the_text_of_older_chunks(tmp_path: Path) -> None:
    new = table("a", x=np.nan).assign(error="x is nan", error_kind="undefined")
    add(tmp_path, new, table("b", x=np.nan).assign(error="x: out of memory"), table("c", x=1.0))
    with open_store(tmp_path, IDENTITY, pytest.fail) as store:
        found = store.table("abc", ["x"])
    assert found["error_kind"].astype(object).where(found["error_kind"].notna(), None).tolist() == [
        "undefined",
        "out_of_memory",
        None,
    ]
