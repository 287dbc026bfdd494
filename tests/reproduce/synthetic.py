"""A small world without data: every column is a cheap function of the arch."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nas_ray.images.datasets import DATASETS
from nas_ray.reproduce.known import Known, mean_span
from nas_ray.reproduce.measures import SHORT, TEST
from nas_ray.spaces import NatsSss, NatsTss
from nas_ray.spaces.nats_sss import to_widths

SPACE, SIZES = NatsTss(), NatsSss()
CONVOLUTIONS = np.array([arch.count("nor_conv") for arch in SPACE], dtype=float)
NOISE = np.random.default_rng(0).random(len(SPACE))


def known(**changes: object) -> Known:
    """Returns accuracies that grow with the convolutions, and scores that follow them."""
    accuracy = {
        (dataset, measure): 10 + 10 * CONVOLUTIONS + NOISE - (5.0 if measure == SHORT else 0.0)
        for dataset in DATASETS
        for measure in (TEST, SHORT)
    }
    values: dict[str, object] = {
        "scores": [
            {
                "naswot": np.where(CONVOLUTIONS == 0, -np.inf, CONVOLUTIONS + NOISE),
                "synflow": CONVOLUTIONS * NOISE,
                "logsynflow": CONVOLUTIONS + 0.5 * NOISE,
                "lcmnas": CONVOLUTIONS + 0.3 * NOISE,
                "skip": np.array([mean_span(arch) for arch in SPACE]),
            }
        ],
        "accuracy": accuracy,
        "seconds": {(dataset, SHORT): 100 + CONVOLUTIONS for dataset in DATASETS},
        "score_seconds": 1.0,
    }
    return Known(**{**values, **changes})  # type: ignore[arg-type]


def benchmark_table() -> pd.DataFrame:
    """Returns the same accuracies as a table file has them."""
    made = known()
    columns: dict[str, object] = {"arch": list(SPACE)}
    for dataset in DATASETS:
        columns[f"{dataset}_test_acc_200"] = made.accuracy[dataset, TEST]
        columns[f"{dataset}_valid_acc_200"] = made.accuracy[dataset, TEST] - 1
        columns[f"{dataset}_valid_acc_12"] = made.accuracy[dataset, SHORT]
        columns[f"{dataset}_train_seconds_per_epoch"] = made.seconds[dataset, SHORT] / 12
        columns[f"{dataset}_valid_seconds"] = 0.0
    return pd.DataFrame(columns)


def write_files(folder: str) -> None:
    """Writes `nats`, `scores` and `sizes`, as CSV and Parquet, for trials of experiments without data."""
    for name, table in (("nats", benchmark_table()), ("scores", score_table()), ("sizes", size_table())):
        table.to_csv(f"{folder}/{name}.csv", index=False)
        table.to_parquet(f"{folder}/{name}.parquet", index=False)


def score_table() -> pd.DataFrame:
    """Returns the same scores as a table file has them."""
    return pd.DataFrame({"arch": list(SPACE), **known().scores[0]})


def size_table(count: int = 400) -> pd.DataFrame:
    """Returns archs of nats-sss whose accuracy grows with widths, the last of which counts most."""
    archs = [SIZES[int(i)] for i in np.random.default_rng(3).choice(len(SIZES), count, replace=False)]
    widths = np.log(np.array([to_widths(arch) for arch in archs], dtype=float))
    accuracy = widths @ np.array([1.0, 0.5, 1.0, 0.5, 2.0]) + 40
    return pd.DataFrame({"arch": archs, **{f"{dataset}_test_acc_90": accuracy for dataset in DATASETS}})
