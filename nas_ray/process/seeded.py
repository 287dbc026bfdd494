"""Nets are made, run and trained from a seed, and may be those of a foreign space."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from nas_ray.process.foreign_code import ForeignCode


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Within it torch draws from `seed` on the CPU; at its end the state of the process is what it was."""
    with ForeignCode(), torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield
