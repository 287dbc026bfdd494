"""Run folders as the experiments leave them, made by the project's own writers in no time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nas_ray.rows import final_arch
from nas_ray.runs.folder import JOURNAL, create_run, update_run, write_json, write_table
from nas_ray.runs.journal import Journal
from nas_ray.searchers import parse_fitness
from nas_ray.spaces import NatsTss
from nas_ray.spaces.nats_tss import to_ops

SOURCE = "toy table, test split"
SPACE = NatsTss()


def toy_accuracy(arch: str) -> float:
    """Accuracy in percent that rises with the number of 3x3 convolutions."""
    return 50.0 + 5 * to_ops(arch).count("nor_conv_3x3") + SPACE.index(arch) / 15_625


def search_rows(count: int, seed: int = 0, failed: int = 0) -> pd.DataFrame:
    """Returns the table of a search over `count` random archs; the first `failed` have errors."""
    rng = np.random.default_rng(seed)
    archs = [SPACE[int(i)] for i in rng.choice(len(SPACE), size=count, replace=False)]
    accuracy = np.array([toy_accuracy(arch) for arch in archs])
    table = pd.DataFrame({"trial": range(count), "arch": archs})
    table["naswot"] = accuracy + rng.normal(size=count)
    table["synflow"] = np.exp(accuracy / 4)
    table.loc[: failed - 1, ["naswot", "synflow"]] = np.nan
    table["fitness"] = parse_fitness(None, ["naswot", "synflow"])(table.to_dict("records"))
    table["seconds"] = 0.5
    table["finished_at"] = np.arange(1, count + 1) * 0.25
    table["worker"] = "w0"
    table["reused"] = False
    errors = ["RuntimeError: <b>too deep</b>"] * failed + [None] * (count - failed)
    table["error"] = pd.array(errors, dtype="string")
    return table.assign(test_acc=accuracy, acc_source=SOURCE)


def make_search(
    folder: Path, rows: pd.DataFrame, *, experiment: str = "rea", status: str = "finished", **args: Any
) -> Path:
    """Writes the folder of a search with `rows`, its arguments changed by `args`."""
    given = {
        "dataset": "cifar10",
        "space": "nats-tss",
        "fitness": None,
        "benchmark": "none",
        "seed": 0,
        **args,
    }
    images = {"source": "digits", "description": "toy images", "note": ""}
    info = {"experiment": experiment, "status": status, "args": given, "images": images}
    create_run(folder, {**info, "scores": ["naswot", "synflow"], "minibatch_sha256": "0"})
    if status == "finished":
        write_table(folder, rows)
        best = final_arch(dict(rows.loc[rows["fitness"].idxmax()]))
        about = {"index": SPACE.index(best), "acc_source": SOURCE, "rank": 12, "num_archs": 15_625}
        write_json(folder / "best.json", {"arch": best, **about})
        update_run(folder, wall_seconds=12.5)
    else:
        _write_journal(folder, rows)
    return folder


def _write_journal(folder: Path, rows: pd.DataFrame) -> None:
    journal = Journal(folder / JOURNAL)
    told = rows.drop(columns=["fitness", "test_acc", "acc_source"])
    for row in told.astype(object).where(told.notna(), None).to_dict("records"):
        journal.append({"event": "ask", "trial": row["trial"], "arch": row["arch"]})
        journal.append({"event": "tell", "trial": row["trial"], "row": row})
    journal.close()


def make_scored(folder: Path, rows: pd.DataFrame, **identity: Any) -> Path:
    """Writes the folder of a scored list of archs."""
    same = {"space": "nats-tss", "channels": 16, "cells": 5, "num_classes": 10, "init_seed": 0}
    one = {"started": "2026-01-02T03:04:05+00:00", "status": "finished", "images": "toy images"}
    folder.mkdir(parents=True)
    write_json(
        folder / "run.json", {"format": 1, "experiment": "score_space", **same, **identity, "runs": [one]}
    )
    write_table(folder, rows[["arch", "naswot", "synflow", "error"]], "scores")
    return folder


def make_compared(folder: Path, tables: dict[str, pd.DataFrame]) -> Path:
    """Writes the folder of a comparison of proxies, a table for each dataset."""
    info: dict[str, Any] = {"proxies": ["naswot", "synflow"], "fitness": [], "datasets": list(tables)}
    info |= {"archs": 12, "seed": 0, "benchmark": dict.fromkeys(tables, SOURCE)}
    folder.mkdir(parents=True)
    write_json(folder / "run.json", {"format": 1, **info})
    for dataset, rows in tables.items():
        table = rows[["arch", "naswot", "synflow", "error"]].assign(
            naswot_seconds=0.1, accuracy=rows["test_acc"]
        )
        write_table(folder, table, f"scores-{dataset}")
    return folder
