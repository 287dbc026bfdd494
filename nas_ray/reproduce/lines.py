"""The lines of a table: ours beside each published figure, as a DataFrame."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from nas_ray.images.datasets import DATASETS
from nas_ray.reproduce.measures import TEST
from nas_ray.reproduce.published import Figures
from nas_ray.reproduce.statistics import NO_COMPARISON, Summary, summarise, verdict
from nas_ray.reproduce.tables import Setting

COLUMNS = (
    "setting", "dataset", "measure", "mean", "std", "median", "low", "high", "runs", "evaluations", "seconds",
    "kind", "published_mean", "published_std", "published_runs", "published_seconds", "difference", "p",
    "verdict", "reason",
)  # fmt: skip
"""Columns of the lines; accuracies in percent, `low` and `high` the 95 % interval of the mean."""


def lines_of(setting: Setting, answers: pd.DataFrame, test_column: str, *, resamples: int) -> pd.DataFrame:
    """Returns a line per dataset and figure; one per dataset where nothing was published.

    Args:
        setting: the row.
        answers: as in `Runs`.
        test_column: what the benchmark calls its final accuracy.
        resamples: draws of the bootstrap.
    """
    lines = []
    for place, dataset in enumerate(DATASETS):
        runs = answers[answers["dataset"] == dataset]
        ours = summarise(runs["accuracy"].dropna().to_numpy(float), resamples=resamples)
        spent = {
            "evaluations": float(runs["evaluations"].mean()),
            "seconds": float(runs["seconds"].mean()) if setting.charged else np.nan,
        }
        measure = test_column if setting.measure == TEST else setting.measure
        why = setting.no_comparison or other_accuracy(setting, test_column)
        for figures in setting.published or (None,):
            told = compared(ours, figures, place, why)
            lines.append(
                {
                    "setting": setting.title,
                    "dataset": dataset,
                    "measure": measure,
                    **facts(ours),
                    **spent,
                    **told,
                }
            )
    return pd.DataFrame(lines).reindex(columns=list(COLUMNS))


def facts(ours: Summary) -> dict[str, float]:
    """Returns the summary as columns."""
    return dataclasses.asdict(ours)


def compared(ours: Summary, figures: Figures | None, place: int, why: str = "") -> dict[str, object]:
    """Returns the columns of the comparison with the figures of dataset number `place`.

    Args:
        ours: the summary of our runs.
        figures: None where nothing was published.
        place: of the dataset.
        why: why they cannot be compared; empty if they can.
    """
    if figures is None:
        return {"kind": "", "verdict": "", "reason": "nothing published"}
    mean = figures.means[place]
    std = None if figures.stds is None else figures.stds[place]
    word, p = (NO_COMPARISON, np.nan) if why else verdict(ours, mean, std, figures.runs)
    return {
        "kind": figures.kind,
        "published_mean": mean,
        "published_std": np.nan if std is None else std,
        "published_runs": np.nan if figures.runs is None else figures.runs,
        "published_seconds": figures.seconds[place],
        "difference": ours.mean - mean,
        "p": p,
        "verdict": word,
        "reason": why,
    }


def other_accuracy(setting: Setting, test_column: str) -> str:
    """Returns why the benchmark's accuracy is another than the published, empty if it is not."""
    if setting.measure == TEST and test_column != TEST:
        return f"the benchmark holds {test_column} and no test accuracy"
    return ""
