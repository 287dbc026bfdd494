"""The weights of a supernet in training: SGD with clipping, some of them frozen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from nas_ray.shared_weights.methods.batches import Batch, Batches, accuracy
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
        self.places = {one: place for place, own in net.operation_parameters().items() for one in own}
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

    seeded: ClassVar[bool] = False
    """Whether passes of the net draw, beside what a mix says, so that each gradient needs a seed."""
    virtual_clip: float = 0.0
    """Largest norm of the gradient in the virtual step of the second order; 0 for no limit."""

    def begin_epoch(self) -> None:
        """Forgets what was carried from batch to batch: nothing."""

    def continued(self, kind: str, batch: Batch) -> Batch:
        """Returns a batch of `train` or `valid` with what was carried to it: nothing."""
        return batch

    def keep(self, kind: str, batch: Batch) -> None:
        """Carries on what a batch has left behind: nothing."""

    def rate_of(self, batch: Batch) -> float:
        """Returns by what the learning rate is multiplied for a batch."""
        return 1.0

    def penalised(self, loss: Tensor, batch: Batch) -> Tensor:
        """Returns the loss of the weights, with what is added to that of the outputs: nothing."""
        return loss

    def worth(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Returns what archs are compared by: the share of outputs that are right."""
        return (outputs.argmax(-1) == targets).to(outputs.dtype).mean()

    def judged(self, batches: Batches, mix: Callable[[], Mix], device: torch.device) -> dict[str, float]:
        """Returns columns that say how good the net is: `valid_acc` in percent."""
        return {"valid_acc": accuracy(self.net, batches, mix, device)}

    def state(self) -> dict[str, Any]:
        """Returns weights, statistics and momentum."""
        return {"net": self.net.state_dict(), "sgd": self.optimizer.state_dict()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on as after `state`."""
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["sgd"])

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

    def resting(self, weights: Sequence[nn.Parameter], active: Sequence[Tensor] | None) -> list[bool]:
        """Returns which weights are those of operations that are not active, and stay as they are."""
        if active is None:
            return [False] * len(weights)
        there = [own.tolist() for own in active]
        places = [self.places.get(one) for one in weights]
        return [place is not None and not there[place[0]][place[1]][place[2]] for place in places]

    def apply(
        self,
        weights: Sequence[nn.Parameter],
        found: Sequence[Tensor | None],
        active: Sequence[Tensor] | None = None,
    ) -> None:
        """Makes a step by the gradients that were found; weights of operations that are not active rest.

        All others have a step, also where nothing led to them: then decay and momentum are all of it.
        """
        pairs = zip(weights, found, self.resting(weights, active), strict=True)
        gradients = [torch.zeros_like(one) if own is None and not rests else own for one, own, rests in pairs]
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
