"""skip: how far the skip connections of the cell reach."""

from __future__ import annotations

from torch import Tensor, nn

from nas_ray.proxies.needs import needs
from nas_ray.proxies.told import told


@needs(images=True)
def skip(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns the mean span (`to - from`) of the cell's skip connections, 0 without any; larger is better.

    It says nothing alone (Spearman near 0 on NATS-TSS); FreeREA adds it to other proxies to break ties.

    Shapes: `inputs` and `targets` are not used.
    Needs: the arch only, as the attribute `skip_spans` that a space gives to the nets it builds.
    Initialisation: irrelevant.

    Source: Cavagnero, Robbiano, Caputo and Averta, "FreeREA: Training-Free Evolution-based Architecture
    Search", WACV 2023.
    Differs: none known.

    Raises:
        ValueError: the net was not built by a space that defines skip connections.
    """
    spans = told("skip", net, "skip_spans", "nats-tss")
    return sum(spans) / len(spans) if spans else 0.0
