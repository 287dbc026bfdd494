"""clear_paths: what counting the ways through a cell that no pooling blurs tells."""

from __future__ import annotations

from torch import Tensor, nn

from nas_ray.proxies.needs import needs
from nas_ray.proxies.told import told

POOLING = "avg_pool_3x3"


@needs(images=True)
def clear_paths(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns the number of paths from input to output of the cell without average pooling; larger is better.

    A path leads from edge to edge and has no `none`. Skip connections and convolutions are both clear. A cell
    of NATS-TSS has at most four paths, so the score has five values; `docs/proxies.md` has what it tells. In
    a mixture each operation that is there is a way of its own, whatever its weight.

    Shapes: `inputs` and `targets` are not used.
    Needs: the arch only, as the attribute `live_paths` that a space gives to the nets it builds.
    Initialisation: irrelevant.

    Source: counted by definition.
    Differs: none known.

    Raises:
        ValueError: the net was not built by a space that knows the paths of a cell.
    """
    return float(sum(POOLING not in path for path in told("clear_paths", net, "live_paths", "nats-tss")))
