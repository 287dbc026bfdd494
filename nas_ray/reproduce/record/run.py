"""`nas-ray record`: judges a rule that was fixed before, beside what counting tells."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console

from nas_ray.benchmarks.whole import benchmark_accuracy, known_benchmarks
from nas_ray.errors import UsageError
from nas_ray.images.datasets import DATASETS
from nas_ray.process.started import command_for
from nas_ray.reproduce.made import Made, in_folder
from nas_ray.reproduce.record.args import RecordArgs
from nas_ray.reproduce.record.choosing import parts
from nas_ray.reproduce.record.judging import lines_of, regret
from nas_ray.reproduce.record.rules import SizeRule, TopologyRule, read_rule
from nas_ray.reproduce.record.sizes import Sizes, read_sizes, widths_of
from nas_ray.reproduce.record.stored import COUNTED, Scored, of_dataset, only, scored
from nas_ray.reproduce.record.telling import show, show_regret, to_markdown
from nas_ray.searchers.fitness import Combined, parse_fitness
from nas_ray.spaces.nats_sss import NatsSss
from nas_ray.spaces.nats_tss import NatsTss
from nas_ray.terminal.next_steps import options_of

EXPERIMENT = "record"
RECORD, TOGETHER = "the rule", "the rule, mean of initialisations"
BASELINES = ("live_ops", "clear_paths", "params")
"""What counting tells beside the rule; multiply-adds order archs of nats-tss as parameters do."""


def run(args: RecordArgs, console: Console) -> int:
    """Judges, prints the tables and writes them to the folder; returns the exit code.

    Raises:
        UsageError: a rule, scores or a table that lack something.
    """
    out = args.out or Path("runs") / f"{EXPERIMENT}-{args.space}-{time.strftime('%Y%m%d-%H%M%S')}"
    rule = read_rule(args.space, args.rule_file)
    if isinstance(rule, SizeRule):
        table, used = _sizes(args, rule)
        return in_folder(
            out, EXPERIMENT, args, lambda: judged_sizes(rule, table, used, args, console), console
        )
    found = scored(args.scores_file, [*COUNTED, *rule.names])
    if dict(found[0].nets) != dict(rule.nets):
        raise UsageError(
            f"The rule is for nets of {_words(rule.nets)}, got scores of {_words(found[0].nets)}."
        )
    benchmarks = known_benchmarks(args.benchmark)
    if not benchmarks:
        raise UsageError(f"A rule is judged by accuracy, which --benchmark {args.benchmark} does not hold.")
    truth = {name: np.array(list(benchmark_accuracy(one).values())) for name, one in benchmarks.items()}
    columns = ", ".join(dict.fromkeys(one.acc_column for one in benchmarks.values()))
    return in_folder(
        out, EXPERIMENT, args, lambda: judged_topologies(rule, found, truth, columns, args, console), console
    )


def _words(nets: Mapping[str, int]) -> str:
    return " and ".join(f"{name} {value}" for name, value in nets.items())


def judged_topologies(
    rule: TopologyRule,
    found: Sequence[Scored],
    truth: Mapping[str, np.ndarray],
    columns: str,
    args: RecordArgs,
    console: Console,
) -> Made:
    """Returns the correlations of the rule and of what counting tells, on each group of archs."""
    lines = []
    for title, mine in parts(NatsTss().archs).items():
        some = [only(one, mine) for one in found]
        accuracy = {dataset: values[mine] for dataset, values in truth.items()}
        for who, sets in contestants(rule, some, list(truth)).items():
            own = lines_of(who, sets, accuracy)
            lines += [{"archs": title, "number": int(mine.sum()), **line} for line in own]
    table = pd.DataFrame(lines)
    said = [f"Rule: {rule.fitness}, shares on {rule.chosen.get('on', 'archs that its file does not name')}."]
    said.append(f"Accuracy: {columns} of {args.benchmark}.")

    def told() -> None:
        show(table, args.space, said, console)

    words = ["--proxies", ",".join(rule.names), "--fitness", rule.fitness]
    then = (command_for("rea", *words, *options_of(args, "benchmark")),)
    return Made({"record": table}, told, then, {"record.md": to_markdown(table, args.space)})


def contestants(
    rule: TopologyRule, found: Sequence[Scored], datasets: Sequence[str]
) -> dict[str, dict[str, list[np.ndarray]]]:
    """Returns by what is judged and dataset the values `[archs]` of each initialisation."""
    sets = {dataset: of_dataset(found, dataset) for dataset in datasets}
    values = {
        dataset: [rule.values(one.scores, one.image_size) for one in own] for dataset, own in sets.items()
    }
    within = parse_fitness(rule.fitness, rule.names)
    judged = {RECORD: values, TOGETHER: {name: [np.mean(own, axis=0)] for name, own in values.items()}}
    if isinstance(within, Combined):
        judged[f"{rule.kind} within these archs"] = {
            dataset: [_within(within, one) for one in own] for dataset, own in sets.items()
        }
    for name in rule.names:
        if name not in COUNTED:
            judged[name] = {
                dataset: [_worst(one.scores[name]) for one in own] for dataset, own in sets.items()
            }
    for name in BASELINES:
        judged[name] = {dataset: [own[0].scores[name]] for dataset, own in sets.items()}
    return judged


def _worst(scores: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(scores), scores, -np.inf)


def _within(fitness: Combined, one: Scored) -> np.ndarray:
    """Returns the sum of ranks within these archs, as searches make it."""
    columns = np.array([_worst(one.scores[name]) for name in fitness.names])
    defined = np.isfinite(columns).all(axis=0)
    values = np.full(len(defined), -np.inf)
    values[defined] = fitness.combine(columns, defined)
    return values


def _sizes(args: RecordArgs, rule: SizeRule) -> tuple[Sizes, dict[str, np.ndarray]]:
    """Returns the archs that are judged, and by title which of them belong together.

    Raises:
        UsageError: a table that lacks something, or not the one that the rule was chosen with.
    """
    if args.scores_file:
        raise UsageError("The rule of nats-sss needs the archs alone; leave --scores-file out.")
    table = read_sizes(Path(args.benchmark))
    first = table if args.chosen_on is None else read_sizes(args.chosen_on)
    if rule.chosen.get("table") != first.digest:
        raise UsageError(
            "The rule was chosen with another table than "
            f"{args.benchmark if args.chosen_on is None else args.chosen_on}; name that one with --chosen-on."
        )
    used = {arch for arch, mine in zip(first.archs, first.chosen_on(), strict=True) if mine}
    held = set(first.archs)
    mine = np.array([arch in used for arch in table.archs])
    there = np.array([arch in held for arch in table.archs])
    titles = {"chosen on": mine, "apart": there & ~mine, "not in that table": ~there, "all": mine | True}
    return table, {title: those for title, those in titles.items() if those.sum() > 1}


def judged_sizes(
    rule: SizeRule, table: Sizes, used: Mapping[str, np.ndarray], args: RecordArgs, console: Console
) -> Made:
    """Returns correlations and regrets of the rule and of what counting tells, for each group of archs."""
    began = time.process_time()  # which other work on the machine does not change
    everything = NatsSss().archs
    widths = widths_of(everything)
    for info in DATASETS.values():
        rule.values(widths, info.num_classes)
    seconds = time.process_time() - began
    plain = SizeRule((1.0,) * 5, 1.0, 0, {})
    lines: list[dict[str, object]] = []
    costs: list[dict[str, object]] = []
    for title, mine in used.items():
        for dataset, accuracy in table.accuracy.items():
            classes = DATASETS[dataset].num_classes
            params = table.params(dataset)[mine]
            values = {
                RECORD: rule.values(table.widths[mine], classes),
                "log_width": plain.values(table.widths[mine], classes),
                "params": params.astype(float),
            }
            group = {"archs": title, "number": int(mine.sum())}
            for who, own in values.items():
                lines += [
                    {**group, **line} for line in lines_of(who, {dataset: [own]}, {dataset: accuracy[mine]})
                ]
            archs = [arch for arch, there in zip(table.archs, mine, strict=True) if there]
            for cost in regret(values, accuracy[mine], params):
                cost["arch"] = archs[int(str(cost.pop("place")))]
                costs.append({**group, "dataset": dataset, **cost})
    ranks, regrets = pd.DataFrame(lines), pd.DataFrame(costs)
    words = " ".join(f"{weight:g}" for weight in rule.weights)
    said = [
        f"Rule: logarithms of the widths by {words}, of the smaller of the last and the classes"
        f"{f' less {rule.fewer}' if rule.fewer else ''} by {rule.classes:g}.",
        f"All {len(everything):,} archs for three datasets in {seconds:.2f} s of one core.",
    ]

    def told() -> None:
        show(ranks, args.space, said, console)
        show_regret(regrets, console)

    rule_for = command_for("choose", "--for-ranks", *options_of(args, "space", "benchmark"))
    return Made(
        {"record": ranks, "regret": regrets},
        told,
        (rule_for,),
        {"record.md": to_markdown(ranks, args.space)},
    )
