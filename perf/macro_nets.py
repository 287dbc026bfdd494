"""Measures the space macro: what a net costs to draw and to build, and how draws from its seeds compare.

    python perf/macro_nets.py
    python perf/macro_nets.py --space macro:as=described,params=2000000 --nets 300
    python perf/macro_nets.py --draws 4000

Seconds are those of the processor, one core, which other work on the machine disturbs less than the clock.
Draws are chains before they are given a classifier and before limits; a block counts as 7 or 8 layers.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
import tyro

from nas_ray.spaces import Macro
from nas_ray.spaces.macro.plan import Step
from nas_ray.spaces.macro.seeds import seed_parents
from nas_ray.spaces.named import open_space

GROUPS = {"block": ("res", "down"), "conv": ("conv",), "relu": ("relu",), "bn": ("bn",), "max": ("max",)}
GROUPS |= {"linear": ("linear",), "dropout": ("dropout",)}


@dataclass(frozen=True)
class Args:
    """What to measure."""

    space: tuple[str, ...] = ("macro", "macro:as=described")
    """Spaces."""
    nets: int = 100
    """Nets that are drawn, mutated and built."""
    draws: int = 0
    """Chains from whose layers a table is made; then nothing is timed."""
    seed: int = 0
    """Seed of all draws."""


def costs(space: Macro, args: Args) -> dict[str, float]:
    """Returns milliseconds of a net: mean of all, and the slowest twentieth."""
    rng, spent = np.random.default_rng(args.seed), []
    torch.manual_seed(args.seed)
    space.build(space.sample(rng), 10)  # what is imported or kept once is no cost of a net
    for _ in range(args.nets):
        marks = [time.process_time()]
        arch = space.sample(rng)
        marks.append(time.process_time())
        space.build(arch, 10)
        marks.append(time.process_time())
        space.mutant(arch, rng)
        marks.append(time.process_time())
        spent.append(np.diff(marks) * 1e3)
    sample, build, mutant = np.array(spent).T
    both = sample + build
    named = {"sample": sample.mean(), "build": build.mean(), "both": both.mean()}
    return {**named, "both, a twentieth above": np.percentile(both, 95), "mutant": mutant.mean()}


def drawn(space: Macro, args: Args) -> dict[str, float]:
    """Returns figures of chains: lengths, percent cut, percent of layers, percent within the limits."""
    rng, parents = np.random.default_rng(args.seed), seed_parents(space.rules.variant)
    walks = [parents.walk((32, 32), rng) for _ in range(args.draws)]
    lengths = [sum(Step(token, (1, 1, 1), (1, 1, 1)).layers for token in tokens) for tokens, _ in walks]
    words = Counter(token.word for tokens, _ in walks for token in tokens)
    low, median, high = np.percentile(lengths, [10, 50, 90])
    figures = {"mean": np.mean(lengths), "median": median, "a tenth up to": low, "a tenth from": high}
    figures |= {"longest": max(lengths), "above 500, %": 100 * np.mean(np.array(lengths) > 500)}
    figures["five layers or less, %"] = 100 * np.mean([len(tokens) <= 5 for tokens, _ in walks])
    figures["cut, %"] = 100 * np.mean([cut for _, cut in walks])
    for name, group in GROUPS.items():
        figures[f"{name}, %"] = 100 * sum(words[word] for word in group) / sum(words.values())
    chains = [parents.chain((32, 32), rng)[0] for _ in range(args.draws)]
    figures["within limits, %"] = 100 * np.mean([space.rules.why_not(chain) is None for chain in chains])
    return figures


def main(args: Args) -> None:
    torch.set_num_threads(1)
    columns = {}
    for name in args.space:
        space = open_space(name)
        assert isinstance(space, Macro)
        columns[name] = drawn(space, args) if args.draws else costs(space, args)
    print(pd.DataFrame(columns).to_string(float_format=lambda value: f"{value:.1f}"))


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__))
