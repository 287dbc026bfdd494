"""SynFlow and LogSynFlow of many archs as one batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from nas_ray.shared_weights.flow import Flow
from nas_ray.shared_weights.linear_ops import weight_gradient
from nas_ray.shared_weights.mixture import Arch
from nas_ray.shared_weights.routes import Group
from nas_ray.shared_weights.supernet import Supernet
from nas_ray.shared_weights.tangent import TangentPass

LARGE = 24
"""A logarithm of a gradient beyond which log(1 + g) = log g, to the last digit of float64 relative to it."""


class SynapticLogSum(Flow):
    """Sums `weight * log(1 + d R / d weight)`, after `log_scale` is known."""

    def see_layer(
        self, group: Group | None, value: Tensor, grad: Tensor, weight: Tensor, stride: int = 1
    ) -> None:
        """Adds what one layer carries, in the archs of `group`."""
        x, scale = (
            (value, self.log_scale) if group is None else (group.take(value), group.take(self.log_scale))
        )
        gradient = weight_gradient(x, grad, weight, stride)
        logs = gradient.log_().add_(scale.to(gradient).view(-1, 1, 1))
        if not logs.is_cpu or logs.amin() < LARGE:  # a GPU would be waited for
            logs = F.softplus(logs)  # log(1 + e^scale g), whatever the scale is
        credit = (logs.flatten(1) @ weight.permute(2, 3, 1, 0).flatten()).double()
        self.score = self.score + credit if group is None else group.add(self.score, credit)


def synflow_batched(supernet: Supernet, archs: Sequence[Arch], inputs: Tensor, targets: Tensor) -> Tensor:
    """Returns `synflow` of every arch, `[len(archs)]` in float64; larger is better.

    Of `inputs [B, 3, H, W]` only the size of an image is used. Float32 is enough for any depth.
    """
    return TangentPass(supernet, archs, (inputs.shape[2], inputs.shape[3])).run()


def logsynflow_batched(supernet: Supernet, archs: Sequence[Arch], inputs: Tensor, targets: Tensor) -> Tensor:
    """Returns `logsynflow` of every arch, `[len(archs)]` in float64; larger is better.

    Of `inputs [B, 3, H, W]` only the size of an image is used.
    """
    flow = SynapticLogSum(supernet, archs, (inputs.shape[2], inputs.shape[3]))
    flow.run()
    return flow.score
