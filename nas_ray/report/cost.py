"""What the nets of NATS-TSS cost, counted from their structure without building them."""

from __future__ import annotations

import re
from itertools import pairwise

import pandas as pd

from nas_ray.images.datasets import DatasetInfo
from nas_ray.report.cells import OP_COLORS
from nas_ray.rows import final_archs
from nas_ray.spaces.settings import arch_of

_OP = f"({'|'.join(OP_COLORS)})"
NATS_TSS = re.compile(rf"\|{_OP}~0\|\+\|{_OP}~0\|{_OP}~1\|\+\|{_OP}~0\|{_OP}~1\|{_OP}~2\|")
"""An arch of the space."""

COSTS = ("params", "flops")


def op_counts(archs: pd.Series[str], op: str) -> pd.Series[float]:
    """Returns how often each arch has the operation `op`; NaN for an arch of another space."""
    archs = archs.map(arch_of)  # points cost what their archs cost
    counts: pd.Series[float] = archs.str.count(rf"\|{op}~").astype(float)
    return counts.where(archs.str.fullmatch(NATS_TSS.pattern))


def with_costs(rows: pd.DataFrame, dataset: DatasetInfo, channels: int = 16, cells: int = 5) -> pd.DataFrame:
    """Returns `rows` with `params` and `flops` (multiply-adds of one image), kept where they exist.

    Counted as the proxies of these names count: parameters with those of BN; multiply-adds of convolutions
    and the classifier, with its bias. NaN for an arch of another space.

    Args:
        rows: with column `arch`.
        dataset: what the nets are built for.
        channels: width of the first stage.
        cells: cells in each of the three stages.
    """
    ones, threes = (op_counts(final_archs(rows), op) for op in ("nor_conv_1x1", "nor_conv_3x3"))
    if not ones.notna().any():
        return rows
    table = rows.copy()
    for name in COSTS:
        if name in table:
            continue
        base, one, three = _formula(name, dataset, channels, cells)
        table[name] = base + one * ones + three * threes
    return table


def _formula(name: str, dataset: DatasetInfo, channels: int, cells: int) -> tuple[int, int, int]:
    """Returns the cost of everything around the cells, and of one 1x1 and one 3x3 convolution in the cell."""
    widths, sizes = [channels << stage for stage in range(3)], [dataset.image_size >> s for s in range(3)]
    stages = list(zip(widths, sizes, strict=True))
    one, three = (
        cells * sum(_conv(name, width, width, kernel, size) for width, size in stages) for kernel in (1, 3)
    )
    base = _conv(name, 3, widths[0], 3, sizes[0])
    for (before, _), (width, size) in pairwise(stages):
        base += _conv(name, before, width, 3, size) + _conv(name, width, width, 3, size)
        base += _conv(name, before, width, 1, size, norm=False)
    base += 2 * widths[-1] if name == "params" else 0  # the last BN
    return base + (widths[-1] + 1) * dataset.num_classes, one, three


def _conv(name: str, width_in: int, width_out: int, kernel: int, size: int, *, norm: bool = True) -> int:
    """Returns parameters (BN included) or multiply-adds of a convolution with `size` x `size` outputs."""
    weights = width_in * width_out * kernel * kernel
    return weights + 2 * width_out * norm if name == "params" else weights * size * size
