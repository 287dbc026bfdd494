"""How much of the true front of accuracy and latency searchers find in 200 evaluations, on 27 devices.

    python perf/front_searchers.py --benchmark nats_tss.csv.gz --costs nats_tss_latency.csv.gz
    python perf/front_searchers.py --dataset cifar100 --searchers nsga2 pareto_local_search --out
    runs/c100.csv

Each column of the table of costs is a device. The settings of `pareto_local_search` were chosen on five of
them (`CHOSEN_ON`); the others judge. Each run is a line of the file `--out`, and the same command goes on
where it was stopped, or prints the tables again. Medians over the seeds are of the hypervolume as a share of
that of the true front; `strict` is the same in the box of the true front alone, between its own worst and
best values.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import tyro

from nas_ray.benchmarks.costs import CostTable
from nas_ray.report.true_front import TrueFront
from nas_ray.reproduce.args import CompareArgs
from nas_ray.reproduce.at_work import at_work
from nas_ray.reproduce.fronts.ground import ground, wanted
from nas_ray.reproduce.fronts.searching import search
from nas_ray.reproduce.fronts.settings import front_settings
from nas_ray.reproduce.look_up import know
from nas_ray.reproduce.tables import Table
from nas_ray.spaces import NatsTss

CHOSEN_ON = ("pixel2", "1080ti_256", "gold_6240", "fpga", "titan_rtx_1")
"""A phone, a large batch on a GPU, a CPU, an FPGA, and a small batch on a GPU."""
AIM = 0.99


@dataclass(frozen=True)
class Args:
    """What is compared."""

    benchmark: str = "nats_tss.csv.gz"
    """Table of accuracy."""
    costs: str = "nats_tss_latency.csv.gz"
    """Table of costs, a column per device."""
    dataset: str = "cifar10"
    """Of the accuracy."""
    by: str = "valid_acc_200"
    """The accuracy that is maximised."""
    searchers: tuple[str, ...] = (
        "random_search", "rea", "nsga2", "nsga2,population=10", "pareto_local_search,ahead=false",
        "pareto_local_search",
    )  # fmt: skip
    """As `compare-searchers` takes them."""
    devices: tuple[str, ...] = ()
    """Columns of the costs; none means all."""
    seeds: int = 30
    """Runs of each on each device."""
    evaluations: int = 200
    """Of each run."""
    out: Path = Path("runs/front_searchers.csv")
    """Table of runs."""


def made(args: Args) -> pd.DataFrame:
    """Returns the runs, of which those that the table lacks are made."""
    runs = pd.read_csv(args.out) if args.out.exists() else pd.DataFrame()
    space = NatsTss()
    table = CostTable(args.costs, space)
    columns = [f"{table.name}:{device}" for device in args.devices] or table.columns
    known = None
    for column in columns:
        device = column.partition(":")[2]
        missing = [name for name in args.searchers if not _held(runs, device, name, args.seeds)]
        if not missing:
            continue
        asked = CompareArgs(
            objectives=f"accuracy,-{column}", costs=(args.costs,), by=args.by, benchmark=args.benchmark,
            evaluations=args.evaluations,
        )  # fmt: skip
        what = wanted(asked, space)
        settings, _ = front_settings(missing, asked, what, space, workers=1)
        known = known or know([Table("", "", "", settings=tuple(settings))], args.benchmark, (), 0.0)
        here = ground(known, what, args.by, [args.dataset])
        truth = here.truths[args.dataset]
        strict = TrueFront(truth.values[truth.places])
        for setting in settings:
            with at_work(here, 1) as done:
                ((_, found),) = done(search, [(setting, tuple(range(args.seeds)), (args.dataset,))])
            places = found.fronts["arch"].map(here.place).to_numpy()
            seeds = found.fronts["seed"].to_numpy()
            own = [strict.ratio(truth.values[places[seeds == seed]]) for seed in found.answers["seed"]]
            new = found.answers.assign(device=device, strict=own, true_points=len(truth.places))
            runs = pd.concat([runs, new.drop(columns="judged")], ignore_index=True)
            args.out.parent.mkdir(parents=True, exist_ok=True)
            runs.to_csv(args.out, index=False)
            print(f"{device} {setting.title} {new['ratio'].median():.4f}", flush=True)
    devices = [column.partition(":")[2] for column in columns]
    return runs[runs["device"].isin(devices) & runs["setting"].isin(args.searchers)]


def _held(runs: pd.DataFrame, device: str, name: str, seeds: int) -> bool:
    return len(runs) > 0 and ((runs["device"] == device) & (runs["setting"] == name)).sum() >= seeds


def tables(runs: pd.DataFrame, searchers: tuple[str, ...]) -> str:
    """Returns the medians of each device, and how many devices reach the aim, as Markdown."""
    medians = runs.groupby(["device", "setting"])["ratio"].median().unstack()[list(searchers)]
    strict = runs.groupby(["device", "setting"])["strict"].median().unstack()[list(searchers)]
    igd = runs.groupby(["device", "setting"])["igd_plus"].median().unstack()[list(searchers)]
    points = runs.groupby("device")["true_points"].first()
    chosen = medians.index.isin(CHOSEN_ON)
    lines = ["| device | true front | " + " | ".join(f"`{name}`" for name in searchers) + " |"]
    lines.append("|---|---|" + "---|" * len(searchers))
    for device, row in medians.iterrows():
        mark = " (chosen on)" if device in CHOSEN_ON else ""
        lines.append(f"| {device}{mark} | {points[device]} | " + " | ".join(f"{v:.4f}" for v in row) + " |")
    lines += [
        "",
        "| searcher | devices | reach .99 | least | median | reach .99, strict | median, strict | IGD+ |",
    ]
    lines.append("|---|---|---|---|---|---|---|---|")
    for name in searchers:
        for said, part in (("5 chosen on", chosen), ("judged", ~chosen)):
            own, hard, far = medians[name][part], strict[name][part], igd[name][part]
            if len(own):
                lines.append(
                    f"| `{name}` | {len(own)} {said.removeprefix('5 ')} | {(own >= AIM).sum()} | "
                    f"{own.min():.4f} | {own.median():.4f} | {(hard >= AIM).sum()} | {hard.median():.4f} | "
                    f"{far.median():.4f} |"
                )
    return "\n".join(lines)


def main() -> None:
    args = tyro.cli(Args, description=__doc__)
    print(tables(made(args), args.searchers))


if __name__ == "__main__":
    main()
