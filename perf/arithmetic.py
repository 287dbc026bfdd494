"""What the nets of the space cost by arithmetic."""

from __future__ import annotations

from functools import cache

import torch

from nas_ray.proxies import flops
from nas_ray.shared_weights.one_by_one import DRAWN, EVERY_RELU, Way, first_of_each
from nas_ray.spaces import NatsTss
from nas_ray.spaces.nats_tss import to_arch, to_ops
from nas_ray.spaces.plans import plan_cell


@cache
def work(way: Way, *, once: bool = True) -> tuple[float, float]:
    """Returns multiply-adds and map elements of one image through an arch, mean over the space.

    Only what the way computes counts, and with `once` archs that are the same to it count once. A way that
    draws weights goes through a net twice, of which the first time counts.
    """
    space = NatsTss()
    everything = list(space)
    different = first_of_each(everything, way.key)[0] if once else everything
    image = torch.empty(1, 3, 32, 32, device="meta")

    def cost(ops: tuple[str, ...]) -> float:
        with torch.device("meta"):
            return flops(space.build(to_arch(ops), 10), image, torch.empty(0, device="meta"))

    base = cost(("none",) * 6)
    per_op = {op: cost((op, *("none",) * 5)) - base for op in ("nor_conv_1x1", "nor_conv_3x3")}
    elements = sum(space.cells * space.channels * 2**s * (32 >> s) ** 2 for s in range(3))
    total = maps = 0.0
    for arch in different:
        steps = plan_cell(to_ops(arch), observed=way in (EVERY_RELU, DRAWN)).steps
        total += base + sum(per_op.get(step.op, 0.0) for step in steps)
        maps += elements * sum(2 + step.is_convolution for step in steps)
    return total / len(everything), maps / len(everything)
