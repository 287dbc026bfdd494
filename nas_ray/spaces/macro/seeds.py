"""The graphs of the well-known nets from which first archs are drawn, from the worst to the best."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final

from nas_ray.spaces.graphs.graph import LayerGraph
from nas_ray.spaces.graphs.stored import graph_of
from nas_ray.spaces.macro.sampling import Parents
from nas_ray.spaces.macro.variant import RELEASED, Variant

SEEDS: Final = Path(__file__).with_name("seeds.json")
ORDER: Final = (
    *("mnasnet0_5", "resnet152", "mnasnet1_3", "resnet101", "shufflenet_v2_x1_0", "mnasnet1_0", "vgg19"),
    *("shufflenet_v2_x0_5", "mnasnet0_75", "vgg16", "squeezenet1_1", "squeezenet1_0", "resnext101_32x8d"),
    *("shufflenet_v2_x2_0", "wide_resnet101_2", "densenet201", "resnext50_32x4d", "shufflenet_v2_x1_5"),
    *("wide_resnet50_2", "alexnet", "vgg13", "vgg11", "densenet121", "resnet50", "densenet169", "vgg19_bn"),
    *("vgg16_bn", "mobilenet_v2", "densenet161", "vgg13_bn", "resnet18", "vgg11_bn", "resnet34"),
)
"""The nets by their fitness, the worst first, as far as it can be known.

Known of the fitness of the released nets, 4 epochs on a part of CIFAR-10, are the best three and the worst.
The order of the others is inferred: of what is drawn from the released nets the mean length, the share of
chains that end at ReLU6, and the shares of layers are known to a few in a hundred, and each depends on it.
This one is, of those that give them, the nearest to the mean of 24 that were found from random beginnings.
Sure is little more than that mobilenet_v2 and the nets of VGG with batch normalisation rank high, and those
of MNASNet low (`docs/spaces.md`).
"""


@cache
def seeds(variant: Variant = RELEASED) -> tuple[LayerGraph, ...]:
    """Returns the graphs of the well-known nets in their `ORDER`, as a variant keeps them."""
    forms = json.loads(SEEDS.read_text(encoding="utf-8"))
    graphs = {form["name"]: graph_of(form, f"the file {SEEDS.name}") for form in forms}
    return tuple(variant.kept(graphs[name]) for name in ORDER)


@cache
def seed_parents(variant: Variant = RELEASED) -> Parents:
    """Returns the parents of first archs."""
    return Parents(seeds(variant), variant)
