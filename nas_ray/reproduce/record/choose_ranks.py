"""`nas-ray choose-score --for-ranks`: the choice of a rule, as a file that `nas-ray record` judges."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track

from nas_ray.benchmarks.base import Benchmark
from nas_ray.benchmarks.whole import known_benchmarks
from nas_ray.errors import UsageError
from nas_ray.images.datasets import DATASETS
from nas_ray.process.started import command_for
from nas_ray.reproduce.args import ChooseArgs
from nas_ray.reproduce.made import Made
from nas_ray.reproduce.record.choosing import choose_topologies
from nas_ray.reproduce.record.rules import RULES, Rule, to_text
from nas_ray.reproduce.record.sizes import choose_sizes, read_sizes
from nas_ray.reproduce.record.stored import COUNTED, scored
from nas_ray.spaces.nats_sss import NatsSss
from nas_ray.spaces.nats_tss import NatsTss
from nas_ray.terminal.console import Rows, error_console, put, say
from nas_ray.terminal.next_steps import options_of

EPOCHS = NatsTss.schedules[-1]
RULE = "rule.json"


def by_ranks(args: ChooseArgs, out: Path, console: Console) -> Callable[[], Made]:
    """Returns what makes the choice, which goes to the folder `out`; all files are read before.

    Raises:
        UsageError: another space, or files that lack something.
    """
    if args.space not in RULES:
        raise UsageError(
            f"With --for-ranks the space must be {' or '.join(RULES)}, got --space {args.space}."
        )
    if args.space == NatsSss.name:
        table = read_sizes(Path(args.benchmark))
        return lambda: _made(*choose_sizes(table), args, out, console)
    names = (*COUNTED, *args.scores)
    found = scored(args.scores_file, names)
    archs = NatsTss().archs
    valid = {dataset: valid_acc(one) for dataset, one in known_benchmarks(args.benchmark).items()}
    if not valid:
        raise UsageError(
            f"A score is chosen by validation accuracy, and --benchmark {args.benchmark} has none."
        )
    errors = error_console()
    return lambda: _made(
        *choose_topologies(
            archs,
            found,
            valid,
            names,
            lambda some: track(some, f"{len(some)} sums", console=errors, transient=True),
        ),
        args,
        out,
        console,
    )


def valid_acc(benchmark: Benchmark) -> np.ndarray:
    """Returns the validation accuracy `[archs]` after the full schedule, in percent.

    Raises:
        UsageError: the benchmark does not hold it.
    """
    return np.array([benchmark.query(arch, EPOCHS).valid_acc for arch in NatsTss()])


def _made(rule: Rule, tried: pd.DataFrame, args: ChooseArgs, out: Path, console: Console) -> Made:
    command = (
        f"nas-ray choose-score --for-ranks{'' if args.space == NatsTss.name else f' --space {args.space}'}"
    )
    rule = dataclasses.replace(rule, chosen={**rule.chosen, "command": command})
    words = options_of(args, "space", "scores_file", "benchmark")
    then = command_for("record", *words, "--rule-file", out / RULE)

    def told() -> None:
        _show(tried.head(args.top), rule.chosen, console)

    return Made({"tried": tried}, told, (then,), {RULE: to_text(rule)})


def _show(lines: pd.DataFrame, chosen: Mapping[str, object], console: Console) -> None:
    """Prints the first candidates and how they were judged."""
    given = [name for name in lines if name not in ("spearman", *DATASETS)]
    datasets = [name for name in lines if name in DATASETS]
    table = Rows(*given, "Spearman", *datasets, box=None)
    for line in lines.to_dict("records"):
        cells = [f"{line[name]:.4f}" for name in ("spearman", *datasets)]
        table.add_row(*(str(line[name]) for name in given), *cells)
    put(console, table)
    say(console, f"Chosen on {chosen['on']}, among {chosen['among']}, by the {chosen['by']}: the first.")
