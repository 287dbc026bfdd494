"""Single nets: what they cost on the device, and what compiling or recording them would gain."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from nas_ray.errors import describe
from nas_ray.process.full_float32 import full_float32
from nas_ray.proxies.measured import MEASURED
from nas_ray.spaces.choice import choose_archs

from .scores import fresh_supernet
from .setup import CLASSES, MIB, Row, Setup
from .trainings import ARCH

WORTH = 1.1
"""How much faster something must be to be worth having."""


def machine(setup: Setup) -> Iterator[Row | str]:
    """What it runs on."""
    row: Row = {"Python": platform.python_version(), "torch": torch.__version__, "cores": os.cpu_count()}
    if setup.gpu:
        found = torch.cuda.get_device_properties(0)
        row |= {"GPU": found.name, "MiB": found.total_memory // MIB, "CUDA": torch.version.cuda,
                "cuDNN": torch.backends.cudnn.version()}  # fmt: skip
    yield row
    same = torch.rand(3, generator=torch.Generator().manual_seed(0)).tolist()
    if torch.rand(3, generator=torch.Generator().manual_seed(0)).to(setup.device).tolist() != same:
        raise RuntimeError("What a generator of the CPU draws must be the same on the device.")


def latency(setup: Setup) -> Iterator[Row | str]:
    """Latency and memory of a few nets, twice, so that it is seen how far a measurement can be trusted."""
    inputs, targets = (tensor.to(setup.device) for tensor in setup.batch())
    for arch in (ARCH, *choose_archs(setup.space, setup.some(4, 1), seed=0)):
        net = setup.space.build(arch, CLASSES).to(setup.device)
        first, second = (MEASURED["latency_ms"](net, inputs, targets) for _ in range(2))
        memory = MEASURED["peak_memory_mib"](net, inputs, targets)
        yield {"arch": arch, "latency_ms": first, "again": second, "peak_memory_mib": memory}


def graphs(setup: Setup) -> Iterator[Row | str]:
    """The pass of one arch that most batched proxies make: as it is, compiled, and as a CUDA graph."""
    supernet = fresh_supernet(setup)
    images = setup.batch()[0].to(setup.device, memory_format=torch.channels_last)
    view = supernet.view(ARCH)
    with torch.no_grad(), full_float32():
        expected = view(images)
        eager = setup.fastest(lambda: view(images), 10)
        yield {"way": "as it is", "first s": float("nan"), "ms": 1e3 * eager, "times faster": 1.0}
        backend = "inductor" if setup.gpu else "aot_eager"
        for way, prepare in (("torch.compile", compiled(backend)), ("CUDA graph", recorded)):
            if way == "CUDA graph" and not setup.gpu:
                yield "CUDA graphs were not tried: there is no GPU."
                continue
            try:
                yield tried(setup, way, prepare, view, images, expected, eager)
            except Exception as error:  # it is what is measured
                yield f"{way} does not work here: {describe(error)}."
    yield (
        "Each arch is another net and is scored once, so a way pays where its first call and the call itself "
        f"together are more than {WORTH:g} times faster."
    )


Net = Callable[[Tensor], Tensor]


def tried(
    setup: Setup,
    way: str,
    prepare: Callable[[Net, Tensor], Net],
    net: Net,
    images: Tensor,
    expected: Tensor,
    eager: float,
) -> Row:
    """Returns the row of a way to run `net`."""
    setup.synchronize()
    start = time.perf_counter()
    run = prepare(net, images)
    found = run(images).clone()
    setup.synchronize()
    first = time.perf_counter() - start
    seconds = setup.fastest(lambda: run(images), 10)
    apart = float((found - expected).abs().max() / expected.abs().max())
    return {"way": way, "first s": first, "ms": 1e3 * seconds, "times faster": eager / seconds,
            "largest relative difference": apart,
            "pays": "yes" if eager > WORTH * (first + seconds) and apart < 1e-5 else "no"}  # fmt: skip


def compiled(backend: str) -> Callable[[Net, Tensor], Net]:
    """Returns what compiles a net with `backend`."""
    return lambda net, images: torch.compile(net, backend=backend)


def recorded(net: Net, images: Tensor) -> Net:
    """Returns the replay of a CUDA graph of `net(images)`."""
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        net(images)
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        out = net(images)

    def replay(again: Tensor) -> Tensor:
        graph.replay()
        return out

    return replay
