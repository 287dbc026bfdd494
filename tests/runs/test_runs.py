from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from nas_ray.errors import UsageError
from nas_ray.runs import folder as runs


def test_an_older_run_is_upgraded_step_by_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "FORMAT", 3)
    steps = {1: lambda info: {"b": info["a"]}, 2: lambda info: {**info, "c": 2 * info["b"]}}
    monkeypatch.setattr(runs, "UPGRADES", steps)
    (tmp_path / "run.json").write_text(json.dumps({"format": 1, "a": 5}))
    assert runs.read_run(tmp_path) == {"format": 3, "b": 5, "c": 10}


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (2, "has format 2, of a newer nas_ray; this version reads formats up to 1: update it."),
        (0, "has format 0; this version of nas_ray reads formats up to 1."),
        ("1", "has format '1'; this version of nas_ray reads formats up to 1."),
        (None, "has format None; this version of nas_ray reads formats up to 1."),
    ],
)
def test_other_formats_are_refused(number: object, said: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"format": number}))
    with pytest.raises(UsageError) as caught:
        runs.read_run(tmp_path)
    assert str(caught.value) == f"{tmp_path / 'run.json'} {said}"


def test_the_number_of_the_format_stands_in_one_place() -> None:
    package = Path(runs.__file__).parents[1]
    literals = [
        f"{path.relative_to(package)}:{node.lineno}"
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "format" and isinstance(value, ast.Constant)
    ]
    assert not literals
