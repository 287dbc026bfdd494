"""The weights of a supernet in training: SGD with clipping, some of them frozen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from nas_ray.shared_weights.methods.batches import Batch
from nas_ray.shared_weights.methods.method import Method
from nas_ray.shared_weights.methods.schedule import Protocol
from nas_ray.shared_weights.mixed import Mix, MixedNet

Loss = Callable[[Tensor, Tensor], Tensor]
"""`(outputs, targets) -> loss`."""


class SupernetTraining:
    """A supernet and the optimiser of its weights.

    Args:
        net: what is trained.
        method: its numbers.
        how: what they are where the space decides.
        loss: of outputs and targets.
    """

    def __init__(self, net: MixedNet, method: Method, how: Protocol, loss: Loss) -> None:
        self.net, self.clip, self.loss_of = net, method.clip, loss
        self.optimizer = torch.optim.SGD(
            net.parameters(),
            lr=method.lr,
            momentum=method.momentum,
            nesterov=how.nesterov and method.momentum > 0,
            weight_decay=how.weight_decay,
            foreach=True,
        )

    @property
    def weights(self) -> list[nn.Parameter]:
        """The parameters that are trained."""
        return [one for one in self.net.parameters() if one.requires_grad]

    def set_rate(self, lr: float) -> None:
        """Sets the learning rate."""
        for group in self.optimizer.param_groups:
            group["lr"] = lr

    def loss(self, batch: Batch, mix: Mix, seed: int = 0) -> Tensor:
        """Returns the loss of a batch; `seed` is that of dropout, where the mix has some."""
        return self.loss_of(self.outputs(batch[0], mix, seed), batch[1])

    def outputs(self, inputs: Tensor, mix: Mix, seed: int = 0) -> Tensor:
        """Returns what the net says of `inputs`."""
        if not mix.drop_skip:
            return self.net(inputs, mix)  # type: ignore[no-any-return]
        with torch.random.fork_rng([inputs.device] if inputs.device.type == "cuda" else []):
            torch.manual_seed(seed)
            return self.net(inputs, mix)  # type: ignore[no-any-return]

    def apply(self, weights: Sequence[nn.Parameter], gradients: Sequence[Tensor | None]) -> None:
        """Makes a step by these gradients; weights without one stay as they are."""
        if self.clip:
            clip([one for one in gradients if one is not None], self.clip)
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.grad = gradient
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)


def clip(gradients: list[Tensor], most: float) -> None:
    """Makes gradients shorter, all together, so that their norm is at most `most`; without waiting for it."""
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    torch._foreach_mul_(gradients, (most / (norm + 1e-6)).clamp(max=1.0))
