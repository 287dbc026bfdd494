"""The GPUs of this machine."""

from __future__ import annotations

from pathlib import Path

GPU_DEVICES = ("nvidia[0-9]*", "kfd", "dxg")
"""What a machine has in /dev if it has GPUs that torch may find."""


def local_gpus() -> int:
    """Returns how many torch finds."""
    import torch

    return torch.cuda.device_count()


def certainly_no_gpus() -> bool:
    """Returns whether there are none, which is known without torch; False says nothing."""
    return not any(path for name in GPU_DEVICES for path in Path("/dev").glob(name))
