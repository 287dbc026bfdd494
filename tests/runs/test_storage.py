from __future__ import annotations

from pathlib import Path

import pytest

from nas_ray.errors import UsageError
from nas_ray.runs.folder import check_local
from nas_ray.runs.storage import Storage, fetch, is_uri, working_folder


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(f"file://{tmp_path}/far/run/")


def content(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


def put(folder: Path, **journals: str) -> None:
    for name, text in journals.items():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.jsonl").write_text(text)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("s3://b/x", True),
        ("gs://b/x", True),
        ("file:///x", True),
        ("runs/x", False),
        (Path("/x"), False),
        ("a:b", False),
    ],
)
def test_what_is_a_uri(place: str | Path, expected: bool) -> None:
    assert is_uri(place) is expected


def test_files_are_written_whole_and_read_back(storage: Storage, tmp_path: Path) -> None:
    storage.write("a/one.txt", b"first")
    storage.write("a/one.txt", b"second")
    storage.write(".hidden", b"x")
    assert storage.names() == ["a/one.txt"]
    assert storage.read("a/one.txt") == b"second"
    assert storage.read("a/two.txt") is None
    storage.delete("a/one.txt")
    storage.delete("a/one.txt")
    assert content(tmp_path / "far") == {"run/.hidden": "x"}


def test_an_unknown_storage_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        Storage("xx://bucket/run")
    assert str(caught.value) == (
        "The place of a run must be a folder or a URI of pyarrow (s3://, gs://, file://) that can be "
        "reached, got xx://bucket/run: ArrowInvalid: Unrecognized filesystem type in URI: xx://bucket/run"
    )


@pytest.mark.parametrize("uri", ["s3://", "file:///"])
def test_a_storage_without_a_folder_is_refused(uri: str) -> None:
    with pytest.raises(UsageError) as caught:
        Storage(uri)
    said = f"The URI of a run must name a folder, as s3://bucket/runs/rea-0 does, got {uri}."
    assert str(caught.value) == said


def test_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        Storage("s3://key:secret@bucket/run")
    assert str(caught.value) == (
        "A URI of a run must hold no password, as run.json keeps it, but that of bucket does; give it in the "
        "variables of the environment that the storage reads."
    )


def test_working_folders_differ_and_a_slash_at_the_end_does_not_matter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert working_folder("s3://b/x/") == working_folder("s3://b/x")
    assert len({working_folder(uri) for uri in ("s3://b/x", "gs://b/x", "s3://b-x", "s3://b/x-")}) == 4
    assert working_folder("s3://b/x").is_relative_to(tmp_path)


@pytest.mark.parametrize(
    ("local", "remote", "expected"),
    [
        ({}, {"journal": "1\n2\n"}, "1\n2\n"),
        ({"journal": "1\n2\n3\n"}, {"journal": "1\n2\n"}, "1\n2\n3\n"),  # not all of it was delivered
        ({"journal": "1\n2\n3\n"}, {}, "1\n2\n3\n"),  # nothing was
        ({"journal": "1\n"}, {"journal": "1\n2\n"}, "1\n2\n"),  # continued elsewhere
        ({"journal": "1\n9\n9\n"}, {"journal": "1\n2\n"}, "1\n2\n"),  # something else
    ],
)
def test_fetching_keeps_the_longer_journal(
    local: dict[str, str], remote: dict[str, str], expected: str, tmp_path: Path, storage: Storage
) -> None:
    folder = tmp_path / "here" / "run"
    put(folder, **local)
    put(tmp_path / "far" / "run", **remote)
    fetch(storage, folder)
    assert (folder / "journal.jsonl").read_text() == expected
    aside = [path for path in folder.parent.iterdir() if path != folder]
    assert [content(path) for path in aside] == (
        [{"journal.jsonl": "1\n9\n9\n"}] if "9" in str(local) else []
    )


def test_fetching_compares_the_journals_of_all_stages(tmp_path: Path, storage: Storage) -> None:
    folder = tmp_path / "here" / "run"
    put(folder / "scores", journal="1\n2\n")
    put(folder / "epochs-001", journal="7\n")
    put(tmp_path / "far" / "run" / "scores", journal="1\n2\n")
    fetch(storage, folder)
    assert content(folder) == {"scores/journal.jsonl": "1\n2\n", "epochs-001/journal.jsonl": "7\n"}


def test_no_run_at_either_place(tmp_path: Path, storage: Storage) -> None:
    with pytest.raises(UsageError) as caught:
        fetch(storage, tmp_path / "here")
    assert str(caught.value) == f"A run is needed at file://{tmp_path}/far/run, and there is none."


def test_other_experiments_refuse_a_uri() -> None:
    with pytest.raises(UsageError) as caught:
        check_local(Path("s3://bucket/runs/a"))
    assert str(caught.value) == (
        "A folder of this machine is needed here, got s3://bucket/runs/a; only searches and two_stage.py "
        "write to a storage, so give a folder and copy it."
    )
    check_local(Path("runs/a:b"))
