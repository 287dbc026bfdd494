"""From a list of proxies to tables and pictures of how well they rank, on several datasets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from nas_ray.benchmarks import Benchmark, open_benchmark
from nas_ray.errors import UsageError
from nas_ray.evaluate import ProxyScores
from nas_ray.interrupts import end_as_ctrl_c, ignore_stopping, stop_ray
from nas_ray.modules.data import ImageDataModule
from nas_ray.proxies import PROXIES
from nas_ray.proxies.plugin import resolve_proxies, score_names
from nas_ray.report.correlation import BASELINES, STATISTICS, correlate, number, to_markdown
from nas_ray.report.correlation_pictures import draw_bars, draw_ranks
from nas_ray.resources import Request, check_request, start_ray
from nas_ray.runs import make_folder, provenance, write_atomically, write_json, write_table
from nas_ray.scoring_run import benchmark_accuracy, choose_archs, score_archs
from nas_ray.searchers.fitness import Row, parse_fitness
from nas_ray.spaces import NatsTss

FEWEST = 10
"""Archs that ranks are compared of, and draws of the bootstrap."""


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
) -> dict[str, pd.DataFrame]:
    """Scores archs on every dataset and writes tables and pictures to `out`; returns the tables by dataset.

    The arguments are those of `experiments/correlate.py`.

    Raises:
        UsageError: bad input, told before Ray starts.
    """
    _check_numbers(num_archs, resamples, seed=seed, init_seed=init_seed, batch_seed=batch_seed)
    if not datasets:
        raise UsageError("--datasets must name at least one dataset.")
    chosen = resolve_proxies([*dict.fromkeys([*_named(proxies), *BASELINES])])
    columns = score_names(chosen)
    combined = {spec: parse_fitness(spec, columns) for spec in fitness}
    judged = [*columns, *combined]
    opened = {dataset: _open(benchmark, dataset) for dataset in datasets}
    known = {dataset: benchmark_accuracy(opened[dataset]) for dataset in datasets}
    space = NatsTss()
    accuracy = pd.Series(known[datasets[0]]).loc[list(space)].to_numpy() if stratified else None
    archs = choose_archs(space, num_archs, seed=seed, accuracy=accuracy)
    modules = {
        dataset: ImageDataModule(images, dataset=dataset, batch_size=batch_size, batch_seed=batch_seed)
        for dataset in ([score_as] if score_as else dict.fromkeys(datasets))
    }
    request = Request(num_cpus=num_cpus, num_gpus=num_gpus)
    check_request(request)
    asked = {
        "proxies": list(chosen),
        "fitness": list(combined),
        "datasets": list(opened),
        "archs": len(archs),
    }
    asked |= {"stratified": stratified, "seed": seed, "score_as": score_as, "resamples": resamples}
    _begin(out, {**asked, "benchmark": {name: one.acc_source for name, one in opened.items()}})
    plan = start_ray(request)
    end_as_ctrl_c()
    tables = {}
    try:
        for nets_of, module in modules.items():
            console.print(
                f"[bold]nets for {nets_of}[/]: {len(archs)} archs, {module.description}", highlight=False
            )
            inputs, targets = (tensor.numpy() for tensor in module.minibatch())
            evaluator = ProxyScores(space, module.num_classes, inputs, targets, chosen, init_seed=init_seed)
            settings = {"images": module.source, "batch_size": batch_size, "batch_seed": batch_seed}
            scores = score_archs(
                out / nets_of, archs, evaluator, plan, console=Console(stderr=True), settings=settings
            )
            rows = cast(list[Row], scores.to_dict("records"))
            scores = scores.assign(**{spec: combine(rows) for spec, combine in combined.items()})
            for dataset in opened if score_as else [nets_of]:
                console.print(f"\n[bold]{dataset}[/]: {opened[dataset].acc_source}", highlight=False)
                tables[dataset] = correlate(scores, known[dataset], judged, resamples=resamples, seed=seed)
                print_table(tables[dataset], console)
                title = f"{dataset}, {len(archs):,} archs, {module.description}; {opened[dataset].acc_source}"
                _write(out, dataset, scores, tables[dataset], known[dataset], judged, title)
            _say_undefined(scores, columns, console)
        about = f"{len(archs):,} archs, {next(iter(modules.values())).description}, {benchmark}"
        write_atomically(out / "correlations.png", lambda path: draw_bars(tables, path, about))
    except (KeyboardInterrupt, SystemExit):
        ignore_stopping()
        console.print(f"\nInterrupted; no finished score is lost. The same command with --out {out} goes on.")
        raise KeyboardInterrupt from None
    finally:
        stop_ray()
    console.print(f"Folder: {out}", highlight=False)
    return tables


def _named(proxies: Sequence[str]) -> list[str]:
    """Returns the proxies named, with every built-in one for `all`."""
    given = [name for text in proxies for name in text.replace(",", " ").split()]
    if not given:
        raise UsageError('--proxies must name at least one proxy, or "all".')
    return [name for text in given for name in (PROXIES if text == "all" else [text])]


def _check_numbers(num_archs: int, resamples: int, **seeds: int) -> None:
    if 0 < num_archs < FEWEST:
        raise UsageError(f"--num-archs must be at least {FEWEST} to compare ranks, got {num_archs}.")
    if resamples < FEWEST:
        raise UsageError(f"--resamples must be at least {FEWEST}, got {resamples}.")
    for name, seed in seeds.items():
        if not 0 <= seed < 2**63:
            raise UsageError(f"--{name.replace('_', '-')} must be from 0 to 2^63 - 1, got {seed}.")


def _begin(out: Path, asked: dict[str, object]) -> None:
    """Writes what the tables of `out` are made from.

    Raises:
        UsageError: the folder cannot be written.
    """
    try:
        make_folder(out)
        write_json(out / "run.json", {"format": 1, **asked, **provenance()})
    except OSError as error:
        raise UsageError(f"The folder {out} must be writable, but: {error}; choose another --out.") from error


def _say_undefined(scores: pd.DataFrame, columns: Sequence[str], console: Console) -> None:
    """Prints which scores are not defined for some archs, and the first reason."""
    for name in columns:
        bad = ~np.isfinite(scores[name].astype(float)) if name in scores else pd.Series(True, scores.index)
        if bad.any():
            said = [entry for text in scores["error"][bad].dropna() for entry in text.split("; ")]
            own = [entry for entry in said if entry.startswith((f"{name}:", f"{name} ", f"{name}."))]
            reason = f": {(own or said)[0]}" if said else ""
            console.print(
                f"{name} is undefined for {bad.sum():,} of {len(scores):,} archs{reason}",
                highlight=False,
                markup=False,
            )


def _open(benchmark: str, dataset: str) -> Benchmark:
    opened = open_benchmark(benchmark, dataset)
    if opened is None:
        raise UsageError("Correlations need a benchmark; --benchmark none has no accuracy to compare with.")
    return opened


def _write(
    out: Path,
    dataset: str,
    scores: pd.DataFrame,
    table: pd.DataFrame,
    known: dict[str, float],
    names: list[str],
    title: str,
) -> None:
    write_table(out, scores.assign(accuracy=scores["arch"].map(known)), f"scores-{dataset}")
    write_table(out, table, f"correlations-{dataset}")
    write_atomically(
        out / f"correlations-{dataset}.md", lambda path: path.write_text(to_markdown(table, title))
    )
    write_atomically(out / f"ranks-{dataset}.png", lambda path: draw_ranks(scores, known, names, path, title))


def print_table(table: pd.DataFrame, console: Console) -> None:
    """Prints the table of one dataset, best Spearman first, with the interval of that alone."""
    heads = ("Spearman", "[95 %]", "Kendall", "in top 10 %", "nDCG", "best of 1, 10, 50")
    shown = Table(Column("score", overflow="fold", min_width=24), box=None)
    for head in (*heads, "s/arch", "undefined"):
        shown.add_column(head, justify="right", no_wrap=True)
    for row in table.sort_values("spearman", ascending=False, na_position="last").to_dict("records"):
        rho, tau, top, gain = (number(row[name]) for name in STATISTICS[:4])
        shown.add_row(
            escape(str(row["score"])),
            rho,
            f"[dim]{number(row['spearman_low'])} {number(row['spearman_high'])}[/]",
            tau,
            top,
            gain,
            " ".join(number(row[name], ".2f") for name in STATISTICS[4:]),
            number(row.get("seconds_per_arch", float("nan")), ".2g"),
            str(row["undefined"]),
        )
    console.print(shown)
