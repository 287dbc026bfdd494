"""One scoring for all archs that compute the same function, where a proxy sees nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from nas_ray.rows import ERROR, ERROR_KIND
from nas_ray.shared_weights.one_by_one import LIVE
from nas_ray.spaces.canonical import representatives

OF_THE_FUNCTION = {*LIVE, "synflow", "logsynflow"}
"""Proxies whose distribution, over initialisations, is equal for archs of one canonical form.

The others also see operations that have no effect: their weights, their ReLUs, or the arch itself.
"""


class Classes:
    """Who stands for whom.

    Args:
        archs: the archs wanted.
        wanted: whether one arch stands for its class; if not, each stands for itself.
    """

    def __init__(self, archs: Sequence[str], wanted: bool) -> None:
        self.first = representatives(archs) if wanted else {arch: arch for arch in archs}

    def without_repeats(self, missing: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        """Returns the proxies that each arch lacks, without those for which another arch stands for it."""
        left = {
            arch: tuple(n for n in names if self.first[arch] == arch or n not in OF_THE_FUNCTION)
            for arch, names in missing.items()
        }
        return {arch: names for arch, names in left.items() if names}

    def spread(self, table: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
        """Returns `table` with the scores of whoever stands for an arch, and who that is in `scored_as`."""
        table = table.copy()
        stands = table["arch"].map(self.first)
        if (stands == table["arch"]).all():
            return table
        by_arch = table.set_index("arch")
        shared = sorted(OF_THE_FUNCTION.intersection(columns))
        for name in shared:
            table[name] = stands.map(by_arch[name])
        undefined = ~np.isfinite(table[shared].to_numpy()).all(axis=1)
        for name in by_arch.columns.intersection([ERROR, ERROR_KIND]):
            table[name] = table[name].where(~undefined, table[name].fillna(stands.map(by_arch[name])))
        table.insert(1, "scored_as", stands)
        return table
