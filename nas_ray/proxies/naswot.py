"""NASWOT: how differently the ReLUs of an untrained net answer to different images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nas_ray.proxies.agreement import agreement
from nas_ray.proxies.checks import checked
from nas_ray.proxies.hooks import batch_statistics, forward_hooks
from nas_ray.proxies.layout import with_channels_last
from nas_ray.proxies.needs import needs
from nas_ray.proxies.sharing import shared

RELUS = (nn.ReLU, nn.ReLU6)


@needs(modules=RELUS, words="ReLU modules")
@checked
@with_channels_last
def naswot(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns `log |det K|`, `K[i, j]` the number of ReLU units that agree on images i, j; larger is better.

    `K = sum over ReLUs of C C^T + (1 - C)(1 - C)^T`, where `C [B, units]` holds `pre-activation > 0`. A
    singular K (two images with the same pattern in every unit, or too few units for so many images) gives
    `-inf`.

    Shapes: `inputs [B, 3, H, W]`; `targets` is not used.
    Needs: one batch of real images (the paper uses 128), one forward pass, no labels, no backward pass.
    Initialisation: torch's default; BN in batch mode, so the score depends on the batch as a whole;
    dropout off.

    Source: Mellor, Turner, Storkey and Crowley, "Neural Architecture Search without Training", ICML 2021,
    equation 2, with the released code's logarithm of the determinant.
    Differs: the released code runs a backward pass to leave out ReLUs that it does not reach; here the same
    ReLUs are found by walking the autograd graph of the one forward pass, which computes no gradient and
    gives the same number. It also selects modules by the text "ReLU" in the class name, and so counts
    LeakyReLU and PReLU, and blocks named `ReLUConvBN` twice; here each ReLU counts once, which shifts the
    score of NATS-TSS archs by up to `B ln 2`.

    Raises:
        ValueError: fewer than two images, or the net has no ReLU module that the output depends on.
    """
    if len(inputs) < 2:
        raise ValueError(f"naswot: needs a batch of at least 2 images, got {len(inputs)}.")
    live = [call for call in relu_calls(net, inputs) if call.live]
    if not live:
        raise ValueError("naswot: the net has no ReLU module that its output depends on.")
    kernel = torch.stack([call.kernel for call in live]).sum(0)
    return log_det(kernel.cpu().numpy(), sum(call.units for call in live))


@dataclass(frozen=True)
class ReluCall:
    """One call of a ReLU module.

    Attributes:
        kernel: `[B, B]` in float64: in how many units each two images have the same sign pattern.
        units: units of an image.
        live: a backward pass from the output would reach the module in at least one of its calls.
    """

    kernel: Tensor
    units: int
    live: bool


@shared
def relu_calls(net: nn.Module, inputs: Tensor) -> list[ReluCall]:
    """Returns the calls of ReLUs of `net` in one forward pass of `inputs [B, 3, H, W]`, BN in batch mode."""
    calls: list[tuple[nn.Module, Any, Tensor, int]] = []

    def record(relu: nn.Module, args: tuple[Any, ...], output: Tensor) -> None:
        calls.append((relu, output.grad_fn, agreement(output.detach()), output[0].numel()))

    relus = [module for module in net.modules() if isinstance(module, RELUS)]
    with (
        batch_statistics(net),
        forward_hooks(relus, record),
        torch.enable_grad(),
        # The graph is wanted, not what a backward pass would need: activations are freed at once.
        torch.autograd.graph.saved_tensors_hooks(lambda tensor: None, lambda nothing: nothing),
    ):
        images = inputs.detach()
        output = net(images.requires_grad_(images.is_floating_point()))
    reached = autograd_nodes(output.grad_fn)
    live = {relu for relu, node, _, _ in calls if node in reached}
    return [ReluCall(kernel, units, relu in live) for relu, _, kernel, units in calls]


def autograd_nodes(root: Any) -> set[Any]:
    """Returns the autograd nodes that a backward pass from `root` would visit."""
    seen: set[Any] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        stack.extend(parent for parent, _ in node.next_functions)
    return seen


def log_det(kernel: np.ndarray, units: int) -> float:
    """Returns `log |det kernel|`; `-inf` when it is singular: two images agree, or units are too few."""
    if np.any(np.triu(kernel, 1) == units):
        return float("-inf")
    rounding = len(kernel) * units * np.finfo(np.float64).eps
    if np.linalg.eigvalsh(kernel)[0] <= rounding:
        return float("-inf")
    return float(np.linalg.slogdet(kernel)[1])
