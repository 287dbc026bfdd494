"""Number of multiply-adds of one forward pass."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils._python_dispatch import TorchDispatchMode

from nas_ray.proxies.checks import LAYERS, checked
from nas_ray.proxies.functions import Functions, tensors_of
from nas_ray.proxies.hooks import forward_hooks, forward_pre_hooks, preserved_state
from nas_ray.proxies.needs import needs

TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
RECURRENT = (nn.RNNBase, nn.RNNCellBase)


@needs(modules=LAYERS, words="convolutions or linear layers")
@checked
def flops(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns the multiply-adds of convolutions and linear maps for one image; larger is better.

    Shapes: `inputs [B, 3, H, W]`, of which only the shape of an image matters; `targets` is not used.
    Needs: one forward pass of one image. Initialisation: irrelevant; BN in evaluation mode.

    A bias counts as one multiply-add per output. BN, ReLU and pooling count nothing, and neither do products
    of two activations, such as the scores of attention. A layer that is called twice counts twice, and one
    that is never called counts nothing. Weights that are used without calling a layer, such as the
    projections of attention, count as linear layers do, and those of a recurrent layer once per position.

    Source: the convention of Dong and Yang, "NAS-Bench-201", ICLR 2020, whose published figure on CIFAR-10 is
    `7.78305 + 3.93216 n1 + 35.38944 n3` million.
    Differs: none known.

    Raises:
        ValueError: the net has no convolution or linear layer.
    """
    if not any(isinstance(m, LAYERS) for m in net.modules()):
        raise ValueError("flops: the net has no convolution or linear layer to count.")
    counted = [m for m in net.modules() if isinstance(m, (*LAYERS, *RECURRENT))]
    rest = OtherProducts(net)
    total = 0

    def begin(layer: nn.Module, args: tuple[Any, ...]) -> None:
        rest.inside += 1

    def count(layer: nn.Module, args: tuple[Any, ...], output: Tensor) -> None:
        nonlocal total
        rest.inside -= 1
        total += multiply_adds(layer, output, args)

    with (
        preserved_state(net),
        forward_pre_hooks(counted, begin),
        forward_hooks(counted, count),
        torch.no_grad(),
    ):
        net.eval()
        with Functions(), rest:
            net(inputs[:1])
    return float(total + rest.total)


def multiply_adds(layer: nn.Module, output: Tensor, args: tuple[Any, ...] = ()) -> int:
    """Returns the multiply-adds of a convolution, linear or recurrent `layer` that made `output [1, ...]`."""
    if isinstance(layer, RECURRENT):
        positions = int(args[0][..., 0].numel())
        return positions * sum(parameter.numel() for parameter in layer.parameters())
    per_unit = layer.get_parameter("weight")[0].numel()
    units = int(args[0].numel()) if isinstance(layer, TRANSPOSED) else output.numel()
    return units * per_unit + output.numel() * (layer.bias is not None)


class OtherProducts(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch gives no types
    """Counts the multiply-adds of weights that a net uses otherwise than by calls of layers.

    A weight is a parameter, or what is computed from parameters alone.

    Args:
        net: whose forward pass runs within it.

    Attributes:
        inside: layers that are being called, which somebody else counts.
        total: multiply-adds so far.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.inside = 0
        self.total = 0
        parameters = [p for p in net.parameters() if not is_lazy(p)]
        self._weights: dict[int, Tensor] = {memory(p): p for p in parameters}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        operands = list(tensors_of((args, kwargs or {})))
        if not self.inside and operands:
            weights = [memory(tensor) in self._weights for tensor in operands]
            if any(weights) and isinstance(result, Tensor):
                self.total += product_cost(func.overloadpacket, args, result)
            if all(weights):  # kept, so that their memory is not given to another
                self._weights.update({memory(tensor): tensor for tensor in tensors_of(result)})
        return result


def memory(tensor: Tensor) -> int:
    """Returns what is equal for a tensor and its views, on any device."""
    return int(tensor.untyped_storage()._cdata)


def product_cost(operation: Any, args: tuple[Any, ...], result: Tensor) -> int:
    """Returns the multiply-adds of a matrix product or convolution, 0 for any other operation."""
    aten = torch.ops.aten
    if operation in (aten.mm, aten.bmm):
        return result.numel() * int(args[0].shape[-1])
    if operation in (aten.addmm, aten.baddbmm):
        return result.numel() * (int(args[1].shape[-1]) + 1)
    if operation is aten.convolution:
        units = args[0].numel() if args[6] else result.numel()
        return int(units * args[1][0].numel() + result.numel() * (args[2] is not None))
    if operation is aten.add:  # the bias of a product that torch did in two steps
        return result.numel() * any(isinstance(x, Tensor) and x.dim() == 1 < result.dim() for x in args)
    return 0
