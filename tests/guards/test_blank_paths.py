"""A path that is blank or holds a NUL byte is refused by every option of every command."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from nas_ray.terminal.command_line import PATHS
from nas_ray.terminal.ranges import option
from tests.guards.commands import COMMANDS, refused
from tests.guards.test_numbers import args_type


def path_options(name: str) -> list[str]:
    kind, _ = args_type(name)
    hints = get_type_hints(kind)
    of_paths = [f for f, hint in hints.items() if hint is Path or Path in get_args(hint)]
    fields = {field.name for field in dataclasses.fields(kind)}
    return sorted(
        (set(of_paths) | set(PATHS)) & fields - {"run", "runs", "directory", "model", "files", "results"}
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_a_blank_path_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    positional = (
        ["somewhere"] if name in ("report", "export_nats", "train", "predict", "audit", "check_proxy") else []
    )
    positional += ["there"] if name == "predict" else []
    options = path_options(name)
    assert "out" in options
    for field in options:
        for word in ("", "  ", "\t", "a\0b"):
            for given in ([option(field), word], [f"{option(field)}={word}"]):
                said = refused(name, *positional, *given)
                assert said.startswith(f"{option(field)} must name a file or folder"), said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["report", "export_nats", "train", "predict", "audit"])
def test_a_blank_place_is_refused(name: str) -> None:
    places = {
        "report": "RUNS",
        "export_nats": "DIRECTORY",
        "train": "RUN",
        "predict": "MODEL",
        "audit": "RESULTS",
    }
    said = places[name]
    for word in ("", " ", "a\0b"):
        assert refused(name, word).startswith(f"{said} must name a file or folder")


@pytest.mark.parametrize("images", ["folder:", "npz: ", "folder:a\0b"])
def test_images_without_a_path_are_refused(images: str) -> None:
    assert refused("rea", "--images", images).startswith("--images must name a file or folder")


def test_one_blank_path_among_several_is_refused() -> None:
    said = refused("choose_score", "--scores-file", "scores.csv", "")
    assert said.startswith("--scores-file must name a file or folder")
