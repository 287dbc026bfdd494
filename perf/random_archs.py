"""Whether random archs of a space can be built and trained: forward and backward through all weights.

    python perf/random_archs.py --space layerwise --num-archs 10000
    python perf/random_archs.py --space layerwise:preset=strides --num-archs 10000 --processes 2

An arch passes if the scores of two images, the loss and the gradients of all weights are finite, and every
weight has one, but where a cell reads one input alone. Those that do not are printed, each with what it
lacks, and then the exit status is 1.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import torch
import torch.nn.functional as F
import tyro
from torch import nn

from nas_ray.errors import describe
from nas_ray.spaces import Pnas, SearchSpace
from nas_ray.spaces.base import fitted_space
from nas_ray.spaces.named import open_space

CHUNK = 50


@dataclasses.dataclass(frozen=True)
class Args:
    """What is tried."""

    space: str = "layerwise"
    """Search space."""
    num_archs: int = 10_000
    """Archs, drawn with --seed and not all different where the space is small."""
    image_size: int = 32
    """Height and width of the images."""
    processes: int = 1
    """Processes of one thread each."""
    seed: int = 0
    """Seed that draws the archs."""


def fault(space: SearchSpace, arch: str, image_size: int) -> str | None:
    """Returns what an arch lacks, None if nothing."""
    images = torch.randn(2, 3, image_size, image_size, generator=torch.Generator().manual_seed(0))
    try:
        net = space.build(arch, 10)
        scores = net(images)
        F.cross_entropy(scores, torch.tensor([1, 7])).backward()
    except Exception as error:
        return describe(error)
    if scores.shape != (2, 10) or not scores.isfinite().all():
        return f"scores {list(scores.shape)} of which {int((~scores.isfinite()).sum())} are not finite"
    lost = without_gradient(space, arch, net)
    return f"no finite gradient of {', '.join(lost)}" if lost else None


def without_gradient(space: SearchSpace, arch: str, net: nn.Module) -> list[str]:
    """Returns the weights that have no finite gradient and should have one.

    A cell of PNAS may read one input alone; what makes the other one ready then leads nowhere.
    """
    idle_input = isinstance(space, Pnas) and not ("~0" in arch and "~1" in arch)
    return [
        name
        for name, weight in net.named_parameters()
        if (not idle_input if weight.grad is None else not weight.grad.isfinite().all())
    ]


def faults(args: Args, archs: list[str]) -> list[tuple[str, str]]:
    """Returns the archs that lack something, each with what."""
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    space = fitted_space(open_space(args.space), args.image_size)
    found = ((arch, fault(space, arch, args.image_size)) for arch in archs)
    return [(arch, what) for arch, what in found if what is not None]


def main(args: Args) -> None:
    """Tries the archs, and prints what they lack."""
    rng, space = np.random.default_rng(args.seed), open_space(args.space)
    archs = [space.sample(rng) for _ in range(args.num_archs)]
    chunks = [archs[at : at + CHUNK] for at in range(0, len(archs), CHUNK)]
    start, failed = time.perf_counter(), 0
    with ProcessPoolExecutor(args.processes, mp_context=get_context("spawn")) as pool:
        for done, lacking in enumerate(pool.map(faults, [args] * len(chunks), chunks), 1):
            failed += len(lacking)
            for arch, what in lacking:
                print(f"{arch}: {what}", flush=True)
            if sys.stderr.isatty() or not done % 20:
                print(
                    f"{done * CHUNK} archs, {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True
                )
    print(
        f"{len(archs)} archs of {args.space} ({len(set(archs))} different), {failed} of which failed, in "
        f"{time.perf_counter() - start:.0f} s"
    )
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__))
