"""Neural tangent kernels of many archs as one batch, from what each layer sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.shared_weights.batch_run import BatchRun
from nas_ray.shared_weights.linear_ops import windows
from nas_ray.shared_weights.mixture import Arch, Mixture, mixture_of
from nas_ray.shared_weights.routes import Group
from nas_ray.shared_weights.supernet import Supernet


@dataclass(frozen=True)
class Layer:
    """A layer with weights in the archs of one group.

    Attributes:
        out: its output `[n, B, H', W', out]`, in whose gradient those of the weights are linear.
        group: the archs; None for all.
        seen: the windows of a convolution `[n, B H' W', k k in]`; None for a BN, whose scale is 1.
    """

    out: Tensor
    group: Group | None
    seen: Tensor | None

    def gradient(self, grad: Tensor) -> Tensor:
        """Returns the gradient in the weights of each arch, `[n, weights]`, from that in the output."""
        if self.seen is None:
            return (grad * self.out.detach()).sum((1, 2, 3))
        return (self.seen.mT @ grad.flatten(1, 3)).flatten(1)


class SeenRun(BatchRun):
    """A batch that keeps what its layers see, those of the stem for each arch by itself."""

    shares_stem = False

    def __init__(self, archs: Sequence[Mixture], device: torch.device) -> None:
        super().__init__(archs, device)
        self.layers: list[Layer] = []

    def convolution(self, layer: nn.Module, x: Tensor, group: Group | None = None) -> Tensor:
        """Returns a convolution, and keeps its windows."""
        out = super().convolution(layer, x, group)
        self.layers.append(Layer(out, group, spread(x.detach(), layer, (out.shape[2], out.shape[3]))))
        return out

    def norm(self, x: Tensor, group: Group | None = None) -> Tensor:
        """Returns BN, and keeps its output."""
        out = super().norm(x, group)
        self.layers.append(Layer(out, group, None))
        return out


def spread(x: Tensor, layer: nn.Module, positions: tuple[int, int]) -> Tensor:
    """Returns the pixels under the kernel of a convolution at each position, `[n, B H' W', k k in]`."""
    assert isinstance(layer, nn.Conv2d)
    kernel, padding = layer.kernel_size[0], layer.kernel_size[0] // 2
    maps = x.flatten(0, 1)
    if kernel > 1:
        padded = F.pad(maps, (0, 0, padding, padding, padding, padding)).contiguous()
        maps = windows(padded, positions, kernel, layer.stride[0])
    return maps.reshape(len(x), x.shape[1] * positions[0] * positions[1], -1)


def tangent_kernels(supernet: Supernet, archs: Sequence[Arch], inputs: Tensor) -> Tensor:
    """Returns `J J^T` of every arch, `[A, B, B]` in float64; see `nas_ray.proxies.ntk`.

    One forward pass of all archs, and one backward pass per image, which is that of all archs. What a layer
    sees does not depend on the image whose output is differentiated, so its windows are spread out once.
    """
    run = SeenRun([mixture_of(arch) for arch in archs], inputs.device)
    pooled: list[Tensor] = []
    keep = supernet.classifier.register_forward_pre_hook(lambda layer, args: pooled.append(args[0]))
    try:
        with torch.enable_grad():
            outputs = supernet.run(run, inputs).sum(2)
    finally:
        keep.remove()
    outs = [layer.out for layer in run.layers]
    rows: list[list[Tensor]] = [[] for _ in outs]
    for image in range(outputs.shape[1]):
        last = image + 1 == outputs.shape[1]
        grads = torch.autograd.grad(outputs[:, image].sum(), outs, retain_graph=not last, allow_unused=True)
        for own, layer, grad in zip(rows, run.layers, grads, strict=True):
            own.append(layer.gradient(torch.zeros_like(layer.out) if grad is None else grad))
    mean = pooled[0].detach().double()
    kernels = supernet.num_classes * (mean @ mean.mT)
    for own, layer in zip(rows, run.layers, strict=True):
        jacobian = torch.stack(own, 1).double()
        gram = jacobian @ jacobian.mT
        if layer.group is None or layer.group.index is None:
            kernels += gram
        else:
            kernels.index_add_(0, layer.group.index, gram)
    return kernels
