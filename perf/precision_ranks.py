"""What bfloat16 does to the ranks of archs, and to the time, for each batched proxy.

    python perf/precision_ranks.py --num-archs 200

Spearman's rank correlation with the scores in float32 on equal weights and images. A proxy above .999 may be
in `KEEPS_RANKS` of `nas_ray/shared_weights/precision.py`.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import tyro
from rich.console import Console
from rich.table import Table
from scipy.stats import spearmanr

from nas_ray.evaluation.allocator import keep_freed_memory
from nas_ray.images.image_data import ImageDataModule
from nas_ray.shared_weights import BATCHED
from nas_ray.shared_weights.precision import KEEPS_RANKS
from nas_ray.shared_weights.supernet import Supernet
from nas_ray.spaces import NatsTss
from nas_ray.spaces.choice import choose_archs


@dataclasses.dataclass(frozen=True)
class Args:
    """What to compare."""

    proxies: tuple[str, ...] = (
        "synflow",
        "naswot",
        "snip",
        "grad_norm",
        "fisher",
        "jacob_cov",
        "swap",
        "zico",
    )
    """Batched proxies."""
    num_archs: int = 200
    """Archs, drawn with --seed."""
    batch_size: int = 64
    """Images in the minibatch."""
    device: str = "cpu"
    """Device."""
    images: str = "digits"
    """Images, as in the searches."""
    seed: int = 0
    """Seed that draws the archs."""
    out: Path = Path("runs/precision_ranks.csv")
    """CSV file to write."""


def main(args: Args) -> None:
    keep_freed_memory()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    supernet = Supernet(NatsTss(), 10).to(args.device)
    inputs, targets = ImageDataModule(args.images, batch_size=args.batch_size).minibatch()
    batch = inputs.to(args.device, memory_format=torch.channels_last), targets.to(args.device)
    archs = choose_archs(supernet.space, args.num_archs, seed=args.seed)
    rows = []
    for name in args.proxies:
        scores, seconds = [], []
        for enabled in (False, True):
            start = time.perf_counter()
            with torch.autocast(args.device, dtype=torch.bfloat16, enabled=enabled):
                scores.append(BATCHED[name](supernet, archs, *batch).cpu().numpy())
            seconds.append(time.perf_counter() - start)
        both = np.isfinite(scores[0]) & np.isfinite(scores[1])
        rho = float(spearmanr(scores[0][both], scores[1][both]).statistic)
        rows.append({"proxy": name, "archs": int(both.sum()), "rho": rho, "faster": seconds[0] / seconds[1]})
    table = pd.DataFrame(rows)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(args.out, index=False)
    shown = Table("proxy", "archs", "rho", "times faster", "used in bfloat16", box=None)
    for row in table.itertuples(index=False):
        used = "yes" if row.proxy in KEEPS_RANKS else "no"
        shown.add_row(row.proxy, str(row.archs), f"{row.rho:.5f}", f"{row.faster:.2f}", used)
    Console(width=100).print(shown)


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__, config=(tyro.conf.FlagCreatePairsOff,)))
