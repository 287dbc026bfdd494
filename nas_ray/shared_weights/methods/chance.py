"""Random numbers of a search: its own generators, whose states are kept."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class Chance:
    """Generators and the temperature of what is drawn by them.

    What does not depend on parameters is drawn on the CPU and moved, so that seeds mean the same on a GPU.

    Args:
        seed: of all that is drawn.
        device: where parameters are.

    Attributes:
        tau: temperature of Gumbel-softmax.
        cpu: generator on the CPU.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self.tau = 1.0
        self.cpu = torch.Generator().manual_seed(seed)
        own = torch.Generator(device).manual_seed(seed) if device.type == "cuda" else self.cpu
        self._beside = own

    def exponential(self, like: Tensor) -> Tensor:
        """Returns exponential noise of the shape, kind and device of `like`."""
        noise = torch.empty(like.shape, dtype=like.dtype).exponential_(generator=self.cpu)
        return noise.to(like.device, non_blocking=True)

    def uniform(self, like: Tensor, limit: float) -> Tensor:
        """Returns uniform noise between `-limit` and `limit`, of the shape, kind and device of `like`."""
        noise = torch.empty(like.shape, dtype=like.dtype).uniform_(-limit, limit, generator=self.cpu)
        return noise.to(like.device, non_blocking=True)

    def whole(self, most: int) -> int:
        """Returns a whole number from 0 to below `most`."""
        return int(torch.randint(most, (), generator=self.cpu))

    def beside(self, tensor: Tensor) -> torch.Generator:
        """Returns the generator for what must be drawn where `tensor` is."""
        return self._beside

    def state(self) -> dict[str, Any]:
        """Returns the state of all generators, and the temperature."""
        return {"cpu": self.cpu.get_state(), "beside": self._beside.get_state(), "tau": self.tau}

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on as after `state`."""
        self._beside.set_state(state["beside"])
        self.cpu.set_state(state["cpu"])
        self.tau = state["tau"]
