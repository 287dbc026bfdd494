"""How long a net takes, and with how many threads it is fastest."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nas_ray.proxies import measured
from nas_ray.terminal.ranges import local_cores
from nas_ray.training.expected import seconds_of


def latency_ms(net: nn.Module, image_size: int) -> float:
    """Returns the median milliseconds of a forward pass of one image on the CPU, with one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        image = torch.zeros(1, 3, image_size, image_size)
        return measured.latency_ms(net.cpu(), image, torch.zeros(1, dtype=torch.int64))
    finally:
        torch.set_num_threads(before)


def fastest_threads(net: nn.Module, inputs: Tensor) -> int:
    """Returns 1 or the number of cores, whichever trains `net` faster on batches like `inputs`.

    Threads wait for each other, so that small nets, or cores that others use too, are faster with one.
    """
    cores = local_cores()
    net = net.train()
    taken = {count: seconds_of(lambda: net(inputs).sum().backward(), threads=count) for count in {1, cores}}
    return min(taken, key=lambda count: taken[count])
