"""The storage of a run on a server that speaks S3."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nas_ray.errors import UsageError
from nas_ray.runs.folder import write_json
from nas_ray.runs.mirror import CLAIM, run_folder
from nas_ray.runs.storage import Storage


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The URI of a bucket of a server in this process."""
    server = pytest.importorskip("moto.server", reason="a local S3 server needs moto[server]")
    boto3 = pytest.importorskip("boto3")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    running.start()
    host, port = running.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "name",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }.items():
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket="some-runs")
    yield "s3://some-runs"
    running.stop()


def test_a_run_is_delivered_refused_and_fetched(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = f"{bucket}/group/run"
    with run_folder(uri, new=True) as folder:
        (folder / "scores").mkdir(parents=True)
        write_json(folder / "run.json", {"format": 1, "status": "running"})
        (folder / "scores" / "journal.jsonl").write_text("1\n2\n")
    assert Storage(uri).names() == ["run.json", "scores/journal.jsonl"]
    assert Storage(uri).read(CLAIM) is not None
    with (
        pytest.raises(UsageError, match=f"The folder {uri} already holds a run; "),
        run_folder(uri, new=True),
    ):
        pass
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another machine"))
    with run_folder(uri, new=False) as other:
        assert other != folder
        assert (other / "scores" / "journal.jsonl").read_text() == "1\n2\n"
        (other / "scores" / "journal.jsonl").write_text("1\n2\n3\n")
    assert Storage(uri).read("scores/journal.jsonl") == b"1\n2\n3\n"


def test_a_bucket_that_is_not_there_is_said(bucket: str) -> None:
    with pytest.raises(UsageError) as caught, run_folder(f"{bucket}-2/run", new=True):
        pass
    assert str(caught.value).startswith(f"The storage of {bucket}-2/run must be reachable, but: OSError: ")
    assert "NO_SUCH_BUCKET" in str(caught.value)
