"""Reads the folders of searches, scored spaces and comparisons of proxies for a report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nas_ray.benchmarks.published import net_named, of_other_nets
from nas_ray.errors import UsageError
from nas_ray.images.datasets import DATASETS
from nas_ray.report.accuracies import Accuracies
from nas_ray.report.correlation import BASELINES
from nas_ray.report.run_data import RunData, complete
from nas_ray.report.truth import every_cost
from nas_ray.rows import TRAINED
from nas_ray.runs.folder import FILE_NAME, JOURNAL, check_is_run, read_run
from nas_ray.runs.kinds import TRAINING, without_page
from nas_ray.safe_files.stored_numbers import with_numbers
from nas_ray.safe_files.tables import read_table
from nas_ray.searchers.fitness import Fitness, by_training, parse_fitness
from nas_ray.searchers.pareto import parse_objectives

NO_SCORES = {"place", "index", "rank", "accuracy", "seconds", "fitness"}
"""Columns of numbers that are no scores."""
DATASET_OF = {facts.num_classes: name for name, facts in DATASETS.items()}
"""The dataset whose nets have so many outputs."""


def read_runs(folder: Path, accuracies: Accuracies) -> list[RunData]:
    """Returns the run in `folder`, or one per dataset for a folder of `correlate.py`.

    Args:
        folder: of a run.
        accuracies: where to look up what the folder does not hold.

    Raises:
        UsageError: no run folder, damaged, or without any evaluation.
    """
    check_is_run(folder)
    info = read_run(folder)
    if "args" in info and info.get("experiment") != TRAINING:
        return [_search(folder, info, accuracies)]
    if info.get("experiment") == "score_space":
        return [_scored(folder, info, accuracies)]
    if "datasets" in info:
        return _compared(folder, info)
    raise without_page(folder, info)


def _search(folder: Path, info: Mapping[str, Any], accuracies: Accuracies) -> RunData:
    args = _get(info, "args", dict, folder)
    scores = tuple(map(str, _get(info, "scores", list, folder)))
    fitness = _searched_by(args, scores, folder)
    rows, notes = _search_rows(folder, info)
    rows = complete(rows, scores, fitness, folder)
    for name in set(scores) - set(rows.columns):
        rows[name] = float("nan")  # no evaluation got as far
    dataset, spec = str(args.get("dataset", "unknown")), str(args.get("benchmark", "none"))
    rows, column, source, said = accuracies.join(rows, dataset, spec, scores, folder=folder)
    if source and (others := of_other_nets(net_named(args.get("space")))):
        said = [*said, f"{_name(folder)}: {others}"]
    objectives = _objectives(info, folder)
    truth, lacking = every_cost(args, objectives, accuracies.by_arch(dataset, spec, source))
    return RunData(
        folder=folder,
        name=str(args.get("name") or _name(folder)),
        experiment=str(info.get("experiment", "search")),
        dataset=dataset,
        space=str(args.get("space", "unknown")),
        settings=args,
        info=info,
        rows=rows,
        scores=scores,
        fitness=fitness,
        is_search=True,
        acc_column=column,
        acc_source=source,
        best=_best(folder),
        notes=(*notes, *said, *lacking),
        objectives=objectives,
        every_accuracy=accuracies.every(dataset, spec, source),
        truth=truth,
    )


def _objectives(info: Mapping[str, Any], folder: Path) -> tuple[Fitness, ...]:
    """Returns the objectives of a search; none of one by an earlier version, which did not say them."""
    given = info.get("objectives") or []
    try:
        return tuple(parse_objectives(",".join(given))) if given else ()
    except (TypeError, UsageError) as error:
        raise UsageError(
            f"{folder / FILE_NAME} must have objectives as a list of names, got {str(given)[:80]!r}; the "
            "file was changed."
        ) from error


def _search_rows(folder: Path, info: Mapping[str, Any]) -> tuple[pd.DataFrame, list[str]]:
    """Returns the table of a finished search, or the rows in the journal of another."""
    from nas_ray.runs.journal import read_journal, rows_of

    table, status = folder / "results.parquet", info.get("status")
    if table.is_file() and (status == "finished" or not (folder / JOURNAL).is_file()):
        return _read_table(table), []
    if not (folder / JOURNAL).is_file():
        raise UsageError(f"A report needs results.parquet or {JOURNAL}, and {folder} has neither.")
    note = f"The search {_name(folder)} is not finished (status: {status}); shown is what it has so far."
    rows = pd.DataFrame(rows_of(read_journal(folder / JOURNAL)))
    return (rows if len(rows.columns) else pd.DataFrame(columns=["arch"])), [note]


def _scored(folder: Path, info: Mapping[str, Any], accuracies: Accuracies) -> RunData:
    table = _scores_table(folder / "scores.parquet")
    scores = _score_columns(table)
    fitness = _fitness(None, scores, folder)
    rows = complete(table, scores, fitness, folder)
    dataset = info.get("dataset")
    if not (isinstance(dataset, str) and dataset):  # of an earlier version, which did not say it
        dataset = DATASET_OF.get(_get(info, "num_classes", int, folder), "unknown")
    rows, column, source, notes = accuracies.join(rows, dataset, "auto", folder=folder)
    last: Any = (_get(info, "runs", list, folder) or [{}])[-1]
    settings = {key: value for key, value in info.items() if key not in ("format", "experiment", "runs")}
    if source and (others := of_other_nets(info)):
        notes = [*notes, f"{_name(folder)}: {others}"]
    return RunData(
        folder=folder,
        name=_name(folder),
        experiment="score_space",
        dataset=dataset,
        space=str(info.get("space", "unknown")),
        settings={**settings, "images": last.get("images") if isinstance(last, dict) else None},
        info=info,
        rows=rows,
        scores=scores,
        fitness=fitness,
        is_search=False,
        acc_column=column,
        acc_source=source,
        notes=tuple(notes),
    )


def _compared(folder: Path, info: Mapping[str, Any]) -> list[RunData]:
    sources = _get(info, "benchmark", dict, folder)
    settings = {
        key: info.get(key) for key in ("proxies", "fitness", "archs", "stratified", "seed", "score_as")
    }
    runs = []
    for dataset in map(str, _get(info, "datasets", list, folder)):
        table = _scores_table(folder / f"scores-{dataset}.parquet")
        scores = _score_columns(table)
        names = [name for name in scores if name not in BASELINES and ":" not in name] or list(scores)
        fitness = _fitness(None, names, folder)
        run = RunData(
            folder=folder,
            name=f"{_name(folder)} {dataset}",
            experiment="correlate",
            dataset=dataset,
            space="nats-tss",
            settings=settings,
            info=info,
            rows=complete(table, scores, fitness, folder),
            scores=scores,
            fitness=fitness,
            is_search=False,
            acc_source=str(sources.get(dataset, "a benchmark that run.json does not name")),
        )
        runs.append(run)
    return runs


def _name(folder: Path) -> str:
    return folder.resolve().name


def _get(info: Mapping[str, Any], key: str, kind: type, folder: Path) -> Any:
    value = info.get(key)
    if not isinstance(value, kind):
        raise UsageError(
            f"{folder / FILE_NAME} must have {key} as a {kind.__name__}, got {str(value)[:80]!r}; the file "
            "was changed."
        )
    return value


def _searched_by(args: Mapping[str, Any], scores: Sequence[str], folder: Path) -> Fitness:
    """Returns what a search maximised; costs that it measured beside trainings are no part of that."""
    text = args.get("fitness")
    trained = [name for name in TRAINED if name in scores]
    if text is None and args.get("fidelity") is not None and trained:
        return by_training(trained[0])
    return _fitness(None if text is None else str(text), scores, folder)


def _fitness(text: str | None, scores: Sequence[str], folder: Path) -> Fitness:
    if not scores:
        raise UsageError(f"A report needs at least one score, and {folder} has none.")
    try:
        return parse_fitness(text, scores)
    except UsageError as error:
        raise UsageError(f"{folder / FILE_NAME} cannot be used: {error}") from error


def _scores_table(path: Path) -> pd.DataFrame:
    """Returns a table in which all but a few known columns are numbers."""
    return with_numbers(_read_table(_needed(path)), f"the table {path}")


def _score_columns(table: pd.DataFrame) -> tuple[str, ...]:
    numbers = [str(name) for name in table.select_dtypes("number").columns]
    return tuple(name for name in numbers if name not in NO_SCORES and not name.endswith("_seconds"))


def _needed(path: Path) -> Path:
    if not path.is_file():
        raise UsageError(
            f"A report needs {path.name}, and {path.parent} has none yet; let the run finish first."
        )
    return path


def _read_table(path: Path) -> pd.DataFrame:
    try:
        return read_table(path)
    except Exception as error:  # whatever a reader may raise on any bytes
        said = " ".join(str(error).split())[:200]
        raise UsageError(f"{path} must be the table that a run wrote, but cannot be read: {said}.") from error


def _best(folder: Path) -> dict[str, Any]:
    """Returns `best.json`, or nothing where it is missing or damaged: the rows say as much."""
    try:
        best = json.loads((folder / "best.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return best if isinstance(best, dict) else {}
