"""log_width: what the widths of a net of fixed depth tell."""

from __future__ import annotations

import math

from torch import Tensor, nn

from nas_ray.proxies.needs import needs
from nas_ray.proxies.told import told


@needs(images=True)
def log_width(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns the sum of the logarithms of the five widths and of the classifier's rank; larger is better.

    That rank is the smaller of the last width and the number of classes. It is the baseline of NATS-SSS, and
    says more of accuracy there than the number of parameters (`docs/proxies.md`).

    Shapes: `inputs` and `targets` are not used.
    Needs: the arch only, as the attribute `sizes` that a space gives to the nets it builds.
    Initialisation: irrelevant.

    Source: counted by definition.
    Differs: none known.

    Raises:
        ValueError: the net was not built by a space of widths.
    """
    *widths, classes = told("log_width", net, "sizes", "nats-sss")
    return math.fsum(math.log(width) for width in (*widths, min(widths[-1], classes)))
