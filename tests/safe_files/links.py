"""Run folders with links that lead out of them, and other things that are no files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from nas_ray.runs.journal import FILE_NAME, Journal
from nas_ray.safe_files.foreign import check_own_files
from nas_ray.score_space.chunk_store import open_store
from nas_ray.search.arguments import SearchArgs, parse
from nas_ray.search.experiment import prepare
from nas_ray.search.session import opened_run
from nas_ray.search.two_stage_args import TwoStageArgs
from tests.safe_files.cases import Case, case

VICTIM = "a file of the user's own, without a last newline"


def victim(folder: Path) -> Path:
    """Returns a file outside of the folder that is read."""
    (folder.parent / "own.txt").write_text(VICTIM)
    return folder.parent / "own.txt"


def elsewhere(folder: Path) -> Path:
    """Returns a folder outside, with tables that a store of chunks would remove or rename."""
    path = folder.parent / "own"
    path.mkdir()
    for name in (".hidden.parquet", "mine.parquet"):
        (path / name).write_text(VICTIM)
    return path


def journal(title: str, make: Callable[[Path], None], says: str = "journal.jsonl") -> None:
    @case(f"journal: {title}")
    def _(folder: Path) -> Case:
        make(folder / FILE_NAME)
        return Case(lambda: Journal(folder / FILE_NAME), says)


journal("a link to a file elsewhere", lambda path: path.symlink_to(victim(path.parent)))
journal("a link to nothing yet", lambda path: path.symlink_to(path.parent.parent / "made"))
journal("a link to a device", lambda path: path.symlink_to("/dev/zero"))
journal("a pipe that nobody reads", os.mkfifo)
journal(
    "another file, which is not cut", lambda path: path.write_text("first line\nand a second"), "no journal"
)


def store(title: str, make: Callable[[Path], None], says: str) -> None:
    @case(f"chunks: {title}")
    def _(folder: Path) -> Case:
        (folder / "chunks").mkdir()
        make(folder)

        def read() -> None:
            with open_store(folder, {"experiment": "score_space", "space": "nats-tss"}, print):
                pass

        return Case(read, says)


def _chunks_elsewhere(folder: Path) -> None:
    (folder / "chunks").rmdir()
    (folder / "chunks").symlink_to(elsewhere(folder))


store(
    "an old lock that is a link",
    lambda f: (f / "chunks" / ".lock").symlink_to(victim(f)),
    "chunks/.lock is a link",
)
store("a lock that is a link", lambda f: (f / ".lock").symlink_to(victim(f)), ".lock must be writable, but")
store("a folder elsewhere", _chunks_elsewhere, "chunks is a link")
store("a chunk that is a link", lambda f: (f / "chunks" / "0.parquet").symlink_to(victim(f)), "is a link")
store("a chunk that is a pipe", lambda f: os.mkfifo(f / "chunks" / "0.parquet"), "is a device or a pipe")


def held(name: str) -> None:
    """A run folder that is resumed, in which `name` is a link."""

    @case(f"resumed run: {name!r} is a link")
    def _(folder: Path) -> Case:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(elsewhere(folder))
        return Case(lambda: check_own_files(folder), f"{name} is a link")


for given in (
    "tune",
    "checkpoints",
    "nets",
    "nets/found-seed-0/last.ckpt",
    "scores/journal.jsonl",
    "run.json",
):
    held(given)


@case("resumed two-stage run: a stage is a link")
def _(folder: Path) -> Case:
    told = {"format": 1, "experiment": "two_stage", "args": {"images": "digits", "batch_size": 4}}
    (folder / "run.json").write_text(json.dumps(told))
    (folder / "scores").symlink_to(elsewhere(folder))
    args = parse(TwoStageArgs, "two_stage", "", ["--resume", str(folder)])

    def go_on() -> None:
        with opened_run(args, folder, "two_stage", dict):
            pass

    return Case(go_on, "scores is a link")


def named(title: str, says: str, args: dict[str, object], *words: str) -> None:
    """A run folder that brings code, or a cluster that would."""

    @case(f"resumed run: {title}")
    def _(folder: Path) -> Case:
        told = {"format": 1, "experiment": "rea", "args": args}
        (folder / "run.json").write_text(json.dumps(told))
        (folder / "brought.py").write_text(f"open({str(folder.parent / 'code-was-run')!r}, 'w')")
        os.chdir(folder)

        def go_on() -> None:
            prepare("rea", parse(SearchArgs, "rea", "", ["--resume", str(folder), *words]), "rea")

        return Case(go_on, says)


named("a space of its own", "brings no code", {"space": "brought:Space"})
named("a proxy of its own", "brings no code", {"proxies": ["naswot", "brought:proxy"]})
named("proxies of its own in one text", "brings no code", {"proxies": ["naswot,brought.more:proxy"]})
named("a cluster elsewhere", "--address 203.0.113.7:6379 if you trust it", {"address": "203.0.113.7:6379"})
named("a Ray Client elsewhere", "add --address ray://", {"address": "ray://203.0.113.7:10001"})
named("a cluster with a name for terminals", r"\x1b[2J", {"address": "\x1b[2Jhost:1"})
