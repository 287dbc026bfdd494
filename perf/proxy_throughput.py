"""Archs per second of each proxy: the usual way, our plain proxy, and batched, side by side in one run.

    python perf/proxy_throughput.py --proxies synflow naswot jacob_cov snip --threads 1 2

Rounds go over the three kinds in turn, so that a busy machine slows all alike; the median round counts. The
time of a plain score is split into building the net, the forward pass, and the rest (backward, kernels).
"""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import torch
import tyro
from reference_proxies import REFERENCE
from rich.console import Console
from rich.table import Table
from torch import Tensor

from nas_ray.batched import BATCHED
from nas_ray.memory import keep_freed_memory
from nas_ray.modules.data import ImageDataModule
from nas_ray.proxies import PROXIES
from nas_ray.scoring_run import choose_archs
from nas_ray.spaces import NatsTss
from nas_ray.spaces.supernet import Supernet


@dataclasses.dataclass(frozen=True)
class Args:
    """What to measure."""

    proxies: tuple[str, ...] = ("synflow", "naswot", "jacob_cov", "snip", "grad_norm", "fisher")
    """Proxies with a batched form."""
    batch_sizes: tuple[int, ...] = (64,)
    """Images in the minibatch."""
    threads: tuple[int, ...] = (1,)
    """Threads of torch."""
    devices: tuple[str, ...] = ("cpu",)
    """Devices, such as cpu or cuda."""
    num_archs: int = 6
    """Archs of a round one net at a time, drawn with --seed."""
    num_batched: int = 64
    """Archs of a round in a batched proxy that runs them together; the others take --num-archs."""
    rounds: int = 3
    """Rounds."""
    images: str = "digits"
    """Images, as in the searches."""
    seed: int = 0
    """Seed that draws the archs."""
    out: Path = Path("runs/proxy_throughput.csv")
    """CSV file to write."""


TOGETHER = ("synflow", "logsynflow", "params", "flops", "l2_norm", "num_conv")
"""Batched proxies that run archs together."""


@dataclasses.dataclass
class Bench:
    """One setting, in which every kind sees the same archs and images."""

    supernet: Supernet
    inputs: Tensor
    targets: Tensor
    archs: Sequence[str]
    many: Sequence[str]

    def kinds(self, name: str) -> dict[str, Callable[[], object]]:
        """Returns what to time, each giving the scores of `archs`; batched together, of `many`."""
        batch = self.inputs, self.targets
        last = self.inputs.contiguous(memory_format=torch.channels_last), self.targets
        known = {"reference": REFERENCE[name]} if name in REFERENCE else {}
        one_by_one = {**known, "plain": PROXIES[name]}
        return {
            **{
                kind: (lambda f=f: [f(self.build(arch), *batch) for arch in self.archs])
                for kind, f in one_by_one.items()
            },
            "batched": lambda: BATCHED[name](
                self.supernet, self.many if name in TOGETHER else self.archs, *last
            ),
            "build": lambda: [self.build(arch) for arch in self.archs],
            "forward": lambda: [self.forward(arch) for arch in self.archs],
        }

    def build(self, arch: str) -> torch.nn.Module:
        """Returns a new net."""
        return self.supernet.space.build(arch, self.supernet.num_classes).to(self.inputs.device)

    def forward(self, arch: str) -> None:
        """Builds a net and runs it forward."""
        with torch.no_grad():
            self.build(arch)(self.inputs)


def median_seconds(bench: Bench, name: str, rounds: int) -> dict[str, float]:
    """Returns the seconds of one arch for each kind."""
    kinds = bench.kinds(name)
    seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
    for turn in range(rounds + 1):
        for kind, run in kinds.items():
            start = time.perf_counter()
            run()
            if bench.inputs.is_cuda:
                torch.cuda.synchronize()
            count = len(bench.many if kind == "batched" and name in TOGETHER else bench.archs)
            if turn:  # the first one warms up
                seconds[kind].append((time.perf_counter() - start) / count)
    return {kind: statistics.median(values) for kind, values in seconds.items()}


def main(args: Args) -> None:
    keep_freed_memory()
    rows = []
    for device in args.devices:
        for size in args.batch_sizes:
            space = NatsTss()
            torch.manual_seed(0)
            supernet = Supernet(space, 10).to(device)
            inputs, targets = (
                t.to(device) for t in ImageDataModule(args.images, batch_size=size).minibatch()
            )
            drawn = choose_archs(space, max(args.num_archs, args.num_batched), seed=args.seed)
            bench = Bench(supernet, inputs, targets, drawn[: args.num_archs], drawn[: args.num_batched])
            for threads in args.threads:
                torch.set_num_threads(threads)
                for name in args.proxies:
                    found = median_seconds(bench, name, args.rounds)
                    rows.append(
                        {"proxy": name, "device": device, "images": size, "threads": threads, **found}
                    )
    table = pd.DataFrame(rows)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(args.out, index=False)
    show(table)


def show(table: pd.DataFrame) -> None:
    """Prints milliseconds per arch and ratios."""
    heads = ("proxy", "device", "images", "threads", "reference ms", "plain ms", "batched ms", "archs/s")
    shown = Table(*heads, "x reference", "x plain", "build", "forward", "rest ms", box=None)
    for row in table.to_dict("records"):
        reference, plain, batched = (
            row.get(kind, float("nan")) for kind in ("reference", "plain", "batched")
        )
        build, forward = row["build"], row["forward"] - row["build"]
        numbers = (
            1e3 * reference,
            1e3 * plain,
            1e3 * batched,
            1 / batched,
            reference / batched,
            plain / batched,
        )
        split = (1e3 * build, 1e3 * forward, 1e3 * max(0.0, plain - build - forward))
        shown.add_row(
            row["proxy"], row["device"], str(row["images"]), str(row["threads"]),
            *(f"{number:.1f}" for number in (*numbers, *split)),
        )  # fmt: skip
    Console(width=150).print(shown)


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__, config=(tyro.conf.FlagCreatePairsOff,)))
