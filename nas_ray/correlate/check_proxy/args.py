"""The arguments of `nas-ray check-proxy`; a light module, for quick answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from nas_ray.correlate.args import FEWEST
from nas_ray.errors import UsageError
from nas_ray.images.image_args import ImageArgs
from nas_ray.spaces.options import READ_TEXTS, named_options
from nas_ray.spaces.settings import named_space
from nas_ray.terminal.argument_groups import BenchmarkArgs, MinibatchArgs, OutArgs, SampleArgs, SpaceArgs
from nas_ray.terminal.ranges import HERE, SECONDS, Range, check_ranges


@dataclass(frozen=True, kw_only=True)
class CheckProxyArgs(OutArgs, SampleArgs, MinibatchArgs, BenchmarkArgs, ImageArgs, SpaceArgs):
    """Which proxy, and what it is tried on."""

    proxy: tyro.conf.Positional[str]
    """A built-in name, or your own as module:function."""
    num_archs: Annotated[int, Range(FEWEST, 10**4)] = 24
    """Archs to score, all different and drawn at random; 12 of them are scored again and again."""
    batch_size: Annotated[int, Range(8, 10**4)] = 16
    """Images in the minibatch, as equal numbers of all classes as can be."""
    image_size: Annotated[int | None, Range(8, 2_048)] = None
    """Height and width in pixels to which the images are made smaller or larger; None leaves them as they
    are. Small ones are faster."""
    timeout_s: Annotated[float, SECONDS] = 60.0
    """Seconds that one call of the proxy may take."""
    num_cpus: Annotated[int | None, HERE] = None
    """Processes to use (default: all cores); the proxy is called in processes of their own."""
    out: Path | None = None
    """Folder of the page and the tables (default: runs/check-proxy-NAME-TIME)."""

    def check(self) -> None:
        """Checks what needs no torch.

        Raises:
            UsageError: a number out of range, or a space of nets that read texts.
        """
        check_ranges(self)
        space = named_options(named_space(self.space)[0])[0]
        if space in READ_TEXTS:
            raise UsageError(
                f"A proxy is checked on nets that read images, and those of {space} read texts; give another "
                "--space."
            )
