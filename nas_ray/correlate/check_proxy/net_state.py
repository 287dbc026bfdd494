"""What a proxy may leave behind in a net: other weights, gradients, modes, hooks."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def state_of(net: nn.Module) -> dict[str, Any]:
    """Returns what `changes` compares, with copies of all tensors."""
    modules = dict(net.named_modules())
    return {
        "weights": {name: one.detach().clone() for name, one in net.named_parameters()},
        "buffers, such as running statistics": {name: one.clone() for name, one in net.named_buffers()},
        "gradients": [name for name, one in net.named_parameters() if one.grad is not None],
        "which weights need gradients": {name: one.requires_grad for name, one in net.named_parameters()},
        "modes": {name: one.training for name, one in modules.items()},
        "hooks": {name: [len(getattr(one, kind)) for kind in HOOKS] for name, one in modules.items()},
        "modules": {name: (type(one), "forward" in vars(one)) for name, one in modules.items()},
    }


def changes(before: dict[str, Any], net: nn.Module) -> tuple[str, ...]:
    """Returns the names of what is no more as it was."""
    return tuple(name for name, now in state_of(net).items() if not _equal(before[name], now))


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and any(isinstance(value, torch.Tensor) for value in one.values()):
        return one.keys() == other.keys() and all(
            one[key].shape == other[key].shape and torch.equal(one[key], other[key]) for key in one
        )
    return bool(one == other)
