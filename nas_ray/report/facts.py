"""What a report says in words and tables: a run in short, runs side by side, everything in `run.json`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nas_ray.report.kinds import Kind
from nas_ray.report.magnitudes import shown_perplexity, shown_score
from nas_ray.report.run_data import RunData
from nas_ray.report.score_panels import UNITS
from nas_ray.report.standing import is_relative
from nas_ray.rows import final_arch
from nas_ray.text.spec import TEXT

UNKNOWN = "-"

Fact = tuple[str, str]
"""A name and what is said under it."""


def number(value: Any, form: str | None = None) -> str:
    """Returns a number as text, as a score where `form` is None; a dash where it is missing or not finite."""
    if not isinstance(value, (int, float, np.number)) or not math.isfinite(value):
        return UNKNOWN
    return shown_score(float(value)) if form is None else format(value, form)


def facts_of(run: RunData) -> list[Fact]:
    """Returns what the run was, when and where it ran, and what came out."""
    process = _process(run.info)
    status = run.info.get("status", process.get("status", UNKNOWN))
    images: Any = run.info.get("images", process.get("images"))
    images = images.get("description") if isinstance(images, dict) else images
    counts = _counts(run)
    known = _and(*(word for word in (run.searched, run.dataset) if word != "unknown"))
    what = f"{run.method} on {known}" if known else run.method
    facts = [
        ("what", what if status == UNKNOWN else f"{what}; {status}"),
        *_best(run),
        ("accuracy is", run.acc_source or "not known"),
        ("fitness", str(run.fitness)),
        ("scores", ", ".join(run.scores)),
        ("text" if run.dataset == TEXT else "images", str(images or "")),
        ("when", _when(run, process)),
        ("where", _where(process)),
        (
            "evaluations",
            _and(f"{len(run.rows) - run.given:,}", *(f"{n:,} {word}" for word, n in counts.items() if n)),
        ),
        ("folder", str(run.folder)),
    ]
    return [(name, text) for name, text in facts if text]


def _and(*words: str) -> str:
    return ", ".join(word for word in words if word)


def _process(info: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the part of `run.json` that says when and where: the last process of a scored space."""
    runs = info.get("runs")
    last = runs[-1] if isinstance(runs, list) and runs else info
    return last if isinstance(last, dict) else {}


def _counts(run: RunData) -> dict[str, int]:
    failed = run.rows["error"].notna()
    undefined = ~np.isfinite(run.rows["fitness"].to_numpy(dtype=float)) & ~failed.to_numpy()
    return {
        "given before": run.given,
        "reused": int(run.rows["reused"].sum()),
        "failed": int(failed.sum()),
        "undefined": int(undefined.sum()),
    }


def _when(run: RunData, process: Mapping[str, Any]) -> str:
    seconds = run.info.get("wall_seconds")
    lasted = f"{number(seconds, ',.1f')} s in all" if isinstance(seconds, (int, float)) else ""
    return _and(str(process.get("started", "")), lasted)


def _where(process: Mapping[str, Any]) -> str:
    hardware = process.get("hardware")
    if not isinstance(hardware, dict):
        return ""
    gpus = hardware.get("gpus")
    return _and(
        str(hardware.get("host", "")),
        f"{hardware.get('cpu_cores', '?')} CPU cores",
        ", ".join(map(str, gpus)) if isinstance(gpus, list) and gpus else "no GPU",
    )


def _best(run: RunData) -> list[Fact]:
    what = "best recipe" if run.finds_recipe else "best arch"
    if run.best_place is None:
        errors = run.rows["error"].dropna()
        first = f"; the first error was {str(errors.iloc[0]).splitlines()[0]}" if len(errors) else ""
        return [(what, f"none: no evaluation has a finite fitness{first}")]
    row, best = run.rows.iloc[run.best_place], run.best or {}
    arch = final_arch(dict(row))
    same = best.get("arch") == arch
    index = f" (index {best['index']:,})" if same and isinstance(best.get("index"), int) else ""
    label = f"{best['label']}: " if same and isinstance(best.get("label"), str) else ""
    facts = [*_accuracy(run, row, same), (what, f"{label}{arch}{index}")]
    if row["arch"] != arch:
        facts.append(("found by", str(row["arch"])))
    if not is_relative(run.fitness) and str(run.fitness) not in run.scores:
        facts.append(("its fitness", number(row["fitness"])))
    facts += [(f"its {name}", number(row[name])) for name in run.scores]
    facts += [
        (f"its {UNITS[name]}", number(row[name], ",.0f"))
        for name in UNITS
        if name in row and name not in run.scores
    ]
    if held_out := shown_perplexity(dict(row)):
        facts.append(("its perplexity", f"{held_out} of the held-out text"))
    return facts


def _accuracy(run: RunData, row: pd.Series[Any], same: bool) -> list[Fact]:
    """Returns the accuracy of the best row; `same` says that `best.json` is of its arch."""
    if not np.isfinite(row["accuracy"]):
        return []
    best = run.best or {}
    whole = all(isinstance(best.get(name), int) for name in ("rank", "num_archs"))
    ranked = same and whole and best.get("acc_source") == run.acc_source
    rank = f"rank {best['rank']:,} of {best['num_archs']:,}" if ranked else ""
    return [
        ("accuracy", _and(f"{row['accuracy']:.2f} % ({run.acc_column})", rank)),
        ("best accuracy evaluated", f"{run.rows['accuracy'].max():.2f} %"),
    ]


def comparison(runs: Sequence[RunData]) -> pd.DataFrame:
    """Returns one row per run: the accuracy in percent of its best arch, and what it was.

    Fitness is left out, since that of one run says nothing beside that of another.
    """
    table = []
    for run in runs:
        row = {} if run.best_place is None else dict(run.rows.iloc[run.best_place])
        table.append(
            {
                "run": run.name,
                "accuracy": row.get("accuracy", np.nan),
                "best evaluated": run.rows["accuracy"].max(),
                "experiment": run.method,
                "dataset": run.dataset,
                "fitness": str(run.fitness),
                "seed": run.seed,
                "evaluations": len(run.rows) - run.given,
                "failed": _counts(run)["failed"],
                "seconds": run.info.get("wall_seconds"),
                "best arch": final_arch(row) if row else None,
            }
        )
    return pd.DataFrame(table)


SAME = ("experiment", "dataset", "fitness", "evaluations", "failed")
"""Columns of `comparison` that are said once where all runs have the same there."""


def shared(compared: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Returns `comparison` without the columns that are the same in all runs, and a sentence about these."""
    same = [name for name in SAME if compared[name].nunique(dropna=False) == 1]
    values = [f"{name} {compared[name].iloc[0]}" for name in same if compared[name].iloc[0] != 0]
    return compared.drop(columns=same), f"All runs have {_and(*values)}." if values else ""


def kind_table(kinds: Sequence[Kind]) -> pd.DataFrame:
    """Returns one row per kind: its runs, and quartiles of the accuracy in percent of their best archs."""
    table = []
    for kind in kinds:
        compared = comparison(kind.runs)
        known = compared["accuracy"].dropna().to_numpy(dtype=float)
        low, median, high = np.percentile(known, [25, 50, 75]) if len(known) else [np.nan] * 3
        if len(known) == 1:  # which has no quartiles
            low = high = np.nan
        counts = compared["evaluations"]
        spread = (
            f"{counts.min():,}" if counts.min() == counts.max() else f"{counts.min():,} to {counts.max():,}"
        )
        table.append(
            {
                "kind": kind.label,
                "median accuracy": median,
                "lower quartile": low,
                "upper quartile": high,
                "runs": len(kind.runs),
                "evaluations": spread,
            }
        )
    return pd.DataFrame(table)


def differences(runs: Sequence[RunData]) -> list[str]:
    """Returns a sentence for each thing that makes the runs hard to compare."""
    said = {
        "spaces": ({run.space for run in runs}, "archs are of different kinds"),
        "datasets": ({run.dataset for run in runs}, "their accuracies cannot be compared"),
        "accuracies": ({run.acc_source for run in runs if run.acc_source}, "compare them with care"),
    }
    return [
        f"These runs are of different {what}, so {so}: {'; '.join(sorted(values))}."
        if what != "accuracies"
        else f"The accuracies of these runs are not of one source, {so}: {'; '.join(sorted(values))}."
        for what, (values, so) in said.items()
        if len(values) > 1
    ]


def flat(info: Any, prefix: str = "") -> list[Fact]:
    """Returns everything in `info` as pairs of a dotted name and a text; a list of plain values is one."""
    if isinstance(info, Mapping) and info:
        entries = [(f"{prefix}.{key}" if prefix else str(key), value) for key, value in info.items()]
    elif isinstance(info, list) and any(isinstance(value, (dict, list)) for value in info):
        entries = [(f"{prefix}.{place}", value) for place, value in enumerate(info)]
    else:
        return [(prefix, _text(info))]
    return [fact for name, value in entries for fact in flat(value, name)]


def _text(value: Any) -> str:
    if isinstance(value, (list, Mapping)):
        return ", ".join(map(_text, value)) or "none"
    if value is None:
        return "not given"
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
