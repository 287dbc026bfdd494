"""SGD that begins to average its weights when it is told to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import ASGD


class AveragedSgd(ASGD):
    """Plain SGD, and from `begin_averaging` on `torch.optim.ASGD` with `t0=0, lambd=0`, to the last digit.

    Source: Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992; switched on as
    by Merity, Keskar and Socher, "Regularizing and Optimizing LSTM Language Models", ICLR 2018, whose code
    makes an `ASGD` at that moment. As there, a change of the learning rate reaches an averaged step one step
    late.

    Args:
        parameters: what is trained.
        lr: learning rate.
        weight_decay: L2 penalty.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], *, lr: float, weight_decay: float) -> None:
        super().__init__(parameters, lr=lr, lambd=0.0, t0=0.0, weight_decay=weight_decay)
        for group in self.param_groups:
            group["averaging"] = False

    @property
    def averaging(self) -> bool:
        """Whether weights are averaged."""
        return bool(self.param_groups[0]["averaging"])

    def begin_averaging(self) -> None:
        """Averages the weights from the next step on."""
        for group in self.param_groups:
            group["averaging"] = True

    def average_of(self, parameter: nn.Parameter) -> Tensor:
        """Returns the average of a parameter; before a step was averaged, the parameter."""
        average: Tensor = self.state.get(parameter, {}).get("ax", parameter.data)
        return average

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Makes one step."""
        if self.averaging:
            return super().step(closure)
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            _sgd(group)
        return loss


@torch.no_grad()
def _sgd(group: dict[str, Any]) -> None:
    given = [parameter for parameter in group["params"] if parameter.grad is not None]
    if not given:
        return
    steps = [parameter.grad for parameter in given]
    if group["weight_decay"]:
        steps = list(torch._foreach_add(steps, given, alpha=group["weight_decay"]))
    torch._foreach_add_(given, steps, alpha=-float(group["lr"]))
