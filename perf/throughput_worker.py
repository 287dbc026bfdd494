"""What `proxy_throughput.py` times, in processes of its own: one for each core, or one with all threads."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from reference_proxies import REFERENCE
from torch import Tensor, nn

from nas_ray.evaluation.allocator import keep_freed_memory
from nas_ray.images.image_data import ImageDataModule
from nas_ray.proxies import PROXIES
from nas_ray.shared_weights import BATCHED, ONE_BY_ONE
from nas_ray.shared_weights.one_by_one import OUTPUT_ONLY, Way, first_of_each
from nas_ray.shared_weights.supernet import Supernet
from nas_ray.spaces import NatsTss

_state: dict[str, Any] = {}


def start(images: str, batch_size: int, device: str, of_processor: bool) -> None:
    """Prepares this process: a supernet, a minibatch, one net of the usual kind, and which clock counts."""
    _state["clock"] = time.process_time if of_processor else time.perf_counter
    keep_freed_memory()
    torch.manual_seed(0)
    _state["device"] = device
    _state["supernet"] = Supernet(NatsTss(), 10).to(device)
    inputs, targets = ImageDataModule(images, batch_size=batch_size).minibatch()
    _state["batch"] = inputs.to(device), targets.to(device)
    _state["last"] = inputs.to(device, memory_format=torch.channels_last), targets.to(device)


def seconds_of(kind: str, name: str, archs: Sequence[str], threads: int) -> list[float]:
    """Returns the seconds of each arch; equal ones where they run as one batch, or as one `chunk`."""
    torch.set_num_threads(threads)
    if kind == "chunk" or (kind == "batched" and name not in ONE_BY_ONE):
        return [_timed(lambda: BATCHED[name](_state["supernet"], archs, *_state["last"])) / len(archs)] * len(
            archs
        )
    return [_timed(lambda arch=arch: _run(kind, name, arch)) for arch in archs]


def different(archs: Sequence[str], way: Way = OUTPUT_ONLY) -> list[str]:
    """Returns the archs that do not compute the same as an earlier one."""
    return first_of_each(archs, way.key)[0]


def _run(kind: str, name: str, arch: str) -> None:
    if kind == "batched":
        BATCHED[name](_state["supernet"], [arch], *_state["last"])
        return
    net = _build(arch)
    if kind == "forward":
        with torch.no_grad():
            net(_state["batch"][0])
    elif kind != "build":
        _proxy(kind, name)(net, *_state["batch"])


def _proxy(kind: str, name: str) -> Callable[[nn.Module, Tensor, Tensor], object]:
    if kind == "plain":
        return PROXIES[name]
    return lambda net, inputs, targets: REFERENCE[name](copy.deepcopy(net), inputs, targets)


def _build(arch: str) -> nn.Module:
    supernet = _state["supernet"]
    return supernet.space.build(arch, supernet.num_classes).to(_state["device"])  # type: ignore[no-any-return]


def _timed(run: Callable[[], object]) -> float:
    start = _state["clock"]()
    run()
    if _state["device"] != "cpu":
        torch.cuda.synchronize()
    return float(_state["clock"]() - start)
