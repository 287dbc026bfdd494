"""What a net costs on the device at hand: latency and memory, measured and therefore never quite the same.

They are columns, objectives and limits, but no proxies: smaller is better, and nothing promises equal values
from equal seeds.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

WARM_UP, REPEATS = 3, 15
MIB = 2**20


def latency_ms(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns the median milliseconds of a forward pass of one image, on the device where `net` is.

    In evaluation mode, without gradients, after `WARM_UP` passes; on the CPU with the threads of the trial.

    Args:
        net: the net.
        inputs: images `[B, 3, H, W]`, of which the first is used.
        targets: not used.
    """
    image, training = inputs[:1], net.training
    net.eval()
    try:
        taken = []
        with torch.no_grad():
            for _ in range(WARM_UP + REPEATS):
                _synchronize(image)
                start = time.perf_counter()
                net(image)
                _synchronize(image)
                taken.append(time.perf_counter() - start)
    finally:
        net.train(training)
    return 1000 * statistics.median(taken[WARM_UP:])


def peak_memory_mib(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns the MiB that a forward pass of one image needs at most: weights, image and live maps.

    In evaluation mode, without gradients. On a GPU it is what the allocator held, scratch memory of kernels
    included; on the CPU the sum of the tensors that are alive at once, without scratch memory.

    Args:
        net: the net.
        inputs: images `[B, 3, H, W]`, of which the first is used.
        targets: not used.
    """
    image, training = inputs[:1].clone(), net.training
    held = [*net.parameters(), *net.buffers(), image]
    weights: int = sum(tensor.numel() * tensor.element_size() for tensor in held)
    net.eval()
    try:
        with torch.no_grad():
            if not image.is_cuda:
                with LiveMemory(held) as memory:
                    net(image)
                return float(weights + memory.peak) / MIB
            torch.cuda.reset_peak_memory_stats(image.device)
            before = torch.cuda.memory_allocated(image.device)
            net(image)
            made: int = torch.cuda.max_memory_allocated(image.device) - before
            return float(weights + made) / MIB
    finally:
        net.train(training)


class LiveMemory(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has no types here
    """While entered, follows the bytes of tensors that operations make and that are still alive.

    Args:
        held: tensors that were there before, which do not count.

    Attributes:
        peak: most bytes alive at once.
    """

    def __init__(self, held: list[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = 0
        self._held = {tensor.untyped_storage()._cdata for tensor in held}
        self._known: dict[int, tuple[Any, int]] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Runs an operation and counts what it returned."""
        out = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(out):
            if isinstance(tensor, Tensor) and (storage := tensor.untyped_storage())._cdata not in self._held:
                self._known[storage._cdata] = weak_reference(storage), storage.nbytes()
        self._known = {key: kept for key, kept in self._known.items() if not kept[0].expired()}
        self.peak = max(self.peak, sum(size for _, size in self._known.values()))
        return out


weak_reference: Any = StorageWeakRef
"""Of a storage, without types."""


def _synchronize(tensor: Tensor) -> None:
    if tensor.is_cuda:
        torch.cuda.synchronize(tensor.device)


MEASURED = {"latency_ms": latency_ms, "peak_memory_mib": peak_memory_mib}
"""Measured costs by column name; smaller is better."""
