"""Our rank correlations beside published ones, as the Markdown table of the README.

    python perf/correlation_table.py runs/correlate runs/correlate-16

Reads `correlations-DATASET.csv` of folders that `experiments/correlate.py` made, and
`docs/published_correlations.csv`. A published figure outside of our interval is marked.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pandas as pd
import tyro

from nas_ray.datasets import DATASETS

PUBLISHED = Path(__file__).parents[1] / "docs" / "published_correlations.csv"


@dataclasses.dataclass(frozen=True)
class Args:
    """Where the tables are."""

    folders: tyro.conf.Positional[tuple[Path, ...]]
    """Folders of experiments/correlate.py; a score is taken from the first that has it."""


def load(folders: tuple[Path, ...], dataset: str) -> pd.DataFrame:
    """Returns one row per score."""
    tables = [pd.read_csv(folder / f"correlations-{dataset}.csv") for folder in folders]
    return pd.concat(tables).drop_duplicates("score").set_index("score")


def cell(row: pd.Series, published: str) -> str:
    """Returns ours with its interval, then published, with a star where it is outside of the interval."""
    ours = f"{row['spearman']:.3f} [{row['spearman_low']:.2f}, {row['spearman_high']:.2f}]"
    if not published:
        return ours
    numbers = [float(number) for number in re.split("-", published)]
    outside = max(numbers) < row["spearman_low"] or min(numbers) > row["spearman_high"]
    return f"{ours} \\| {published}{'*' if outside else ''}"


def main(args: Args) -> None:
    ours = {dataset: load(args.folders, dataset) for dataset in DATASETS}
    published = pd.read_csv(PUBLISHED, dtype=str, keep_default_na=False).set_index("score")
    print("| score | " + " | ".join(ours) + " | s/arch |")
    print("|---" * (len(ours) + 2) + "|")
    first = next(iter(ours.values()))
    for score in first.sort_values("spearman", ascending=False).index:
        cells = [
            cell(table.loc[score], str(published[dataset].get(score, ""))) for dataset, table in ours.items()
        ]
        seconds = first.loc[score, "seconds_per_arch"]
        print(f"| `{score}` | {' | '.join(cells)} | {'' if pd.isna(seconds) else f'{seconds:.2f}'} |")


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__))
