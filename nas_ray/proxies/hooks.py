"""Context managers that let a proxy look into a net and leave it as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor, nn

ForwardHook = Callable[[nn.Module, tuple[Any, ...], Tensor], Tensor | None]


@contextmanager
def forward_hooks(modules: Iterable[nn.Module], hook: ForwardHook) -> Iterator[None]:
    """Calls `hook(module, args, output)` after each forward of `modules`; removes the hooks at the end."""
    with ExitStack() as stack:
        for module in modules:
            stack.callback(module.register_forward_hook(hook).remove)
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
        for name, buffer in net.named_buffers():
            buffer.copy_(buffers[name])
