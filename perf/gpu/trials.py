"""Trials of Ray on one GPU: how many share it best, and what happens where its memory does not suffice."""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import torch

import nas_ray
from nas_ray.drivers.local_ray import stop_ray
from nas_ray.drivers.resources import Request, start_ray
from nas_ray.rows import GPU_MEMORY, OUT_OF_MEMORY
from nas_ray.searchers import RandomSearch, Single
from nas_ray.spaces import NatsTss

from .setup import Row, Setup, command


def trials(setup: Setup) -> Iterator[Row | str]:
    """A search by `rea.py` for each number of trials that share the GPU."""
    began = time.monotonic()
    for together in (1, 2, 4, 8) if not setup.tiny else (2,):
        left = setup.seconds - (time.monotonic() - began)
        if left < 0.15 * setup.seconds:
            yield f"No time was left for {together} trials per GPU."
            break
        out, samples = setup.folder / f"rea-{together}", setup.some(40 * together, 6)
        options = ["--num-samples", str(samples), "--images", setup.images, "--benchmark", setup.benchmark,
                   "--max-concurrent", str(together), "--out", str(out)]  # fmt: skip
        if setup.gpu:
            options += ["--num-gpus", "1", "--gpus-per-trial", str(1 / together)]
        else:
            options += ["--num-gpus", "0", "--num-cpus", str(together), "--batch-size", "8"]
        whole = command("rea", options, 0.9 * left)
        rows = pd.read_parquet(out / "results.parquet")
        yield {"trials per GPU": together, "archs": len(rows), "archs/s": rate(rows), "s in all": whole,
               "workers": int(rows["worker"].nunique()), "failed": int(rows["error"].notna().sum()),
               "share of the memory": largest(rows)}  # fmt: skip


def rate(rows: pd.DataFrame) -> float:
    """Returns the archs per second once every worker has brought its first row."""
    first = rows.groupby("worker")["finished_at"].min().max()
    later = rows.loc[rows["finished_at"] > first, "finished_at"]
    return len(later) / (later.max() - first) if len(later) else float("nan")


def largest(rows: pd.DataFrame) -> float:
    """Returns the largest share of the GPU's memory that a trial took, NaN on the CPU."""
    return float(rows[GPU_MEMORY].max()) if GPU_MEMORY in rows else float("nan")


class Hungry:
    """An evaluator that takes 60 % of the GPU's memory for a while, so that two beside each other fail.

    On the CPU a file that only one process can lock stands for the memory. Every attempt leaves a line in
    `attempts.txt` of the folder: the arch, and whether memory sufficed.

    Args:
        folder: of the file.
        gpu: whether there is one.
        seconds: how long the memory is held.
    """

    def __init__(self, folder: Path, gpu: bool, seconds: float) -> None:
        self.folder, self.gpu, self.seconds = folder, gpu, seconds

    def __call__(self, arch: str, report: Callable[[dict[str, object]], None]) -> None:
        """Reports the row of an arch, or raises that memory does not suffice."""
        try:
            with self.memory():
                time.sleep(self.seconds)
        except torch.OutOfMemoryError:
            self.note(arch, "lacked")
            raise
        self.note(arch, "had")
        report({"score": float(len(arch)), "seconds": self.seconds, "error": None})

    @contextlib.contextmanager
    def memory(self) -> Iterator[None]:
        """Holds the memory."""
        if self.gpu:
            total = torch.cuda.get_device_properties(0).total_memory
            taken = torch.empty(int(0.6 * total), dtype=torch.uint8, device="cuda")
            yield
            del taken
            return
        with (self.folder / "memory").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise torch.OutOfMemoryError("out of memory, made on purpose") from None
            yield

    def note(self, arch: str, how: str) -> None:
        """Adds a line for an attempt."""
        with (self.folder / "attempts.txt").open("a") as file:
            file.write(f"{arch} {how}\n")


def out_of_memory(setup: Setup) -> Iterator[Row | str]:
    """Two trials share the GPU and each takes more than half of its memory: all are to end well.

    Raises:
        RuntimeError: an evaluation failed, or none lacked memory, so that nothing was seen.
    """
    samples = setup.some(8, 5)
    folder = setup.folder / "hungry"
    folder.mkdir()
    request = Request(num_cpus=2, num_gpus=1 if setup.gpu else 0, gpus_per_trial=0.5 if setup.gpu else None)
    plan = start_ray(request)
    try:
        rows = nas_ray.tune_search(
            RandomSearch(NatsTss(4, 1), fitness=Single(("score",)), seed=0),
            Hungry(folder, setup.gpu, 1.0),
            folder=folder,
            num_samples=samples,
            max_concurrent=2,
            gpus_per_trial=plan.gpus_per_trial,
        )
    finally:
        stop_ray()
    attempts = [line.split() for line in (folder / "attempts.txt").read_text().splitlines()]
    lacked = [arch for arch, how in attempts if how == "lacked"]
    found: Row = {
        "archs": len(rows),
        "attempts": len(attempts),
        "lacked memory": len(lacked),
        "lacked it twice": len(lacked) - len(set(lacked)),
        "failed in the end": int((rows.get("error_kind") == OUT_OF_MEMORY).sum()),
    }
    yield found
    if len(rows) != samples or rows["error"].notna().any():
        raise RuntimeError(f"The search must end with {samples} whole rows: {found}.")
    if not lacked:
        raise RuntimeError(f"Memory was to be lacking, but the trials did not meet: {found}.")
