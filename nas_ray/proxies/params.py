"""Number of parameters: the trivial baseline that every proxy must beat."""

from __future__ import annotations

from torch import Tensor, nn


def params(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns the number of parameters of `net`; larger is better.

    Shapes: `inputs` and `targets` are not used.
    Needs: nothing. Initialisation: irrelevant.

    Source: counted by definition; for NATS-TSS the published figure, `.073306 + .028 n1 + .24304 n3` million
    on CIFAR-10.
    Differs: none known.
    """
    return float(sum(parameter.numel() for parameter in net.parameters()))
