"""Context managers that let a proxy look into a net and leave it as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

ForwardHook = Callable[[nn.Module, tuple[Any, ...], Tensor], Tensor | None]
ForwardPreHook = Callable[[nn.Module, tuple[Any, ...]], None]

BATCH_NORMS = (nn.modules.batchnorm._BatchNorm,)


@contextmanager
def forward_hooks(modules: Iterable[nn.Module], hook: ForwardHook) -> Iterator[None]:
    """Calls `hook(module, args, output)` after each forward of `modules`; removes the hooks at the end."""
    with ExitStack() as stack:
        for module in modules:
            stack.callback(module.register_forward_hook(hook).remove)
        yield


@contextmanager
def forward_pre_hooks(modules: Iterable[nn.Module], hook: ForwardPreHook) -> Iterator[None]:
    """Calls `hook(module, args)` before each forward of `modules`; removes the hooks at the end."""
    with ExitStack() as stack:
        for module in modules:
            stack.callback(module.register_forward_pre_hook(hook).remove)
        yield


@contextmanager
def preserved_state(net: nn.Module) -> Iterator[None]:
    """Restores train/eval mode and BN's running statistics of `net` at the end."""
    modes = {module: module.training for module in net.modules()}
    buffers = {name: buffer.clone() for name, buffer in net.named_buffers()}
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training
        with torch.no_grad():
            for name, buffer in net.named_buffers():
                buffer.copy_(buffers[name])


@contextmanager
def batch_statistics(net: nn.Module) -> Iterator[None]:
    """Puts BN in batch mode, without updates of its running statistics, and all else in evaluation mode.

    Dropout is off, so a forward pass draws no random numbers. A BN that is given a single value per
    channel, which has no variance, uses its running statistics.
    """
    norms = [module for module in net.modules() if isinstance(module, BATCH_NORMS)]
    tracked = [norm.track_running_stats for norm in norms]

    def choose_statistics(norm: nn.Module, args: tuple[Any, ...]) -> None:
        norm.training = args[0].numel() > args[0].shape[1]

    with preserved_state(net), forward_pre_hooks(norms, choose_statistics):
        net.eval()
        for norm in norms:
            norm.track_running_stats = False
        try:
            yield
        finally:
            for norm, track in zip(norms, tracked, strict=True):
                norm.track_running_stats = track


@contextmanager
def requiring_grad(parameters: Iterable[nn.Parameter]) -> Iterator[None]:
    """Makes `parameters` require gradients, whatever the caller froze; restores their flags at the end."""
    flags = [(parameter, parameter.requires_grad) for parameter in parameters]
    try:
        with torch.enable_grad():
            for parameter, _ in flags:
                parameter.requires_grad_()
            yield
    finally:
        for parameter, flag in flags:
            parameter.requires_grad_(flag)
