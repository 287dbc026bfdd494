"""Marks say what is true: what runs at night alone has a sibling that always runs, or needs a cluster."""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).parent
FILES = sorted(TESTS.rglob("test_*.py"))
NIGHTLY = ("slow", "cluster")
CLUSTERS = ("perf.local_cluster", "ray.cluster_utils")


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def is_mark(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == name and ast.unparse(node.value) == "pytest.mark"


def imports_of(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def whole_file_marks(tree: ast.Module) -> set[str]:
    """Returns the marks that `pytestmark` gives every test of a file."""
    given = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
    ]
    return {node.attr for value in given for node in ast.walk(value) if isinstance(node, ast.Attribute)}


def slow_marks(tree: ast.Module) -> list[ast.expr]:
    """Returns each use of `pytest.mark.slow` and `by_day`: the call with its arguments, or the bare mark."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    called = [call for call in calls if is_mark(call.func, "slow") or ast.unparse(call.func) == "by_day"]
    inside = {id(call.func) for call in called}
    bare = [n for n in ast.walk(tree) if is_mark(n, "slow") and id(n) not in inside]
    return [*called, *bare]  # type: ignore[list-item]


def test_clusters_are_marked() -> None:
    starting = [path for path in FILES if imports_of(tree_of(path)) & set(CLUSTERS)]
    assert starting
    for path in starting:
        assert {"ray", "cluster"} <= whole_file_marks(tree_of(path)), path


def always_run(tree: ast.Module) -> set[str]:
    """Returns the tests of a file that are not left out as a whole."""
    if set(NIGHTLY) & whole_file_marks(tree):
        return set()
    tests = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {
        test.name
        for test in tests
        if not any(is_mark(getattr(d, "func", d), name) for d in test.decorator_list for name in NIGHTLY)
    }


def test_what_is_slow_names_a_faster_sibling() -> None:
    trees = {path: tree_of(path) for path in FILES}  # read here, since every process imports this file
    always = {name for tree in trees.values() for name in always_run(tree)}
    marks = [(path, mark) for path, tree in trees.items() for mark in slow_marks(tree)]
    assert len(marks) > 50
    for path, mark in marks:
        where = f"{path.name}:{mark.lineno}"
        assert isinstance(mark, ast.Call), f"{where}: faster=NAME, of a test of the same that always runs"
        (faster,) = (keyword.value for keyword in mark.keywords if keyword.arg == "faster")
        assert isinstance(faster, ast.Constant), where
        assert faster.value in always, where
