"""What `perf/gpu_check.py` does around its parts; the parts themselves are run by CI on the CPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

PERF = Path(__file__).parents[2] / "perf"


@pytest.fixture
def gpu_check(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(PERF))
    import gpu_check

    return gpu_check


def rows(setup: object) -> Iterator[object]:
    yield {"arch": "|a~0|", "ms": 1.23456, "peak": float("nan")}
    yield "It was fast."


def slow(setup: object) -> Iterator[object]:
    yield {"ms": 1}
    time.sleep(60)


def broken(setup: object) -> Iterator[object]:
    yield {"ms": 1}
    raise ValueError("no number")


def killed(setup: object) -> Iterator[object]:
    yield {"ms": 1}
    os._exit(3)


def run(
    module: ModuleType, tmp_path: Path, **parts: tuple[object, float]
) -> tuple[int, list[dict[str, object]]]:
    module.PARTS.clear()
    module.PARTS.update(parts)
    code = module.main(module.Args(device="cpu", tiny=True, parts=tuple(parts), out=tmp_path / "out"))
    return code, json.loads((tmp_path / "out" / "gpu_check.json").read_text())["parts"]


@pytest.fixture
def parts(gpu_check: ModuleType) -> Iterator[ModuleType]:
    before = dict(gpu_check.PARTS)
    yield gpu_check
    gpu_check.PARTS.clear()
    gpu_check.PARTS.update(before)


def test_a_part_that_fails_costs_no_other_and_keeps_its_rows(
    parts: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(parts, "SLOWER", 1)
    monkeypatch.setattr(parts, "SHORTEST_S", 0.1)
    limits = {"broken": (broken, 30.0), "killed": (killed, 30.0), "slow": (slow, 1.0), "rows": (rows, 30.0)}
    code, found = run(parts, tmp_path, **limits)
    assert code == 1
    assert [part["status"] for part in found] == ["failed", "failed", "too slow", "done"]
    assert all(len(part["rows"]) == 1 for part in found)  # type: ignore[arg-type]
    assert found[0]["said"] == ["ValueError: no number"]
    assert found[1]["said"] == ["its process ended with 3"]
    assert found[2]["said"] == ["it was ended after 1 s"]
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(limits)


def test_what_has_no_time_left_is_left_out(
    parts: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "SHORTEST_S", 1e9)
    code, found = run(parts, tmp_path, rows=(rows, 30.0))
    assert (code, found[0]["status"], found[0]["said"]) == (1, "left out", ["no time was left"])


def test_tables_go_between_the_marks_of_a_document(parts: ModuleType, tmp_path: Path) -> None:
    assert run(parts, tmp_path, rows=(rows, 30.0))[0] == 0
    said = (tmp_path / "out" / "gpu_check.md").read_text()
    assert said.startswith("### rows\n\ndone, ")
    assert " s\n\n| arch | ms | peak |\n| --- | --- | --- |\n" in said
    assert "| \\|a~0\\| | 1.235 |  |\n\nIt was fast.\n" in said
    document = tmp_path / "performance.md"
    document.write_text((PERF.parent / "docs" / "performance.md").read_text())
    for _ in range(2):
        parts.insert(document, [parts.Result("rows", "done", 1.0, [{"ms": 2}])])
    text = document.read_text()
    assert text.count("### rows") == 1
    assert "Not measured on a GPU" not in text
    assert text.startswith("# Performance")
    document.write_text("# Other")
    with pytest.raises(parts.UsageError, match="must have the lines <!-- gpu_check: begin -->"):
        parts.insert(document, [])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"device": "tpu"}, "--device must be cuda or cpu, got tpu."),
        ({"device": "cpu", "parts": ("proxy",)}, "Unknown part 'proxy'. Did you mean 'proxies'?"),
        ({"device": "cpu", "write": Path("x.md")}, "--write needs --device cuda"),
    ],
)
def test_what_cannot_work_is_said(gpu_check: ModuleType, options: dict[str, object], says: str) -> None:
    with pytest.raises(gpu_check.UsageError, match=says.replace("?", r"\?")):
        gpu_check.check(gpu_check.Args(**options))


@pytest.mark.slow(faster="test_a_part_that_fails_costs_no_other_and_keeps_its_rows")
def test_a_part_runs_in_a_process_that_begins_anew_as_on_a_gpu(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from gpu.runner import run_part; from gpu.setup import Setup\n"
        "if __name__ == '__main__':\n"
        f"    setup = Setup('cpu', True, 'digits', 'none', Path({str(tmp_path)!r}), 120.0)\n"
        "    print(run_part('machine', setup, 'spawn').status)\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    path = os.pathsep.join([str(PERF), str(PERF.parent)])
    done = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    assert done.stdout.strip() == "done", done.stderr
