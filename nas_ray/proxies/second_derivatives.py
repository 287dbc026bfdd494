"""Convolution and batch norm whose second derivatives cost what their first do.

Torch differentiates the gradients of both again by formulas of many small steps: several convolutions for
one, and sums that read whole maps anew. Here both are made of the operations of a first derivative.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from nas_ray.proxies.functions import Function, Functions

Gradients = tuple[Tensor | None, ...]


class SecondDerivatives(Functions):
    """Within it 2-D convolutions, and batch norm in batch mode, are those of this file; values are equal."""

    def call(self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Returns the result of a call."""
        if function is F.conv2d and not kwargs and is_plain_convolution(*args):
            x, weight, bias, stride, padding, dilation, groups = args
            out = Convolution.apply(x, weight, pair(stride), pair(padding), pair(dilation), groups)
            return out if bias is None else out + bias.view(-1, 1, 1)
        normed = plain_norm(*args, **kwargs) if function is F.batch_norm else None
        return function(*args, **kwargs) if normed is None else normed


def is_plain_convolution(x: Tensor, *rest: Any) -> bool:
    """Returns whether these are the arguments that `nn.Conv2d` gives, with its padding in numbers."""
    return x.dim() == 4 and len(rest) == 6 and not isinstance(rest[3], str)


def plain_norm(
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor | None:
    """Returns the batch norm of a batch of maps as yet without scale and shift, None for any other."""
    changed = (weight is not None and bool((weight != 1).any())) or (bias is not None and bool(bias.any()))
    if x.dim() != 4 or not training or running_mean is not None or changed:
        return None
    normed: Tensor = Norm.apply(x, eps)
    return normed


def pair(value: Any) -> list[int]:
    """Returns a number for both directions as two."""
    return [value, value] if isinstance(value, int) else list(value)


class Convolution(torch.autograd.Function):
    """`F.conv2d` without bias; `[B, C, H, W] -> [B, D, H', W']`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, *setting: Any) -> Tensor:
        """Returns the convolution; `setting` is stride, padding, dilation and groups."""
        ctx.save_for_backward(x, weight)
        ctx.setting = setting
        return F.conv2d(x, weight, None, *setting)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Gradients:
        """Returns gradients that can be differentiated once more."""
        x, weight = ctx.saved_tensors
        found = ConvolutionGradients.apply(grad, x, weight, ctx.needs_input_grad[:2], ctx.setting)
        return (*found, None, None, None, None)


class ConvolutionGradients(torch.autograd.Function):
    """The gradients of a convolution: one linear in grad and weight, the other in grad and x."""

    @staticmethod
    def forward(
        ctx: Any, grad: Tensor, x: Tensor, weight: Tensor, needed: tuple[bool, bool], setting: Any
    ) -> Gradients:
        """Returns the gradients in x and weight, as far as they are needed."""
        ctx.save_for_backward(grad, x, weight)
        ctx.setting = setting
        ctx.set_materialize_grads(False)
        return both_gradients(grad, x, weight, needed, setting)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_x: Tensor | None, to_weight: Tensor | None) -> Gradients:
        """Returns the gradients in grad, x and weight, of which `to_x` and `to_weight` are given."""
        grad, x, weight = ctx.saved_tensors
        convolved = []
        if to_x is not None:
            convolved.append(F.conv2d(to_x, weight, None, *ctx.setting))
        if to_weight is not None:
            convolved.append(F.conv2d(x, to_weight, None, *ctx.setting))
        in_grad = sum(convolved[1:], start=convolved[0]) if convolved else None
        needed = (
            to_weight is not None and ctx.needs_input_grad[1],
            to_x is not None and ctx.needs_input_grad[2],
        )
        others = x if to_x is None else to_x, weight if to_weight is None else to_weight
        in_x, in_weight = both_gradients(grad, *others, needed, ctx.setting)
        return in_grad, in_x, in_weight, None, None


def both_gradients(
    grad: Tensor, x: Tensor, weight: Tensor, needed: tuple[bool, bool], setting: Any
) -> tuple[Tensor | None, Tensor | None]:
    """Returns the gradients of a convolution in x and weight, None for those that are not needed."""
    if not any(needed):
        return None, None
    stride, padding, dilation, groups = setting
    found = torch.ops.aten.convolution_backward(
        grad, x, weight, None, stride, padding, dilation, False, [0, 0], groups, [*needed, False]
    )
    return (found[0] if needed[0] else None), (found[1] if needed[1] else None)


class Norm(torch.autograd.Function):
    """Batch norm in batch mode, `y = (x - mean) s` with `s = (var + eps)^-1/2`, of `[B, C, H, W]`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, eps: float) -> Tensor:
        """Returns y."""
        y, mean, s = torch.native_batch_norm(x, None, None, None, None, True, 0.0, eps)
        ctx.save_for_backward(x, mean, s)  # not y, on which a ReLU may work in place
        ctx.eps = eps
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Gradients:
        """Returns a gradient that can be differentiated once more."""
        x, mean, s = ctx.saved_tensors
        return NormGradient.apply(grad, x, mean, s, ctx.eps), None


class NormGradient(torch.autograd.Function):
    """The gradient `d = s P(grad)` of batch norm in x, with `P(g) = g - mean(g) - y mean(g y)`.

    P is its own adjoint. So with v given in d, the gradient in grad is `s P(v)`, and that in x is
    `-s (mean(v d) y + mean(grad y) s P(v) + mean(v y) d)`.
    """

    @staticmethod
    def forward(ctx: Any, grad: Tensor, x: Tensor, mean: Tensor, s: Tensor, eps: float) -> Tensor:
        """Returns d."""
        d, of_grad = projected(grad, x, mean, s, eps)
        ctx.save_for_backward(x, mean, s, d, of_grad)
        ctx.eps = eps
        return d

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, v: Tensor) -> Gradients:
        """Returns the gradients in grad and x."""
        x, mean, s, d, of_grad = ctx.saved_tensors
        in_grad, of_v = projected(v, x, mean, s, ctx.eps)
        _, of_both = projected(v, d, torch.zeros_like(mean), torch.ones_like(s), ctx.eps, gradient=False)
        factors = -s * torch.stack([of_both, of_grad, of_v]) / (x.numel() // x.shape[1])
        by_y, by_grad, by_d = factors.view(3, -1, 1, 1)
        in_x = (x - mean.view(-1, 1, 1)).mul_(s.view(-1, 1, 1) * by_y)
        in_x.addcmul_(in_grad, by_grad).addcmul_(d, by_d)
        return in_grad, in_x, None, None, None


def projected(
    grad: Tensor, x: Tensor, mean: Tensor, s: Tensor, eps: float, gradient: bool = True
) -> tuple[Tensor, Tensor]:
    """Returns `s P(grad)` and the sums `[C]` of `grad (x - mean) s`."""
    found = torch.ops.aten.native_batch_norm_backward(
        grad, x, None, None, None, mean, s, True, eps, [gradient, True, False]
    )
    return found[0], found[1]
