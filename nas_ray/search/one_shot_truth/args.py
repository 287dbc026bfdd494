"""The arguments of `nas-ray one-shot-truth`; a light module, for quick answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from nas_ray.errors import UsageError, printable
from nas_ray.terminal.argument_groups import OutArgs
from nas_ray.terminal.lists import parted
from nas_ray.terminal.ranges import HERE, SOME, Range, check_ranges

METHODS = (
    *("darts1", "darts2", "gdas", "pc-darts", "drnas", "darts-", "sdarts-rs", "fair-darts", "beta-darts"),
    "rs-ws",
)


STRENGTH = Range(0.5, 1.0)


@dataclass(frozen=True)
class TruthArgs(OutArgs):
    """Which methods, how often, and on what."""

    out: Path | None = None
    """Folder of the tables (default: runs/one-shot-truth-TIME). Searches that it holds are not made again, so
    that the same command goes on after an interruption."""
    methods: tuple[str, ...] = METHODS
    """One-shot methods, each with changes as in darts1,penalty=beta."""
    seeds: Annotated[int, Range(1, 10_000)] = 20
    """Searches of every method at every strength of the shortcut, with the seeds 0, 1, 2 and so on, by which
    images and weights are drawn."""
    shortcuts: tuple[str, ...] = ("0.5", "0.7", "0.8", "0.9", "0.95")
    """How often the shortcut is right, each from 0.5, where it says nothing, to 1; separated by commas or
    spaces."""
    steps: Annotated[int, Range(5, 1_000_000)] = 120
    """Steps of a search, in 5 epochs."""
    batch_size: Annotated[int, SOME] = 32
    """Images of a batch."""
    channels: Annotated[int, Range(4, 4_096)] = 8
    """Width of the net, a multiple of 4 for pc-darts."""
    num_images: Annotated[int, Range(8, 1_000_000)] = 1_000
    """Generated images; one half trains weights, the other the architecture."""
    lr: Annotated[float, Range(0.0, 1e3, above=True)] = 0.1
    """First learning rate of the weights, for all methods that are given without one."""
    arch_lr: Annotated[float, Range(0.0, 1e3, above=True)] = 0.02
    """Learning rate of the architecture, for all methods that are given without one: published ones are for
    searches with a hundred times as many steps."""
    num_cpus: Annotated[int | None, HERE] = None
    """Processes to use (default: all cores); the results do not depend on it."""

    def check(self) -> None:
        """Checks what needs no torch.

        Raises:
            UsageError: a number out of range, a method that is none, or nothing to do.
        """
        check_ranges(self)
        if not self.methods or not self.strengths:
            raise UsageError("Methods and shortcuts must be named, one of each at least.")
        from nas_ray.shared_weights.methods.named import parse_method

        for text in self.methods:
            parse_method(text)

    @property
    def strengths(self) -> tuple[float, ...]:
        """The numbers of `shortcuts`.

        Raises:
            UsageError: one is no number from 0.5 to 1.
        """
        texts = parted(self.shortcuts)
        return tuple(_strength(text) for text in texts)


def _strength(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if value not in STRENGTH:
        raise UsageError(f"--shortcuts must be {STRENGTH}, got '{printable([text])[0]}'.")
    return value
