"""Archs per second of each proxy over the whole space: the usual way, our plain proxy, and batched.

    python perf/proxy_throughput.py --proxies synflow naswot jacob_cov snip --cores 1 2

The usual way and the plain proxy have one process with as many threads as there are cores, as torch does by
itself; batched has one process of one thread for each core. Rounds go over the kinds in turn, so that a busy
machine slows all alike; the median round counts. `alone` is the batched proxy on the same archs as the rest.
Over the whole space it scores archs that are the same to it once, so that an arch costs less: `batched` is
`alone` times the share of multiply-adds that is left, or measured on a sample of the different nets where
archs run together, or have work in common with their neighbours. The time of a plain score is split into
building the net, the forward pass of the minibatch, and the rest (backward, kernels). On one core seconds are
those of the processor, which other work on the machine disturbs less than the clock.

The rows say what instructions the processor has. Another kind is emulated by leaving instructions out, and
the table of `docs/performance.md`, with columns for each kind, is printed from several files:

    export ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2
    python perf/proxy_throughput.py --cores 1 --out runs/proxy_throughput_avx2.csv
    python perf/processor_table.py runs/proxy_throughput.csv runs/proxy_throughput_avx2.csv
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import statistics
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import throughput_worker as worker
import torch
import tyro
from arithmetic import work
from reference_proxies import REFERENCE
from rich.console import Console
from rich.table import Table

from nas_ray.shared_weights import ONE_BY_ONE
from nas_ray.shared_weights.one_by_one import EVERY_RELU, alike_together
from nas_ray.spaces import NatsTss
from nas_ray.spaces.choice import choose_archs


@dataclasses.dataclass(frozen=True)
class Args:
    """What to measure."""

    proxies: tuple[str, ...] = ("synflow", "naswot", "jacob_cov", "snip", "grad_norm", "fisher")
    """Proxies with a batched form."""
    batch_sizes: tuple[int, ...] = (64,)
    """Images in the minibatch."""
    cores: tuple[int, ...] = (1, 2)
    """Cores to use."""
    device: str = "cpu"
    """Device, such as cpu or cuda."""
    num_archs: int = 8
    """Archs of a round, drawn with --seed."""
    num_together: int = 256
    """Archs of a round in a batched proxy that runs 64 of them together."""
    rounds: int = 3
    """Rounds."""
    images: str = "digits"
    """Images, as in the searches."""
    seed: int = 0
    """Seed that draws the archs."""
    out: Path = Path("runs/proxy_throughput.csv")
    """CSV file to write."""


TOGETHER = 64
"""Archs that run as one batch."""
RUN, RUNS = 32, 3
"""Neighbours that are scored one after the other, and how many such runs are measured."""


class Bench:
    """Processes, one for each core, and the archs that all kinds see."""

    def __init__(self, args: Args, batch_size: int, cores: int) -> None:
        self.args, self.cores = args, cores
        space = NatsTss()
        self.archs = choose_archs(space, args.num_archs, seed=args.seed)
        self.many = choose_archs(space, args.num_together, seed=args.seed)
        self.everything = list(space)
        self.pools = [
            ProcessPoolExecutor(
                1,
                multiprocessing.get_context("spawn"),
                initializer=worker.start,
                initargs=(args.images, batch_size, args.device, cores == 1 and args.device == "cpu"),
            )
            for _ in range(cores)
        ]

    def close(self) -> None:
        """Ends the processes."""
        for pool in self.pools:
            pool.shutdown()

    def milliseconds(self, name: str) -> dict[str, float]:
        """Returns the median milliseconds of one arch for each kind, with all cores at work."""
        kinds = [
            "plain",
            "batched",
            "alone",
            "build",
            "forward",
            *(["reference"] if name in REFERENCE else []),
        ]
        found: dict[str, list[float]] = {kind: [] for kind in kinds}
        for kind in kinds:  # warms up
            self.usual("batched" if kind == "alone" else kind, name, count=1)
        for _ in range(self.args.rounds):
            for kind in kinds:
                if kind != "alone":
                    times = self.batched(name) if kind == "batched" else {kind: self.usual(kind, name)}
                    for label, seconds in times.items():
                        found[label].append(1e3 * seconds)
        return {kind: statistics.median(values) for kind, values in found.items()}

    def usual(self, kind: str, name: str, count: int | None = None) -> float:
        """Returns the mean seconds of an arch in one process with a thread for each core."""
        done = self.pools[0].submit(worker.seconds_of, kind, name, self.archs[:count], self.cores)
        return statistics.mean(done.result())

    def batched(self, name: str) -> dict[str, float]:
        """Returns the mean seconds of an arch in one process for each core, over the space and alone."""
        if name in ONE_BY_ONE:
            way = ONE_BY_ONE[name][0]
            alone = float(self.in_all(name, [self.archs]).mean())
            if way is EVERY_RELU:
                return {"batched": self.neighbours(name), "alone": alone}
            return {"batched": alone * work(way)[0] / work(way, once=False)[0], "alone": alone}
        nets = worker.different(self.everything)
        drawn = np.random.default_rng(self.args.seed).choice(nets, size=len(self.many), replace=False)
        share = len(nets) / len(self.everything)
        return {
            "batched": share * float(self.in_all(name, cut(drawn.tolist())).mean()),
            "alone": float(self.in_all(name, cut(self.many)).mean()),
        }

    def neighbours(self, name: str) -> float:
        """Returns the mean seconds of an arch over the space, from nets that a chunk has side by side."""
        nets = worker.different(alike_together(self.everything), EVERY_RELU)
        starts = np.random.default_rng(self.args.seed).integers(0, len(nets) - RUN, size=RUNS)
        runs = [nets[start : start + RUN] for start in starts]
        return len(nets) / len(self.everything) * float(self.in_all(name, runs, kind="chunk").mean())

    def in_all(self, name: str, parts: Sequence[Sequence[str]], kind: str = "batched") -> np.ndarray:
        """Returns the seconds of each arch, in the order of `parts`, divided by the number of processes."""
        waiting = [
            [pool.submit(worker.seconds_of, kind, name, part, 1) for part in parts] for pool in self.pools
        ]
        per_process = [np.concatenate([w.result() for w in some]) for some in waiting]
        return np.mean(per_process, axis=0) / self.cores  # type: ignore[no-any-return]


def cut(archs: Sequence[str]) -> list[list[str]]:
    """Returns batches of archs that are alike, as the chunks of `score_space.py` are."""
    ordered = alike_together(archs)
    return [ordered[i : i + TOGETHER] for i in range(0, len(ordered), TOGETHER)]


def main(args: Args) -> None:
    rows: list[dict[str, object]] = []
    args.out.parent.mkdir(parents=True, exist_ok=True)
    for size in args.batch_sizes:
        for cores in args.cores:
            bench = Bench(args, size, cores)
            try:
                for name in args.proxies:
                    found = bench.milliseconds(name)
                    about = {"proxy": name, "images": size, "cores": cores, "processor": kind_of_processor()}
                    rows.append({**about, **found})
                    table = pd.DataFrame(rows)
                    table.to_csv(args.out, index=False)  # what is measured is kept
            finally:
                bench.close()
    show(table)


def kind_of_processor() -> str:
    """Returns the instructions that torch and oneDNN use, and whether others were left out."""
    kind = torch.backends.cpu.get_cpu_capability()
    return f"{kind}, emulated" if "ATEN_CPU_CAPABILITY" in os.environ else kind


def show(table: pd.DataFrame) -> None:
    """Prints milliseconds per arch and ratios."""
    print(f"Processor: {kind_of_processor()}")
    heads = ("proxy", "images", "cores", "reference ms", "plain ms", "alone ms", "batched ms", "archs/s")
    shown = Table(*heads, "x reference", "x plain", "build", "forward", "rest ms", box=None)
    for row in table.to_dict("records"):
        reference, plain, batched = (
            row.get(kind, float("nan")) for kind in ("reference", "plain", "batched")
        )
        numbers = (
            reference,
            plain,
            row["alone"],
            batched,
            1e3 / batched,
            reference / batched,
            plain / batched,
        )
        forward = max(0.0, row["forward"] - row["build"])
        split = (row["build"], forward, max(0.0, plain - row["build"] - forward))
        shown.add_row(
            row["proxy"], str(row["images"]), str(row["cores"]),
            *(f"{number:.1f}" for number in (*numbers, *split)),
        )  # fmt: skip
    Console(width=150).print(shown)


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__, config=(tyro.conf.FlagCreatePairsOff,)))
