"""Number of convolution layers: a baseline that knows nothing about data or weights."""

from __future__ import annotations

from torch import Tensor, nn

from nas_ray.proxies.needs import needs


@needs()
def num_conv(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns the number of convolution layers of `net`, whatever their kernel size; larger is better.

    A net without any, such as an MLP, has 0. A layer counts once, also where it is not used.

    Shapes: `inputs` and `targets` are not used.
    Needs: nothing. Initialisation: irrelevant.

    Source: counted by definition.
    Differs: none known.
    """
    return float(sum(isinstance(module, nn.modules.conv._ConvNd) for module in net.modules()))
