"""Chooses a score by validation accuracy on CIFAR-10, and judges that one alone by what was not used."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track

from nas_ray.benchmarks import Benchmark, open_benchmark
from nas_ray.benchmarks.whole import benchmark_accuracy, known_benchmarks
from nas_ray.errors import UsageError
from nas_ray.process.started import command_for
from nas_ray.reproduce.args import ChooseArgs
from nas_ray.reproduce.choices import judge
from nas_ray.reproduce.for_searches import (
    BESIDE,
    choose_for_searches,
    confirm,
    scores_of,
    show_confirmed,
    show_tried,
)
from nas_ray.reproduce.known import mean_span
from nas_ray.reproduce.made import Made, in_folder
from nas_ray.reproduce.record.stored import COUNTED
from nas_ray.searchers.cheap_score import ScoreTable
from nas_ray.spaces.nats_sss import NatsSss
from nas_ray.spaces.nats_tss import NatsTss
from nas_ray.terminal.console import Rows, error_console, put, say
from nas_ray.terminal.next_steps import options_of
from nas_ray.terminal.ranges import check_ranges

EXPERIMENT = "choose"
CHOSEN_ON, EPOCHS = "cifar10", 200
FREE = ("params", "num_conv", "skip")
"""Scores that the archs say themselves; with `--for-ranks` those of `COUNTED`."""


def choose(args: ChooseArgs, console: Console) -> int:
    """Prints the choices and writes them to the folder; returns the exit code.

    Raises:
        UsageError: files or a benchmark that lack something.
    """
    check(args)
    out = args.out or Path("runs") / f"{EXPERIMENT}-{time.strftime('%Y%m%d-%H%M%S')}"
    if args.for_ranks:
        from nas_ray.reproduce.record.choose_ranks import by_ranks

        return in_folder(out, EXPERIMENT, args, by_ranks(args, out, console), console)
    space = NatsTss()
    sets = [stored(path, args.scores, space) for path in args.scores_file]
    valid = validation(open_benchmark(args.benchmark, CHOSEN_ON), args.benchmark, space)
    benchmarks = known_benchmarks(args.benchmark)  # told before the work
    known = Known(space, sets, valid, benchmarks)
    make = by_searches if args.for_searches else by_archs
    return in_folder(out, EXPERIMENT, args, lambda: make(known, args, console), console)


@dataclass(frozen=True)
class Known:
    """What a choice is made with.

    Attributes:
        space: whose archs these are.
        scores: stored ones `[archs]` by name, one mapping per initialisation.
        valid: validation accuracy `[archs]` on CIFAR-10 in percent.
        benchmarks: by dataset.
    """

    space: NatsTss
    scores: Sequence[Mapping[str, np.ndarray]]
    valid: np.ndarray
    benchmarks: Mapping[str, Benchmark]


def by_archs(known: Known, args: ChooseArgs, console: Console) -> Made:
    """Returns the choice by the arch of the whole space that each score likes best."""
    lines, places = judge(known.space.archs, known.scores, known.valid)

    def told() -> None:
        show(lines, args.top, console)
        first = next(iter(places.values()))
        say(console, outcome(lines, known.valid))
        report_test([known.space[place] for place in first], known.benchmarks, console)

    words = options_of(args, "benchmark", "scores_file", "scores")
    then = (command_for("best_arch"), command_for(EXPERIMENT, "--for-searches", *words))
    return Made({"choices": lines}, told, then)


def by_searches(known: Known, args: ChooseArgs, console: Console) -> Made:
    """Returns the choice by what searches find on one half, and what it is worth elsewhere.

    Raises:
        UsageError: the benchmark cannot be read as a whole.
    """
    archs, seeds = known.space.archs, args.seeds
    accuracy = {f"{CHOSEN_ON} valid_acc": known.valid}
    for dataset, benchmark in known.benchmarks.items():
        own = benchmark_accuracy(benchmark)
        accuracy[f"{dataset} {benchmark.acc_column}"] = np.array([own[arch] for arch in archs])
    errors = error_console()
    chosen = choose_for_searches(
        archs,
        known.scores,
        known.valid,
        seeds=seeds,
        watched=lambda texts: track(texts, f"{len(texts)} fitnesses", console=errors, transient=True),
    )
    beside = [text for text in BESIDE if set(scores_of(text)) <= set(known.scores[0])]
    texts = list(dict.fromkeys([chosen.fitness, chosen.best, *beside]))
    confirmed = confirm(archs, known.scores, accuracy, texts, seeds=seeds)

    def told() -> None:
        show_tried(chosen, args.top, console)
        show_confirmed(confirmed, console)
        say(console, f"Chosen: {chosen.fitness}")

    words: list[str | Path] = ["--proxies", *scores_of(chosen.fitness), "--fitness", chosen.fitness]
    stored_in = options_of(args, "benchmark", "scores_file")
    compare = command_for("compare", "rea", "local_search", "--by", chosen.fitness, *stored_in)
    return Made({"tried": chosen.tried, "confirmed": confirmed}, told, (command_for("rea", *words), compare))


def check(args: ChooseArgs) -> None:
    """Checks what does not depend on data.

    Raises:
        UsageError: no scores or files, one of them twice, or nothing to show.
    """
    check_ranges(args)
    if args.for_ranks and args.for_searches:
        raise UsageError("Either --for-ranks or --for-searches may be given, got both; leave one out.")
    if args.space != NatsTss.name and not args.for_ranks:
        raise UsageError(
            f"The choice is for nats-tss, got --space {args.space}; add --for-ranks for another space."
        )
    counted = COUNTED if args.for_ranks else FREE
    if args.space == NatsSss.name:
        if args.scores_file:
            raise UsageError("For nats-sss archs are ranked by their widths alone; leave --scores-file out.")
        return
    if not args.scores_file:
        raise UsageError("Stored scores are needed, got no --scores-file; give those of nas-ray score-space.")
    for option, given in (("scores-file", args.scores_file), ("scores", args.scores)):
        if len(set(given)) < len(given):
            raise UsageError(f"--{option} must name each once, got {' '.join(map(str, given))}.")
    if free := [name for name in args.scores if name in counted]:
        raise UsageError(f"{free[0]} comes from the archs and takes part anyway; leave it out of --scores.")


def stored(path: Path, names: tuple[str, ...], space: NatsTss) -> dict[str, np.ndarray]:
    """Returns `[archs]` of each stored score, and of those that the arch says.

    Raises:
        UsageError: no such table or column, or an arch without a score.
    """
    ones, threes = np.array([space.cost_class(arch) for arch in space], dtype=float).T
    free = {
        "params": ones + 9 * threes,  # in the order of the parameters of the nets, whatever their width
        "num_conv": ones + threes,
        "skip": np.array([mean_span(arch) for arch in space]),
    }
    return {**{name: np.array(ScoreTable(path, name)(space.archs)) for name in names}, **free}


def validation(benchmark: Benchmark | None, spec: str, space: NatsTss) -> np.ndarray:
    """Returns the validation accuracy `[archs]` after the full schedule, in percent.

    Raises:
        UsageError: the benchmark does not hold it.
    """
    if benchmark is None:
        raise UsageError(f"A score is chosen by validation accuracy, which --benchmark {spec} does not hold.")
    return np.array([benchmark.query(arch, EPOCHS).valid_acc for arch in space])


def show(lines: pd.DataFrame, top: int, console: Console) -> None:
    """Prints the first choices."""
    table = Rows("score", "valid_acc on cifar10", "different archs", box=None)
    for line in lines.head(top).to_dict("records"):
        table.add_row(str(line["score"]), f"{line['valid_acc']:.3f}", str(line["archs"]))
    put(console, table)


def outcome(lines: pd.DataFrame, valid: np.ndarray) -> str:
    """Returns what came out in two sentences."""
    equal = int((lines["valid_acc"] >= lines["valid_acc"].iloc[0] - 1e-9).sum())
    return (
        f"{len(lines)} choices were tried; {equal} share the first place, of which the simplest is taken, "
        f"{lines['score'].iloc[0]}. The best arch of all has {valid.max():.3f}."
    )


def report_test(archs: list[str], benchmarks: Mapping[str, Benchmark], console: Console) -> None:
    """Prints the test accuracy of the archs of the choice: mean and deviation over the initialisations."""
    for dataset, benchmark in benchmarks.items():
        values = np.array([benchmark.test_acc(arch) for arch in archs])
        say(console, f"{dataset}: {benchmark.acc_column} {values.mean():.2f} +- {values.std():.2f}")
    say(console, "  ".join(dict.fromkeys(archs)))
