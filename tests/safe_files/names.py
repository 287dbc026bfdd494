"""Names on the command line that become modules, files or folders."""

from __future__ import annotations

from pathlib import Path

from nas_ray.benchmarks import open_benchmark
from nas_ray.proxies.plugin import resolve_proxies
from nas_ray.reproduce.live import slug
from nas_ray.runs.folder import create_run
from nas_ray.searchers import Single
from nas_ray.searchers.named import make_searcher
from nas_ray.spaces import NatsTss
from nas_ray.spaces.base import SearchSpace
from tests.safe_files.cases import Case, case

SPACE: SearchSpace = NatsTss()


def proxy(name: str) -> None:
    says = repr(name) if name != "os:getcwd" else "'getcwd'"
    case(f"proxy named {name!r}")(lambda folder: Case(lambda: resolve_proxies([name]), says))


for bad in ("../x:y", "/etc/passwd:x", "mine:", ":x", "a b:c", "mine.py:x", "x\0:y", "..:y", "", "os:getcwd"):
    proxy(bad)


def searcher(name: str) -> None:
    def make(folder: Path) -> Case:
        return Case(lambda: make_searcher(name, SPACE, fitness=Single(("x",))), repr(name))

    case(f"searcher named {name!r}")(make)


for bad in ("os:system", "nas_ray:NatsTss", "../rea", "json:loads"):
    searcher(bad)


def arch(text: str) -> None:
    case(f"arch {text[:30]!r}")(lambda folder: Case(lambda: SPACE.build(text, 10), text[:20]))


for bad in ("../../etc/passwd", "|none~0|", "<script>alert(1)</script>", "|" * 10_000):
    arch(bad)


@case("folder: a run is there")
def _(folder: Path) -> Case:
    (folder / "run.json").write_text("{}")
    return Case(lambda: create_run(folder, {}), str(folder))


@case("folder: a dangling link is there")
def _(folder: Path) -> Case:
    (folder / "run.json").symlink_to(folder.parent / "elsewhere")
    return Case(lambda: create_run(folder, {}), str(folder))


@case("folder: below a file")
def _(folder: Path) -> Case:
    (folder / "file").touch()
    return Case(lambda: create_run(folder / "file" / "run", {}), str(folder / "file"))


@case("folder: a name too long")
def _(folder: Path) -> Case:
    return Case(lambda: create_run(folder / ("x" * 300), {}), "x" * 300)


@case("benchmark: a path of null bytes")
def _(folder: Path) -> Case:
    return Case(lambda: open_benchmark("a\0b.csv", "cifar10"), "a")


def test_titles_cannot_leave_their_folder() -> None:
    assert slug("../../etc/passwd: x") == "etc-passwd-x"
