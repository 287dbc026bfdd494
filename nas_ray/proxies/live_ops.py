"""live_ops: what counting the operations on live paths of a cell tells."""

from __future__ import annotations

from torch import Tensor, nn

from nas_ray.proxies.needs import needs
from nas_ray.proxies.told import told


@needs(images=True)
def live_ops(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns the convolutions of the cell minus its average poolings, on live paths; larger is better.

    A path is live if it leads from the input of the cell to its output without a `none`. Skip connections
    count nothing. On NATS-TSS it ranks archs of one size twice as well as their parameters do, while the bare
    number of live operations is hardly better than chance (`docs/proxies.md`). A mixture counts each
    operation that is there once, whatever its weight.

    Shapes: `inputs` and `targets` are not used.
    Needs: the arch only, as the attribute `live_ops` that a space gives to the nets it builds.
    Initialisation: irrelevant.

    Source: counted by definition.
    Differs: none known.

    Raises:
        ValueError: the net was not built by a space that knows what of a cell is live.
    """
    ops = told("live_ops", net, "live_ops", "nats-tss")
    convolutions = sum(op.startswith("nor_conv") for op in ops)
    return float(convolutions - ops.count("avg_pool_3x3"))
