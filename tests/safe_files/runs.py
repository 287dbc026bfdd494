"""Run folders, chunks of scores, trained nets and checkpoints from elsewhere."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import nas_ray
from nas_ray.report.accuracies import Accuracies
from nas_ray.report.read_runs import read_runs
from nas_ray.runs.folder import read_run
from nas_ray.runs.journal import FILE_NAME, read_journal
from nas_ray.score_space.chunk_store import open_store
from nas_ray.search.arguments import SearchArgs, parse
from nas_ray.search.experiment import prepare
from nas_ray.search.session import replay
from nas_ray.train.checkpoints import read_plain
from nas_ray.training.trained import NetFacts, TrainedNet
from tests.safe_files.cases import GARBAGE, Case, Runs, case, hostile_pickle

ARCH = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"


def written(title: str, name: str, content: bytes, read: Callable[[Path], Any]) -> None:
    @case(f"{name}: {title}")
    def make(folder: Path) -> Case:
        (folder / name).write_bytes(content)
        return Case(lambda: read(folder), str(folder))


def info(title: str, content: bytes) -> None:
    written(title, "run.json", content, read_run)


def journal(title: str, content: bytes) -> None:
    written(title, FILE_NAME, content + b"\n", lambda folder: read_journal(folder / FILE_NAME))


info("empty", b"")
info("garbage", GARBAGE)
info("UTF-16", '{"format": 1}'.encode("utf-16"))
info("nested a hundred thousand deep", b"[" * 100_000)
info("a list", b"[1]")
info("no format", b"{}")
info("a format that is text", b'{"format": "../../1"}')
info("a newer format", b'{"format": 99}')
info("a pickle", pickle.dumps({"format": 1}))

info("a format of a million letters", b'{"format": "' + b"x" * 10**6 + b'"}')
info("a format of a thousand digits", b'{"format": ' + b"9" * 1000 + b"}")
info("a format that is read as a command of a terminal", b'{"format": "\\u001b[2J"}')

ASK = b'{"event": "ask", "trial": 0, "arch": "a"}\n'
journal("garbage", GARBAGE)
journal("a line that is no event", ASK + b'{"event": "eval", "trial": 1}')
journal("a line in the middle that was cut", ASK + b'{"event": "tell", "tri\n' + ASK)
journal("a row nested in a row", ASK + b'{"event": "tell", "trial": 0, "row": {"x": {"y": 1}}}')
journal(
    "a number that no float holds", ASK + b'{"event": "tell", "trial": 0, "row": {"x": ' + b"9" * 400 + b"}}"
)
journal("a time that is text", ASK + b'{"event": "tell", "trial": 0, "row": {"seconds": "1"}}')
journal("nested a hundred thousand deep", b"[" * 100_000)
journal("a trial that is text", b'{"event": "ask", "trial": "0", "arch": "a"}')


def resumed(title: str, says: str, args: dict[str, Any]) -> None:
    """A run folder from elsewhere that is resumed."""

    @case(f"resumed run: {title}")
    def make(folder: Path) -> Case:
        stored = {"images": "digits", "batch_size": 4, "proxies": ["params"], "benchmark": "none", **args}
        told = {"format": 1, "experiment": "rea", "args": stored, "minibatch_sha256": "0"}
        (folder / "run.json").write_text(json.dumps(told))
        (folder / FILE_NAME).touch()

        def go_on() -> None:
            args = parse(SearchArgs, "rea", "", ["--resume", str(folder)])
            replay(prepare("rea", args, "rea"), folder)

        return Case(go_on, says)


resumed("an argument of no experiment", "another version", {"colour": "red"})
resumed("a name of an argument that a terminal obeys", r"\x1b[2J", {"\x1b[2J" + "x" * 10**5: 1})
resumed("an argument of a million letters", "seed", {"seed": "x" * 10**6})
resumed("an argument of another type", "batch_size", {"batch_size": "4; rm -rf /"})
resumed("a space that is code", "must read module:name", {"space": "os.system('true'):x"})
resumed("a proxy of no module", "no_such_module_here", {"proxies": ["no_such_module_here:proxy"]})
resumed("images from above", "../../secret", {"images": "npz:../../secret"})
resumed("another minibatch", "another minibatch", {})


@case("report: a run without rows")
def _(folder: Path) -> Case:
    (folder / "run.json").write_text('{"format": 1, "args": {}, "scores": []}')
    return Case(lambda: read_runs(folder, Accuracies("none")), str(folder))


@case("report: a table that is garbage")
def _(folder: Path) -> Case:
    (folder / "run.json").write_text('{"format": 1, "args": {}, "scores": [], "status": "finished"}')
    (folder / "results.parquet").write_bytes(GARBAGE)
    return Case(lambda: read_runs(folder, Accuracies("none")), str(folder))


@case("chunks: of another identity")
def _(folder: Path) -> Case:
    told = {"format": 1, "experiment": "score_space", "runs": [], "space": "other"}
    (folder / "run.json").write_text(json.dumps(told))

    def read() -> None:
        with open_store(folder, {"experiment": "score_space", "space": "nats-tss"}, print):
            pass

    return Case(read, str(folder))


def net(title: str, change: Callable[[dict[str, Any], Path], Any]) -> None:
    """A `model.pt` whose content was changed."""

    @case(f"model.pt: {title}")
    def make(folder: Path) -> Case:
        three = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        facts = NetFacts(ARCH, "nats-tss", 2, 32, ("a", "b"), *three)
        trained = TrainedNet(nas_ray.spaces.NatsTss(channels=4, cells=1).build(ARCH, 2), facts)
        trained.save(folder / "model.pt")
        content = change(torch.load(folder / "model.pt", weights_only=True), folder)
        torch.save(content, folder / "model.pt")
        return Case(lambda: nas_ray.load(folder / "model.pt"), str(folder / "model.pt"))


net("code beside the weights", lambda content, folder: {**content, "more": Runs(folder)})
net("weights of another net", lambda content, folder: content)  # of 4 channels, while published have 16
net("no weights", lambda content, folder: {k: v for k, v in content.items() if k != "state"})
net("no format", lambda content, folder: [1, 2])
net("a newer format", lambda content, folder: {**content, "format": 99})
net("an arch of a path", lambda content, folder: {**content, "arch": "../../etc/passwd"})
net("a space of no name", lambda content, folder: {**content, "space": "os:system"})
net("a billion outputs", lambda content, folder: {**content, "num_classes": 10**9})
net("an image size below zero", lambda content, folder: {**content, "image_size": -1})


@case("model.pt: a bare pickle")
def _(folder: Path) -> Case:
    (folder / "model.pt").write_bytes(hostile_pickle(folder))
    return Case(lambda: nas_ray.load(folder / "model.pt"), str(folder / "model.pt"))


@case("last.ckpt: code")
def _(folder: Path) -> Case:
    torch.save({"state_dict": {}, "callbacks": Runs(folder)}, folder / "last.ckpt")
    return Case(lambda: read_plain(folder / "last.ckpt"), str(folder / "last.ckpt"))


@case("last.ckpt: cut short")
def _(folder: Path) -> Case:
    torch.save({"state_dict": {"a": torch.zeros(1000)}}, folder / "last.ckpt")
    (folder / "last.ckpt").write_bytes((folder / "last.ckpt").read_bytes()[:1500])
    return Case(lambda: read_plain(folder / "last.ckpt"), str(folder / "last.ckpt"))
