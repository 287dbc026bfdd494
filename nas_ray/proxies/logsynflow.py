"""LogSynFlow: SynFlow with the logarithm of the gradient, so that deep nets do not explode."""

from __future__ import annotations

from torch import Tensor, nn

from nas_ray.proxies.checks import LAYERS, checked
from nas_ray.proxies.gradients import total
from nas_ray.proxies.needs import needs
from nas_ray.proxies.synflow import synaptic_gradients


@needs(numbers=True, modules=LAYERS, words="convolutions or linear layers")
@checked
def logsynflow(net: nn.Module, inputs: Tensor, targets: Tensor, *, linear: bool = True) -> float:
    """Returns the sum of `weight * log(1 + dR/dweight)` over conv and linear weights; larger is better.

    R is that of `synflow`: the sum of the outputs of the linear net with absolute weights for one all-ones
    image. The logarithm is taken of the gradient and not of the score. Everything is float64.

    Shapes: of `inputs [B, 3, H, W]` only the shape of an image is used; `targets` is not used.
    Needs: one forward and one backward pass of one image; no data, no labels.
    Initialisation: torch's default; there is no BN left.

    Source: Cavagnero, Robbiano, Caputo and Averta, "FreeREA: Training-Free Evolution-based Architecture
    Search", WACV 2023.
    Differs: the paper averages over three initialisations by kaiming_normal with fan_out; here the net is
    scored with the weights that it has, once. Average over `init_seed` to lower the variance. Norms other
    than BN are removed and activations are linear, as for `synflow`; `linear=False`, on the command line
    `logsynflow_released`, leaves both as they are.

    Raises:
        ValueError: the net has no convolution or linear layer.
    """
    pairs = synaptic_gradients("logsynflow", net, inputs, linear=linear)
    return total(lambda weight, grad: weight * grad.log1p(), pairs)
