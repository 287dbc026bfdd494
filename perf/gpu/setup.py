"""What every part is given, and what several of them need."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from nas_ray.images.image_data import ImageDataModule
from nas_ray.spaces import NatsTss

ROOT = Path(__file__).parents[2]
MIB = 2**20
CLASSES = 10

Row = dict[str, object]
Part = Callable[["Setup"], Iterator[Row | str]]
"""Yields rows of its table, and sentences that stand below it."""


@dataclasses.dataclass(frozen=True)
class Setup:
    """Where and on what is measured.

    Attributes:
        device: `cuda` or `cpu`.
        tiny: so little that it only shows that everything runs.
        images: as in the searches.
        benchmark: as in the searches.
        folder: for what a part leaves.
        seconds: how long the part may take.
    """

    device: str
    tiny: bool
    images: str
    benchmark: str
    folder: Path
    seconds: float = 60.0

    @property
    def gpu(self) -> bool:
        """Whether it is on a GPU."""
        return self.device != "cpu"

    @property
    def accelerator(self) -> str:
        """Lightning's name of the device."""
        return "gpu" if self.gpu else "cpu"

    @property
    def space(self) -> NatsTss:
        """The published space, or its smallest nets."""
        return NatsTss(4, 1) if self.tiny else NatsTss()

    @property
    def resources(self) -> list[str]:
        """The options of a command that say what it may use."""
        return ["--num-gpus", "1"] if self.gpu else ["--num-gpus", "0", "--num-cpus", "1"]

    def some(self, many: int, few: int) -> int:
        """Returns `many`, or `few` where all is tiny."""
        return few if self.tiny else many

    def batch(self, size: int = 64, few: int = 8) -> tuple[Tensor, Tensor]:
        """Returns a minibatch on the CPU."""
        return ImageDataModule(self.images, batch_size=self.some(size, few)).minibatch()

    def synchronize(self) -> None:
        """Waits for the GPU."""
        if self.gpu:
            torch.cuda.synchronize()

    def timed(self, work: Callable[[], object]) -> float:
        """Returns the seconds of `work()`, to its end on the device."""
        self.synchronize()
        start = time.perf_counter()
        work()
        self.synchronize()
        return time.perf_counter() - start

    def fastest(self, work: Callable[[], object], repeats: int = 5) -> float:
        """Returns the seconds of the fastest of some calls, after one that warms up."""
        work()
        return min(self.timed(work) for _ in range(self.some(repeats, 1)))

    def random_images(self, count: int) -> str:
        """Returns a source of `count` random colour images of 32 pixels, for trainings whose speed counts."""
        path = self.folder / f"random-{count}.npz"
        rng = np.random.default_rng(0)
        parts = {}
        for name, number in (("train", count), ("test", 100)):
            parts[f"x_{name}"] = rng.integers(0, 256, (number, 32, 32, 3), dtype=np.uint8)
            parts[f"y_{name}"] = np.arange(number) % CLASSES
        np.savez(path, **parts)
        return f"npz:{path}"


def command(name: str, options: list[str], seconds: float) -> float:
    """Runs `experiments/name.py` in the group of this process; returns its seconds.

    Raises:
        RuntimeError: it failed, with the end of what it said.
        TimeoutError: it took longer than `seconds`; it was ended as Ctrl-C ends it.
    """
    environment = {key: value for key, value in os.environ.items() if key != "RAY_ADDRESS"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    start = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, str(ROOT / "experiments" / f"{name}.py"), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    ) as process:
        try:
            said, _ = process.communicate(timeout=max(1.0, seconds))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            process.communicate()
            raise TimeoutError(f"{name} took longer than {seconds:.0f} s") from None
    if process.returncode:
        raise RuntimeError(f"{name} ended with {process.returncode}: {said[-1500:]}")
    return time.perf_counter() - start
