"""From a list of proxies to tables and pictures of how well they rank, on several datasets."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from rich.console import Console

from nas_ray.benchmarks import Benchmark
from nas_ray.benchmarks.whole import benchmark_accuracy
from nas_ray.correlate.args import FEWEST, CorrelateArgs
from nas_ray.correlate.opening import open_all, suited
from nas_ray.correlate.scoring import score_archs
from nas_ray.drivers.lifecycle import begin_ray, ending_in, guarded
from nas_ray.drivers.resources import Plan, Request, check_request
from nas_ray.errors import UsageError
from nas_ray.evaluation.proxy_scores import ProxyScores
from nas_ray.images.image_data import ImageDataModule
from nas_ray.process.started import command_for
from nas_ray.proxies import PROXIES, Proxy
from nas_ray.proxies.plugin import resolve_proxies, score_names
from nas_ray.report.correlation import BASELINES, correlate, to_markdown
from nas_ray.report.correlation_latex import to_latex
from nas_ray.report.correlation_pictures import draw_bars, draw_ranks
from nas_ray.report.correlation_table import best_proxy, print_table
from nas_ray.rows import Row
from nas_ray.runs.claim import claimed
from nas_ray.runs.record import Record
from nas_ray.runs.writing import staged, write_table, write_text
from nas_ray.searchers import Fitness
from nas_ray.searchers.fitness import parse_fitness
from nas_ray.spaces import FiniteSpace, NatsTss
from nas_ray.spaces.base import fitted_space
from nas_ray.spaces.choice import choose_archs
from nas_ray.terminal.console import error_console, headed, say
from nas_ray.terminal.lists import parted
from nas_ray.terminal.next_steps import say_next
from nas_ray.terminal.ranges import check_values

EXPERIMENT = "correlate"


def compare_all(
    *,
    out: Path,
    console: Console,
    proxies: Sequence[str],
    fitness: Sequence[str],
    datasets: Sequence[str],
    num_archs: int,
    stratified: bool,
    images: str,
    benchmark: str,
    batch_size: int,
    seed: int,
    init_seed: int,
    batch_seed: int,
    score_as: str | None,
    resamples: int,
    num_cpus: int | None,
    num_gpus: int | None,
    space: str = NatsTss.name,
) -> dict[str, pd.DataFrame]:
    """Scores archs on every dataset and writes tables and pictures to `out`; returns the tables by dataset.

    The arguments are those of `nas-ray correlate`.

    Raises:
        UsageError: bad input, told before Ray starts.
    """
    check_values(CorrelateArgs, locals())
    if 0 < num_archs < FEWEST:
        raise UsageError(f"--num-archs must be at least {FEWEST} to compare ranks, got {num_archs}.")
    if not datasets:
        raise UsageError("--datasets must name at least one dataset.")
    chosen = resolve_proxies([*dict.fromkeys([*_named(proxies, space), *suited(BASELINES, space)])])
    columns = score_names(chosen)
    combined = {spec: parse_fitness(spec, columns) for spec in fitness}
    searched, opened = open_all(benchmark, datasets, space)
    known = {dataset: benchmark_accuracy(opened[dataset]) for dataset in datasets}
    accuracy = pd.Series(known[datasets[0]]).loc[list(searched)].to_numpy() if stratified else None
    archs = choose_archs(searched, num_archs, seed=seed, accuracy=accuracy)
    modules = {
        dataset: ImageDataModule(images, dataset=dataset, batch_size=batch_size, batch_seed=batch_seed)
        for dataset in ([score_as] if score_as else dict.fromkeys(datasets))
    }
    for module in modules.values():
        module.minibatch()  # told here if there are too few different images
        if module.note:
            say(console, module.note)
    request = Request(num_cpus=num_cpus, num_gpus=num_gpus)
    check_request(request)
    asked: dict[str, Any] = {
        "proxies": list(chosen),
        "fitness": list(combined),
        "datasets": list(opened),
        "archs": len(archs),
    }
    asked |= {"stratified": stratified, "seed": seed, "score_as": score_as, "resamples": resamples}
    asked |= {"benchmark": {name: one.acc_source for name, one in opened.items()}}
    asked |= {} if space == NatsTss.name else {"space": space}  # as runs of before
    work = Comparison(
        out,
        space,
        searched,
        archs,
        chosen,
        combined,
        modules,
        opened,
        known,
        benchmark,
        init_seed,
        seed,
        resamples,
        _named(proxies, space),
        images,
    )
    with claimed(out, EXPERIMENT):
        record = Record(out, EXPERIMENT, asked, **asked)
        ending = ending_in(out, "scoring", record.end, "finished scores", kept="no finished score is lost")
        code = guarded(lambda: work.run(request, record, console), ending, console)
    if code:
        sys.exit(code)
    return work.tables


@dataclass(frozen=True)
class Comparison:
    """Everything that a comparison needs, checked before Ray starts, and the tables that it makes."""

    out: Path
    space_name: str
    space: FiniteSpace
    archs: list[str]
    proxies: dict[str, Proxy]
    combined: dict[str, Fitness]
    modules: dict[str, ImageDataModule]
    benchmarks: dict[str, Benchmark]
    known: dict[str, dict[str, float]]
    benchmark: str
    init_seed: int
    seed: int
    resamples: int
    given: list[str]
    images: str
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)

    def run(self, request: Request, record: Record, console: Console) -> int:
        """Scores what the folder lacks, makes the table of every dataset, and returns the exit code."""
        record.begin()
        plan = begin_ray(request, error_console())
        for nets_of, module in self.modules.items():
            say(console, headed(f"nets for {nets_of}", f": {len(self.archs)} archs, {module.description}"))
            scores = self._scores(nets_of, module, plan)
            for dataset in [nets_of] if nets_of in self.benchmarks and self._own_nets else self.benchmarks:
                self._compare(dataset, scores, module, console)
                record.wrote(dataset)
            _say_undefined(scores, score_names(self.proxies), console)
        first = next(iter(self.modules.values()))
        about = f"{len(self.archs):,} archs, {first.description}, {self.benchmark}"
        draw_bars(self.tables, self.out / "correlations.png", about)
        record.end("finished")
        say(console, f"Folder: {self.out}")
        dataset, table = next(iter(self.tables.items()))
        words = ["--proxies", best_proxy(table, self.given), "--dataset", dataset, "--images", self.images]
        words += [] if self.space_name == NatsTss.name else ["--space", self.space_name]
        say_next(console, command_for("report", self.out), command_for("rea", *words))
        return 0

    @property
    def _own_nets(self) -> bool:
        """Whether every dataset has its own nets."""
        return self.modules.keys() == self.benchmarks.keys()

    def _scores(self, nets_of: str, module: ImageDataModule, plan: Plan) -> pd.DataFrame:
        """Returns the scores of all archs by proxies and combinations."""
        inputs, targets = (tensor.numpy() for tensor in module.minibatch())
        evaluator = ProxyScores(
            fitted_space(self.space, module.image_size),
            module.num_classes,
            inputs,
            targets,
            self.proxies,
            init_seed=self.init_seed,
        )
        scores = score_archs(
            self.out / nets_of,
            self.archs,
            evaluator,
            plan,
            console=error_console(),
            settings={
                "images": module.source,
                "batch_size": module.batch_size,
                "batch_seed": module.batch_seed,
                **({} if self.space_name == NatsTss.name else {"space": self.space_name}),
            },
        )
        rows = cast(list[Row], scores.to_dict("records"))
        return scores.assign(**{spec: combine(rows) for spec, combine in self.combined.items()})

    def _compare(self, dataset: str, scores: pd.DataFrame, module: ImageDataModule, console: Console) -> None:
        """Makes, prints and writes the table of `dataset`."""
        known, judged = self.known[dataset], [*score_names(self.proxies), *self.combined]
        source = self.benchmarks[dataset].acc_source
        say(console, headed(f"\n{dataset}", f": {source}"))
        table = correlate(scores, known, judged, resamples=self.resamples, seed=self.seed)
        self.tables[dataset] = table
        print_table(table, console)
        title = f"{dataset}, {len(self.archs):,} archs, {module.description}; {source}"
        with staged(self.out) as beside:
            write_table(beside, scores.assign(accuracy=scores["arch"].map(known)), f"scores-{dataset}")
            write_table(beside, table, f"correlations-{dataset}")
            name = f"correlations-{dataset}"
            write_text(beside / f"{name}.md", to_markdown(table, title))
            write_text(beside / f"{name}.tex", to_latex(table, title, name))
            draw_ranks(scores, known, judged, beside / f"ranks-{dataset}.png", title)


def _named(proxies: Sequence[str], space: str) -> list[str]:
    """Returns the proxies named, with every built-in one that is not for other spaces for `all`."""
    given = parted(proxies)
    if not given:
        raise UsageError('--proxies must name at least one proxy, or "all".')
    return [name for text in given for name in (suited(PROXIES, space) if text == "all" else [text])]


def _say_undefined(scores: pd.DataFrame, columns: Sequence[str], console: Console) -> None:
    """Prints which scores are not defined for some archs, and the first reason."""
    for name in columns:
        bad = ~np.isfinite(scores[name].astype(float)) if name in scores else pd.Series(True, scores.index)
        if bad.any():
            said = [entry for text in scores["error"][bad].dropna() for entry in text.split("; ")]
            own = [entry for entry in said if entry.startswith((f"{name}:", f"{name} ", f"{name}."))]
            reason = f": {(own or said)[0]}" if said else ""
            say(console, f"{name} is undefined for {bad.sum():,} of {len(scores):,} archs{reason}")
