"""The arguments of `nas-ray trace`; a light module, for quick answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

import tyro

from nas_ray.errors import UsageError
from nas_ray.terminal.argument_groups import OutArgs
from nas_ray.terminal.ranges import Range

ALL: Final = "all"
"""The name of all nets of torchvision."""
GRAPH: Final = ".json"
"""How the name of a stored graph ends."""


@dataclass(frozen=True)
class TraceArgs(OutArgs):
    """Which nets, and how they are traced."""

    nets: tyro.conf.Positional[tuple[str, ...]] = ()
    """Classification nets of torchvision by their names, or all of them as all; your own as module:function,
    where the function takes nothing and returns the net; or graphs that were stored, as FILE.json."""
    variant: Literal["described", "released"] = "described"
    """described: every layer, with strides, padding, groups and dilation, and how often each value was met.
    released: as the code of LCMNAS does it, which takes unknown blocks for layers, loses strides and the
    like, and counts every value once."""
    image_size: Annotated[int, Range(1, 4_096)] = 224
    """Height and width of the images that your own nets run on; those of torchvision run on their own."""
    image_channels: Annotated[int, Range(1, 4_096)] = 3
    """Channels of these images."""
    out: Path | None = None
    """Folder of graphs, tables and pictures (default: runs/trace-TIME)."""

    def check(self) -> None:
        """Checks what needs no torch.

        Raises:
            UsageError: no net is named, or one twice.
        """
        if not self.nets:
            raise UsageError("At least one net must be named, such as resnet18, or all; got none.")
        if len(set(self.nets)) < len(self.nets):
            raise UsageError(f"The nets must all be different, got {' '.join(self.nets)}.")
