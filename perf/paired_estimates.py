"""How much more each estimate says of longer trainings than the short training does, on the same archs.

    python perf/paired_estimates.py runs/compare-estimates-20250101-120000

The folder is one of `nas-ray compare-estimates`. A line for each estimate: its Spearman correlation with the
longer training minus that of the short training, and the percentile interval of this difference over draws of
the archs with replacement, which are the same for both.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import tyro
from scipy.stats import bootstrap

from nas_ray.correlate.estimates.judging import LONG, SHORT
from nas_ray.report.correlation import spearman


@dataclass(frozen=True)
class Args:
    """What is compared."""

    folder: tyro.conf.Positional[Path]
    """Folder of `nas-ray compare-estimates`."""
    resamples: int = 2_000
    """Draws of the bootstrap."""
    seed: int = 0
    """Seed of these draws."""


def gain(score: np.ndarray, short: np.ndarray, long: np.ndarray) -> float:
    """Returns by how much `score [N]` correlates more with `long [N]` than `short [N]` does."""
    return spearman(score, long) - spearman(short, long)


def gains(rows: pd.DataFrame, names: list[str], resamples: int, seed: int) -> pd.DataFrame:
    """Returns `gain`, `low` and `high` of each estimate; a value that is missing counts as the worst."""
    known = rows[[*names, SHORT]].astype(float).fillna(-np.inf)
    short, long = known[SHORT].to_numpy(), rows[LONG].fillna(0.0).to_numpy(dtype=float)
    lines = []
    for name in names:
        data = known[name].to_numpy(), short, long
        rng = np.random.default_rng(seed)
        drawn = bootstrap(
            data, gain, paired=True, vectorized=False, n_resamples=resamples, method="percentile", rng=rng
        )
        lines.append((name, gain(*data), *drawn.confidence_interval))
    return pd.DataFrame(lines, columns=["score", "gain", "low", "high"])


def main(args: Args) -> None:
    names = [name for name in pd.read_csv(args.folder / "estimates.csv")["score"] if name != SHORT]
    rows = pd.read_csv(args.folder / "archs.csv")
    print(gains(rows, names, args.resamples, args.seed).to_string(index=False, float_format="%.3f"))


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__))
