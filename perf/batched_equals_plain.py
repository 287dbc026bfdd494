"""How far each batched proxy is from the plain one on the extracted nets, over many random archs.

    python perf/batched_equals_plain.py --num-archs 500

The largest relative difference per proxy, and the rank correlation of both. An arch that is undefined must be
so in both.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import tyro
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.stats import spearmanr

from nas_ray.batched import BATCHED
from nas_ray.modules.data import ImageDataModule
from nas_ray.proxies import PROXIES
from nas_ray.scoring_run import choose_archs
from nas_ray.spaces import NatsTss
from nas_ray.spaces.supernet import Supernet


@dataclasses.dataclass(frozen=True)
class Args:
    """What to compare."""

    proxies: tuple[str, ...] = tuple(sorted(BATCHED))
    """Proxies."""
    num_archs: int = 500
    """Archs, drawn with --seed."""
    channels: int = 4
    """Width of the first stage."""
    cells: int = 1
    """Cells in each stage."""
    batch_size: int = 48
    """Images in the minibatch."""
    dtypes: tuple[str, ...] = ("float64", "float32")
    """Types of weights and images."""
    images: str = "digits"
    """Images, as in the searches."""
    seed: int = 0
    """Seed that draws the archs."""
    out: Path = Path("runs/batched_equals_plain.csv")
    """CSV file to write."""


def main(args: Args) -> None:
    torch.set_num_threads(1)
    space = NatsTss(args.channels, args.cells)
    archs = choose_archs(space, args.num_archs, seed=args.seed)
    inputs, targets = ImageDataModule(args.images, batch_size=args.batch_size).minibatch()
    rows = []
    for dtype in args.dtypes:
        torch.manual_seed(0)
        net = Supernet(space, 10).to(getattr(torch, dtype))
        batch = inputs.to(getattr(torch, dtype)), targets
        for name in track(args.proxies, description=dtype):
            plain = [float(PROXIES[name](net.extract(arch), *batch)) for arch in archs]  # type: ignore[arg-type]
            batched = BATCHED[name](net, archs, *batch).numpy()
            rows.append({"proxy": name, "dtype": dtype, **compare(np.array(plain), batched)})
    table = pd.DataFrame(rows)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(args.out, index=False)
    shown = Table("proxy", "type", "archs", "undefined", "not in both", "largest difference", "rho", box=None)
    for row in table.itertuples(index=False):
        counts = (str(row.archs), str(row.undefined), str(row.not_in_both))
        shown.add_row(row.proxy, row.dtype, *counts, f"{row.difference:.1e}", f"{row.spearman:.6f}")
    Console(width=120).print(shown)


def compare(plain: np.ndarray, batched: np.ndarray) -> dict[str, float]:
    """Returns counts of archs and undefined scores, the largest relative difference, and rank correlation."""
    both = np.isfinite(plain) & np.isfinite(batched)
    scale = np.abs(plain[both])
    difference = np.abs(plain[both] - batched[both]) / np.where(scale > 0, scale, 1.0)
    return {
        "archs": len(plain),
        "undefined": int((~np.isfinite(plain)).sum()),
        "not_in_both": int((np.isfinite(plain) != np.isfinite(batched)).sum()),
        "difference": float(difference.max(initial=0.0)),
        "spearman": float(spearmanr(plain[both], batched[both]).statistic),
    }


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__, config=(tyro.conf.FlagCreatePairsOff,)))
