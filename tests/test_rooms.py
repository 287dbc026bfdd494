"""Imports go one way: the rooms of the package stand in an order, and none looks up.

A new room is a line of `ROOMS`. A room is a folder or a file of `nas_ray/`; an import inside a function
counts as any other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "nas_ray"

ROOMS = [
    {"rows"},
    {"errors"},
    {"process", "safe_files"},
    {"proxies", "spaces", "terminal"},
    {"images", "runs", "searchers", "text"},
    {"benchmarks", "training"},
    {"evaluation", "report"},
    {"shared_weights"},
    {"drivers"},
    {"best_arch", "correlate", "reproduce", "score_space", "search", "testing", "train"},
    {"commands"},
]
"""The floors from the ground up; a room imports from itself and from the floors below it alone."""

FILES = sorted(
    path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or not path.stem.startswith("__")
)


def room_of(path: Path) -> str:
    """Returns the room in which a file is."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Yields the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module == "nas_ray":
                yield from (f"nas_ray.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def test_every_room_has_a_floor() -> None:
    floors = [room for floor in ROOMS for room in floor]
    assert len(floors) == len(set(floors)) <= 25
    assert set(floors) == {room_of(path) for path in FILES}


@pytest.mark.parametrize("room", [room for floor in ROOMS for room in sorted(floor)])
def test_no_room_looks_up_or_sideways(room: str) -> None:
    floor = next(number for number, rooms in enumerate(ROOMS) if room in rooms)
    below = {room}.union(*ROOMS[:floor])
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {module}"
        for path in FILES
        if room_of(path) == room
        for module in imported(path)
        if module.startswith("nas_ray.") and module.split(".")[1] not in below
    ]
    assert not wrong


def test_no_file_imports_what_imports_it() -> None:
    """Inside of rooms as well; what a package hands on from its files is not followed."""
    by_name = {
        "nas_ray." + ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
        for path in FILES
        if path.stem != "__init__"
    }
    graph = {path: {by_name[name] for name in imported(path) if name in by_name} for path in by_name.values()}
    TopologicalSorter(graph).prepare()  # CycleError names the files


def test_ray_is_touched_in_drivers_alone() -> None:
    touching = {
        path.relative_to(PACKAGE).as_posix()
        for path in FILES
        if any(module.split(".")[0] == "ray" for module in imported(path))
    }
    assert not {name for name in touching if not name.startswith("drivers/")}


OTHER_TESTS = {"cluster", "contracts", "deploy", "docs", "guards", "perf"}
"""Folders of tests of what is no room: all commands, all plug-ins, a cluster, the documents, measurements."""
OF_THE_HOUSE = {"test_errors", "test_marks", "test_public", "test_rooms", "test_rows"}
"""Tests of the package as a whole, and of rooms that are one file."""


def test_tests_mirror_the_rooms() -> None:
    tests = Path(__file__).parent
    assert {path.parent.name for path in tests.glob("*/test_*.py")} <= {*map(room_of, FILES), *OTHER_TESTS}
    assert {path.stem for path in tests.glob("test_*.py")} == OF_THE_HOUSE
