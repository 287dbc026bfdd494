"""How far each batched proxy is from the plain one on the extracted nets, over many random archs.

    python perf/batched_equals_plain.py --num-archs 500
    python perf/batched_equals_plain.py --num-archs 40 --channels 16 --cells 1 --batch-size 64 --why

The largest and the median relative difference per proxy, and the rank correlation of both. An arch that is
undefined must be so in both. `--why` says where a difference comes from. It is measured again

- between plain nets alone, in the two memory layouts of torch, which are the same sums in another order,
- with ReLU replaced by SiLU, which has no kink, so that no pre-activation near zero can change its side.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
import tyro
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.stats import spearmanr

from nas_ray.images.image_data import ImageDataModule
from nas_ray.proxies import PROXIES
from nas_ray.shared_weights import BATCHED
from nas_ray.shared_weights.supernet import Supernet
from nas_ray.spaces import NatsTss
from nas_ray.spaces.choice import choose_archs


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
    why: bool = False
    """Also compare two layouts of the plain net, and nets without kinks."""
    out: Path = Path("runs/batched_equals_plain.csv")
    """CSV file to write."""


def main(args: Args) -> None:
    torch.set_num_threads(1)
    space = NatsTss(args.channels, args.cells)
    archs = choose_archs(space, args.num_archs, seed=args.seed)
    inputs, targets = ImageDataModule(args.images, batch_size=args.batch_size).minibatch()
    rows = []
    for dtype in args.dtypes:
        for kind in (F.relu, F.silu) if args.why else (F.relu,):
            torch.manual_seed(0)
            net = Supernet(space, 10).to(getattr(torch, dtype))
            batch = inputs.to(getattr(torch, dtype)), targets
            for name in track(args.proxies, description=f"{dtype} {kind.__name__}"):
                with activation(kind):
                    found = scores(name, net, archs, batch, layouts=args.why)
                plain = found.pop("plain")
                about = {"proxy": name, "dtype": dtype, "activation": kind.__name__}
                rows += [{**about, "other": other, **compare(plain, found[other])} for other in found]
    table = pd.DataFrame(rows)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(args.out, index=False)
    heads = ("proxy", "type", "activation", "other", "archs", "undefined", "not in both")
    shown = Table(*heads, "largest", "median", "rho", box=None)
    for row in table.itertuples(index=False):
        counts = (str(row.archs), str(row.undefined), str(row.not_in_both))
        numbers = (f"{row.difference:.1e}", f"{row.median:.1e}", f"{row.spearman:.6f}")
        shown.add_row(row.proxy, row.dtype, row.activation, row.other, *counts, *numbers)
    Console(width=140).print(shown)


def scores(
    name: str, net: Supernet, archs: Sequence[str], batch: tuple[torch.Tensor, torch.Tensor], *, layouts: bool
) -> dict[str, np.ndarray]:
    """Returns `[archs]` of the plain proxy, of the batched one, and of the plain one in the other layout."""

    def plain(layout: torch.memory_format) -> np.ndarray:
        inputs = batch[0].contiguous(memory_format=layout)
        nets = (net.extract(arch).to(memory_format=layout) for arch in archs)  # type: ignore[call-overload]
        return np.array([float(PROXIES[name](one, inputs, batch[1])) for one in nets])  # type: ignore[arg-type]

    last = batch[0].contiguous(memory_format=torch.channels_last)
    found = {
        "plain": plain(torch.contiguous_format),
        "batched": BATCHED[name](net, archs, last, batch[1]).numpy(),
    }
    return {**found, "plain, other layout": plain(torch.channels_last)} if layouts else found


@contextmanager
def activation(function: Callable[..., torch.Tensor]) -> Iterator[None]:
    """Puts `function` in the place of ReLU."""
    with mock.patch.object(F, "relu", function):
        yield


def compare(plain: np.ndarray, batched: np.ndarray) -> dict[str, float]:
    """Returns counts of archs and undefined scores, relative differences, and rank correlation."""
    both = np.isfinite(plain) & np.isfinite(batched)
    scale = np.abs(plain[both])
    difference = np.abs(plain[both] - batched[both]) / np.where(scale > 0, scale, 1.0)
    return {
        "archs": len(plain),
        "undefined": int((~np.isfinite(plain)).sum()),
        "not_in_both": int((np.isfinite(plain) != np.isfinite(batched)).sum()),
        "difference": float(difference.max(initial=0.0)),
        "median": float(np.median(difference)) if both.any() else 0.0,
        "spearman": float(spearmanr(plain[both], batched[both]).statistic),
    }


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__, config=(tyro.conf.FlagCreatePairsOff,)))
