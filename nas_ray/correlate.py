"""From a list of proxies to tables and pictures of how well they rank, on several datasets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pandas as pd
from rich.console import Console
from rich.table import Table

from nas_ray.benchmarks import Benchmark, open_benchmark
from nas_ray.errors import UsageError
from nas_ray.evaluate import ProxyScores
from nas_ray.modules.data import ImageDataModule
from nas_ray.proxies import PROXIES
from nas_ray.proxies.plugin import resolve_proxies, score_names
from nas_ray.report.correlation import BASELINES, STATISTICS, correlate, draw_bars, draw_ranks, to_markdown
from nas_ray.resources import Request, check_request, start_ray
from nas_ray.runs import write_atomically, write_table
from nas_ray.scoring_run import benchmark_accuracy, choose_archs, score_archs
from nas_ray.searchers.fitness import Row, parse_fitness
from nas_ray.spaces import NatsTss


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
    names = list(PROXIES) if "all" in proxies else [name for given in proxies for name in given.split(",")]
    chosen = resolve_proxies(list(dict.fromkeys([*names, *BASELINES])))
    opened = {dataset: _open(benchmark, dataset) for dataset in datasets}
    known = {dataset: benchmark_accuracy(opened[dataset]) for dataset in datasets}
    first = pd.Series(known[datasets[0]]) if datasets else pd.Series(dtype=float)
    space = NatsTss()
    accuracy = first.loc[list(space)].to_numpy() if stratified else None
    archs = choose_archs(space, num_archs, seed=seed, accuracy=accuracy)
    if len(archs) < 10:
        raise UsageError(f"--num-archs must be at least 10 to compare ranks, got {num_archs}.")
    modules = {
        dataset: ImageDataModule(images, dataset=dataset, batch_size=batch_size, batch_seed=batch_seed)
        for dataset in ([score_as] if score_as else datasets)
    }
    columns = score_names(chosen)
    combined = {spec: parse_fitness(spec, columns) for spec in fitness}
    judged = [*columns, *combined]
    request = Request(num_cpus=num_cpus, num_gpus=num_gpus)
    check_request(request)
    plan = start_ray(request)
    tables = {}
    for nets_of, module in modules.items():
        console.print(
            f"[bold]nets for {nets_of}[/]: {len(archs)} archs, {module.description}", highlight=False
        )
        inputs, targets = (tensor.numpy() for tensor in module.minibatch())
        evaluator = ProxyScores(space, module.num_classes, inputs, targets, chosen, init_seed=init_seed)
        scores = score_archs(out / nets_of, archs, evaluator, plan, console=Console(stderr=True))
        rows = cast(list[Row], scores.to_dict("records"))
        scores = scores.assign(**{spec: combine(rows) for spec, combine in combined.items()})
        for dataset in datasets if score_as else [nets_of]:
            console.print(f"\n[bold]{dataset}[/]: {opened[dataset].acc_source}", highlight=False)
            tables[dataset] = correlate(scores, known[dataset], judged, resamples=resamples, seed=seed)
            print_table(tables[dataset], console)
            _write(out, dataset, scores, tables[dataset], known[dataset], judged)
    write_atomically(out / "correlations.png", lambda path: draw_bars(tables, path))
    console.print(f"Folder: {out}", highlight=False)
    return tables


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
) -> None:
    write_table(out, scores.assign(accuracy=scores["arch"].map(known)), f"scores-{dataset}")
    write_table(out, table, f"correlations-{dataset}")
    write_atomically(out / f"correlations-{dataset}.md", lambda path: path.write_text(to_markdown(table)))
    write_atomically(out / f"ranks-{dataset}.png", lambda path: draw_ranks(scores, known, names, path))


def print_table(table: pd.DataFrame, console: Console) -> None:
    """Prints the table of one dataset, best Spearman first, with the interval of that alone."""
    heads = (
        "Spearman",
        "[95 %]",
        "Kendall",
        "in top 10 %",
        "nDCG",
        "best of 1, 10, 50",
        "s/arch",
        "undefined",
    )
    shown = Table("score", box=None)
    for head in heads:
        shown.add_column(head, justify="right", no_wrap=True)
    for row in table.sort_values("spearman", ascending=False, na_position="last").to_dict("records"):
        rho, tau, top, gain = (f"{row[name]:.3f}" for name in STATISTICS[:4])
        shown.add_row(
            str(row["score"]),
            rho,
            f"[dim]{row['spearman_low']:.3f} {row['spearman_high']:.3f}[/]",
            tau,
            top,
            gain,
            " ".join(f"{row[name]:.2f}" for name in STATISTICS[4:]),
            f"{row.get('seconds_per_arch', float('nan')):.3f}",
            str(row["undefined"]),
        )
    console.print(shown)
