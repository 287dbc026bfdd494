"""Reads files of torch that hold tensors and plain values, and nothing that runs as code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from nas_ray.errors import describe


def load_plain(path: Path) -> Any:
    """Returns the content of `path`, with tensors on the CPU.

    Raises:
        ValueError: in a few words, why it cannot be read.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file fails in many ways
        if "Weights only load failed" in str(error) or "WeightsUnpickler" in str(error):
            raise ValueError("it holds more than tensors and plain values, or is damaged") from error
        raise ValueError(describe(error)) from error
