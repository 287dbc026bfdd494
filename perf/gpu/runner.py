"""Runs a part in a process of its own, to its end or to its limit."""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import os
import signal
import time
import traceback
from multiprocessing.connection import Connection

from .nets import graphs, latency, machine
from .one_shot import one_shot
from .scores import precision, proxies, space
from .setup import Part, Row, Setup
from .trainings import ddp, train, training
from .trials import out_of_memory, trials

PARTS: dict[str, tuple[Part, float]] = {
    "machine": (machine, 40),
    "proxies": (proxies, 75),
    "precision": (precision, 50),
    "space": (space, 130),
    "trials": (trials, 140),
    "out_of_memory": (out_of_memory, 50),
    "training": (training, 50),
    "latency": (latency, 25),
    "graphs": (graphs, 50),
    "one_shot": (one_shot, 60),
    "train": (train, 50),
    "ddp": (ddp, 40),
}
"""The parts in the order of what matters most, each with its limit in seconds on a GPU."""
END_S = 15.0
"""How long what a part has started may take to end."""


@dataclasses.dataclass
class Result:
    """What came of a part.

    Attributes:
        name: of the part.
        status: `done`, `failed`, `too slow` or `left out`.
        seconds: that it took.
        rows: of its table.
        said: sentences below it, the reason of a failure among them.
    """

    name: str
    status: str = "left out"
    seconds: float = 0.0
    rows: list[Row] = dataclasses.field(default_factory=list)
    said: list[str] = dataclasses.field(default_factory=list)

    def line(self) -> str:
        """Returns what is printed."""
        last = f": {self.said[-1]}" if self.said else ""
        return f"{self.name:14} {self.status:9} {self.seconds:6.1f} s  {len(self.rows)} rows{last}"


def run_part(name: str, setup: Setup, start: str) -> Result:
    """Runs a part for at most `setup.seconds`; what it had yielded by then is kept.

    Args:
        name: one of `PARTS`.
        setup: what it is given.
        start: how its process begins: `fork`, or `spawn` where a GPU is used.
    """
    result, began = Result(name), time.monotonic()
    context = multiprocessing.get_context(start)
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(name, setup, sender))  # type: ignore[attr-defined]
    process.start()
    sender.close()
    result.status = "too slow"
    try:
        while receiver.poll(max(0.0, setup.seconds - (time.monotonic() - began))):
            message = receiver.recv()
            if isinstance(message, dict):
                result.rows.append(message)
            elif isinstance(message, str):
                result.said.append(message)
            else:
                result.status = "done" if message else "failed"
                break
        else:
            result.said.append(f"it was ended after {setup.seconds:.0f} s")
    except EOFError:  # it died without a word
        process.join(END_S)
        result.status = "failed"
        result.said.append(f"its process ended with {process.exitcode}")
    if result.status != "too slow":
        process.join(END_S)
    _end(process, END_S if result.status == "too slow" else 1.0)
    result.seconds = time.monotonic() - began
    return result


def _end(process: multiprocessing.process.BaseProcess, patience: float) -> None:
    """Ends a process and all that it started: first in a way that lets them clean up for some seconds."""
    group = process.pid
    assert group is not None
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGTERM)
        until = time.monotonic() + patience
        while time.monotonic() < until:
            process.join(0.1)
            os.killpg(group, 0)  # raises once nothing is left
            time.sleep(0.1)
        os.killpg(group, signal.SIGKILL)
    process.kill()
    process.join()


def _work(name: str, setup: Setup, sender: Connection) -> None:
    os.setsid()
    log = os.open(setup.folder / f"{name}.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        import torch

        if not setup.gpu:
            torch.set_num_threads(1)
        for found in PARTS[name][0](setup):
            sender.send(found)
    except BaseException as error:
        traceback.print_exc()
        sender.send(f"{type(error).__name__}: {error}")
        sender.send(False)
    else:
        sender.send(True)
