"""Every command of `experiments/` as a table that guards are tried on, and how to call one in this process.

A new script needs a line in `COMMANDS`, which `test_commands.py` asks for; with it all guards look at it.
"""

from __future__ import annotations

import contextlib
import io
import os
import runpy
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest
from PIL import Image

from nas_ray.commands import start

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(path.stem for path in (ROOT / "experiments").glob("*.py"))
TINY_SEARCH = "--num-samples 3 --batch-size 4 --max-concurrent 1 --num-cpus 1"
TINY_SET = "shapes,size=16,shapes=2,train=24,test=8"
TINY_REA = f"{TINY_SEARCH} --population 2 --sample 1"


@dataclass(frozen=True)
class Command:
    """A script and what its smallest whole run needs.

    Attributes:
        name: of the script.
        arguments: of that run; `{files}` stands for the folder of `Files`.
        ray: whether it starts Ray.
        writes: `new` folders alone, a `folder` that it goes on with or makes again, or a `file`.
        resumes: whether it takes `--resume FOLDER`.
        work: the function that begins the work proper, which a test may replace by one that fails.
    """

    name: str
    arguments: str
    ray: bool = False
    writes: str = "folder"
    resumes: bool = False
    work: str = "nas_ray.drivers.lifecycle.start_ray"

    def tiny(self, files: Path) -> list[str]:
        """Returns the arguments of the smallest whole run, without `--out`."""
        return [word.replace("{files}", str(files)) for word in self.arguments.split()]

    def out(self, folder: Path) -> Path:
        """Returns what `--out` may be in `folder`: a new folder, or a file where it writes one."""
        files = dict.fromkeys(("audit", "export_nats", "predict"), "made.csv") | {"report": "made.html"}
        return folder / files.get(self.name, "made")


COMMANDS = {
    command.name: command
    for command in (
        Command("random_search", TINY_SEARCH, ray=True, writes="new", resumes=True),
        Command("rea", TINY_REA, ray=True, writes="new", resumes=True),
        Command("skip_rea", TINY_REA, ray=True, writes="new", resumes=True),
        Command("pnas", f"{TINY_SEARCH} --beam 2 --epochs 1", ray=True, writes="new", resumes=True),
        Command("reinforce", TINY_SEARCH, ray=True, writes="new", resumes=True),
        Command("search", TINY_SEARCH, ray=True, writes="new", resumes=True),
        Command(
            "two_stage",
            f"{TINY_SEARCH} --keep 1 --rungs 1 --fidelity fast:data_fraction=0.02",
            ray=True,
            writes="new",
            resumes=True,
        ),
        Command(
            "one_shot",
            "--method darts1 --seeds 1 --epochs 1 --batch-size 8 --channels 2 --cells 1 --data-fraction 0.02 "
            "--max-concurrent 1 --num-cpus 1",
            ray=True,
            writes="new",
            resumes=True,
        ),
        Command(
            "score_space",
            "--num-archs 4 --proxies synflow --channels 2 --cells 1 --batch-size 4 --resamples 10 "
            "--num-cpus 1",
            ray=True,
        ),
        Command(
            "correlate",
            "--num-archs 10 --proxies l2_norm --datasets cifar10 --batch-size 4 --resamples 10 --num-cpus 1",
            ray=True,
        ),
        Command(
            "check_proxy",
            "params --space nats-tss:channels=1,cells=1 --image-size 8 --num-archs 10 --batch-size 8 "
            "--resamples 10 --num-cpus 1",
            work="nas_ray.correlate.check_proxy.run.examined",
        ),
        Command("best_arch", "--channels 1 --cells 1 --batch-size 2 --num-cpus 1", ray=True),
        Command(
            "compare_searchers",
            "rea,population=3,sample=2 --seeds 2 --evaluations 4 --resamples 10 --num-cpus 1 "
            "--benchmark {files}/nats.parquet",
            work="nas_ray.reproduce.run.all_runs",
        ),
        Command(
            "staleness",
            "--searchers rea,population=3,sample=2 --workers 1,2 --late 3 --seeds 3 --evaluations 4 "
            "--dataset cifar10 --resamples 10 --num-cpus 1 --benchmark {files}/nats.parquet",
            work="nas_ray.reproduce.staleness.run.make",
        ),
        Command(
            "audit",
            "{files}/results.csv --benchmark {files}/nats.parquet",
            writes="file",
            work="nas_ray.reproduce.audit.run.judged",
        ),
        Command(
            "choose_score",
            "--benchmark {files}/nats.parquet --scores-file {files}/scores.parquet",
            work="nas_ray.reproduce.choose.judge",
        ),
        Command(
            "record",
            "--space nats-sss --benchmark {files}/sizes.csv --rule-file {files}/sizes.json",
            work="nas_ray.reproduce.record.run.judged_sizes",
        ),
        Command(
            "one_shot_truth",
            "--methods rs-ws --seeds 1 --shortcuts 0.8 --steps 5 --num-images 64 --num-cpus 1",
            work="nas_ray.search.one_shot_truth.run.search",
        ),
        Command(
            "compare_estimates",
            f"--space nats-tss:channels=1,cells=1 --images generated:{TINY_SET} --num-archs 10 "
            "--proxies lcmnas --batch-size 4 --short epochs:1 --long epochs:1 --resamples 10 --num-cpus 1",
            work="nas_ray.correlate.estimates.run.judge",
        ),
        Command(
            "unseen",
            f"--space nats-tss:channels=1,cells=1 --sets {TINY_SET} --num-samples 2 --batch-size 4 "
            "--recipe epochs:1 --seeds 1 --rivals random --num-cpus 1",
            work="nas_ray.search.contest.run.carry_out",
        ),
        Command(
            "contest",
            f"resnet-20 --sets {TINY_SET} --batch-size 4 --recipe epochs:1 --seeds 1 --num-cpus 1",
            work="nas_ray.search.contest.run.carry_out",
        ),
        Command(
            "reproduce",
            "skips-counts --benchmark {files}/nats.parquet --num-cpus 1",
            work="nas_ray.reproduce.run.draw_skips",
        ),
        Command(
            "train",
            "--arch lenet-5 --recipe epochs:1:data_fraction=0.02 --seeds 1 --formats none --num-threads 1 "
            "--proxies params",
            writes="new",
            resumes=True,
            work="nas_ray.train.run.fit",
        ),
        Command(
            "tune_recipe",
            f"{TINY_SEARCH} --arch lenet-5 --fidelity epochs:1:data_fraction=0.02",
            ray=True,
            writes="new",
            resumes=True,
        ),
        Command(
            "predict",
            "{files}/model.pt {files}/photo.png",
            writes="file",
            work="nas_ray.training.prediction.predict",
        ),
        Command("trace", "resnet18", work="nas_ray.search.trace.run.traced"),
        Command("report", "{files}/run", writes="file", work="nas_ray.report.html_report.render"),
        Command(
            "export_nats",
            "{files}/official --allow-missing",
            writes="file",
            work="nas_ray.benchmarks.export.read_archive",
        ),
    )
}

WORDS = {command.__name__: words for words, command in start.COMMANDS.items()}
"""What stands after `nas-ray` for the same command, by the name of the script."""

LIVE = (
    "skips-rules --scores live --seeds 2 --time-budget-s 1 --batch-size 4 --num-cpus 1 "
    "--benchmark {files}/nats.parquet"
)
"""`reproduce.py` with live runs, which need Ray."""

AT_NIGHT = {"check_proxy", "compare_estimates", "unseen"}
"""Commands whose smallest run trains nets or starts processes: by day one guard lets them run to the end."""

FOLDERS = [name for name, command in COMMANDS.items() if command.writes != "file"]
"""Commands that write a folder."""
RAY = [name for name, command in COMMANDS.items() if command.ray]
"""Commands that start Ray."""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code and what it wrote."""

    code: int
    out: str
    err: str


def call(
    name: str | None,
    *arguments: object,
    environment: Mapping[str, str] | None = None,
    stdout: io.TextIOBase | None = None,
) -> Ended:
    """Runs a command in this process, and leaves signals, arguments and environment as they were.

    Args:
        name: of the script; None for `nas-ray`, whose first arguments name the command.
        arguments: of the command.
        environment: variables to set.
        stdout: where standard output goes instead of into the answer.
    """
    script = "nas-ray" if name is None else str(ROOT / "experiments" / f"{name}.py")
    out, err = stdout or io.StringIO(), io.StringIO()
    code: object = 0
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", [script, *map(str, arguments)]),
        mock.patch.dict(os.environ, environment or {}),
        kept_signals(),
    ):
        try:
            if name is None:
                start.main()
            runpy.run_path(script, run_name="__main__")
        except SystemExit as ended:
            code = 0 if ended.code is None else ended.code
    assert isinstance(code, int), code
    said = out.getvalue() if isinstance(out, io.StringIO) else ""
    return Ended(code, said, err.getvalue())


def refused(name: str, *arguments: object, environment: Mapping[str, str] | None = None) -> str:
    """Runs a command that must end with exit code 2 and one line; returns that line without `error: `."""
    ended = call(name, *arguments, environment=environment)
    assert ended.code == 2, ended
    lines = ended.err.strip().splitlines()
    assert len(lines) == 1, ended.err
    assert lines[0].startswith("error: "), ended.err
    return lines[0].removeprefix("error: ")


@contextlib.contextmanager
def kept_signals() -> Iterator[None]:
    """Puts the handlers of signals back."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def write_run(folder: Path) -> Path:
    """Makes the folder of a finished search without a search: three rows, a journal and `run.json`."""
    import pandas as pd

    from nas_ray.runs.folder import create_run, write_json, write_table
    from nas_ray.runs.journal import Journal
    from nas_ray.search.arguments import ReaArgs
    from nas_ray.search.session import stored_form
    from nas_ray.spaces import NatsTss

    archs = list(NatsTss())[:3]
    info = {"experiment": "rea", "status": "finished", "args": stored_form(ReaArgs(num_samples=3))}
    create_run(folder, {**info, "scores": ["naswot", "synflow"], "images": {}})
    journal = Journal(folder / "journal.jsonl")
    rows = []
    for trial, arch in enumerate(archs):
        row = {"trial": trial, "arch": arch, "naswot": 1.0 + trial, "synflow": 2.0, "seconds": 0.1}
        journal.append({"event": "ask", "trial": trial, "arch": arch})
        journal.append({"event": "tell", "trial": trial, "row": row})
        rows.append({**row, "fitness": float(trial), "error": None, "finished_at": 0.1 * trial})
    journal.close()
    write_table(folder, pd.DataFrame(rows))
    write_json(folder / "best.json", {"arch": archs[-1]})
    return folder


def write_model(path: Path) -> None:
    """Writes a small trained net of the space NATS-TSS."""
    import torch

    from nas_ray.spaces import NatsTss
    from nas_ray.training.trained import NetFacts, TrainedNet

    space, half = NatsTss(), (0.5, 0.5, 0.5)
    arch = next(iter(space))
    facts = NetFacts(arch, "nats-tss", 2, 32, ("cat", "dog"), half, half)
    with torch.random.fork_rng():
        TrainedNet(space.build(arch, 2), facts).save(path)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Path:
    """A folder of what the commands read: two tables, a finished run, an official directory."""
    from nas_ray.reproduce.record.rules import to_text
    from nas_ray.reproduce.record.sizes import choose_sizes, read_sizes
    from tests.reproduce.synthetic import size_table, write_files

    folder = tmp_path_factory.mktemp("files")
    write_files(str(folder))
    size_table(40).to_csv(folder / "sizes.csv", index=False)
    (folder / "sizes.json").write_text(to_text(choose_sizes(read_sizes(folder / "sizes.csv"))[0]))
    write_run(folder / "run")
    write_model(folder / "model.pt")
    (folder / "results.csv").write_text("method,cifar10\nfound,40.00\n")
    Image.new("RGB", (40, 30), "red").save(folder / "photo.png")
    (folder / "official").symlink_to(data_dir / "nats_official_sample" / "NATS-tss-v1_0-3ffb9-simple")
    return folder
