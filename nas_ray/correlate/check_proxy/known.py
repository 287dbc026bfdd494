"""The archs that a proxy is tried on, and what is known of their accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from nas_ray.benchmarks import open_benchmark
from nas_ray.benchmarks.whole import benchmark_accuracy
from nas_ray.correlate.check_proxy.args import CheckProxyArgs
from nas_ray.correlate.opening import open_all
from nas_ray.errors import UsageError
from nas_ray.images.datasets import OWN
from nas_ray.proxies import OF_ONE_SPACE
from nas_ray.spaces import FiniteSpace, NatsSss, NatsTss, SearchSpace
from nas_ray.spaces.named import open_space
from nas_ray.spaces.options import named_options
from nas_ray.spaces.settings import named_space

APART: Final = ("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",)
"""Archs of NATS-TSS without a path."""
DRAWS: Final = 100
"""Draws for each arch that is wanted, before a space is found to have fewer."""
AUTO, NONE = "auto", "none"


@dataclass(frozen=True)
class Known:
    """Archs, and what is known of them.

    Attributes:
        archs: all different, in the order in which they were drawn.
        apart: further ones without a path from images to outputs.
        accuracy: `[archs]` in percent; None where it is not known.
        source: what that accuracy is, or why there is none.
    """

    archs: list[str]
    apart: list[str]
    accuracy: np.ndarray | None
    source: str


def known_of(args: CheckProxyArgs) -> Known:
    """Returns the archs, drawn from `--seed`.

    Raises:
        UsageError: too few, a benchmark that was named and cannot be used, or a proxy of another space.
    """
    _check_space(args)
    space, accuracy, source = _opened(args)
    archs = _drawn(space, args)
    apart = [arch for arch in APART if isinstance(space, NatsTss) and arch not in archs]
    if accuracy is None:
        return Known(archs, apart, None, source)
    known = np.array([accuracy.get(arch, np.nan) for arch in archs])
    if not np.isfinite(known).all():
        return Known(archs, apart, None, f"{source} lacks some of them")
    return Known(archs, apart, known, source)


def _check_space(args: CheckProxyArgs) -> None:
    space = named_options(named_space(args.space)[0])[0]
    wanted = OF_ONE_SPACE.get(args.proxy)
    if wanted is not None and space != wanted:
        raise UsageError(
            f"The proxy {args.proxy!r} reads what the nets of {wanted} say of their arch, got --space "
            f"{space}; give --space {wanted}."
        )


def _opened(args: CheckProxyArgs) -> tuple[SearchSpace, Mapping[str, float] | None, str]:
    """Returns the space of the archs, their accuracy by arch, and what it is or why there is none."""
    space = open_space(args.space)
    if args.benchmark == NONE or args.dataset == OWN:
        return space, None, "no benchmark was asked for" if args.benchmark == NONE else "images of one's own"
    if isinstance(space, (NatsTss, NatsSss)):
        try:
            opened = open_benchmark(args.benchmark, args.dataset, space)
            accuracy = None if opened is None else benchmark_accuracy(opened)
        except UsageError as error:
            if args.benchmark != AUTO:
                raise
            return space, None, str(error).rstrip(".")
        if opened is not None and accuracy is not None:
            return space, accuracy, opened.acc_source
    elif args.benchmark != AUTO:
        listed, benchmarks = open_all(args.benchmark, [args.dataset], args.space)
        found = benchmarks[args.dataset]
        return listed, benchmark_accuracy(found), found.acc_source
    return space, None, f"no benchmark of {args.space} is at hand; --benchmark names a table"


def _drawn(space: SearchSpace, args: CheckProxyArgs) -> list[str]:
    rng = np.random.default_rng(args.seed)
    if isinstance(space, FiniteSpace) and len(space) < args.num_archs:
        raise UsageError(
            f"--num-archs must be at most {len(space)}, the archs that are there, got {args.num_archs}."
        )
    found: dict[str, None] = {}
    for _ in range(DRAWS * args.num_archs):
        if len(found) == args.num_archs:
            break
        found[space.sample(rng)] = None
    if len(found) < args.num_archs:
        raise UsageError(
            f"--num-archs must be at most the different archs that are drawn from {args.space}, got "
            f"{args.num_archs}, and {DRAWS * args.num_archs:,} draws gave {len(found)}."
        )
    return list(found)
