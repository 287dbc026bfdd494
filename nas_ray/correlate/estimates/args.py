"""The arguments of `nas-ray compare-estimates`; a light module, for quick answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from nas_ray.correlate.args import FEWEST
from nas_ray.errors import UsageError
from nas_ray.images.image_args import ImageArgs
from nas_ray.terminal.argument_groups import (
    LimitArgs,
    MinibatchArgs,
    OutArgs,
    ProxyArgs,
    SampleArgs,
    SpaceArgs,
)
from nas_ray.terminal.lists import parted
from nas_ray.terminal.ranges import HERE, RESAMPLES, Range, check_ranges
from nas_ray.training.recipes import parse_recipe


@dataclass(frozen=True)
class EstimatesArgs(OutArgs, MinibatchArgs, SampleArgs, LimitArgs, ImageArgs, ProxyArgs, SpaceArgs):
    """Which archs, how they are estimated, and what the estimates are compared with."""

    space: str = "macro"
    """Search space from which archs are drawn, such as darts:channels=8,cells=3, or your own as
    module:class."""
    num_archs: Annotated[int, Range(FEWEST, 10**6)] = 60
    """Archs that are drawn, all different."""
    proxies: tuple[str, ...] = ("lcmnas", "naswot", "synflow")
    """Scores to judge, built-in names or your own as module:function; params, flops and num_conv are always
    among them, live_ops or log_width where the space has them."""
    short: str = "epochs:1"
    """Recipe of the short training, whose accuracy on held-out images of the training part is an estimate:
    epochs:4, nats-12, with changes as in epochs:2:data_fraction=0.5."""
    long: str = "epochs:8"
    """Recipe of the longer training, whose accuracy on the test images is what is to be foretold; it begins
    from other weights. seeds=3 in it trains three nets per arch, of which the mean counts."""
    weights: tuple[str, ...] = ("0.75",)
    """What the score counts in its mixtures with the short training, each from 0 to 1: LCMNAS has 0.75."""
    mixed: str = "lcmnas"
    """The score of the mixtures, one of --proxies."""
    num_cpus: Annotated[int | None, HERE] = None
    """Processes to use (default: all cores); the numbers do not depend on it."""
    resamples: Annotated[int, Range(FEWEST, RESAMPLES)] = 1_000
    """Draws of the bootstrap."""
    out: Path | None = None
    """Folder of the tables (default: runs/compare-estimates-TIME). Archs that it holds are not trained again,
    so that the same command goes on after an interruption, or with more archs."""

    def check(self) -> None:
        """Checks what needs no torch.

        Raises:
            UsageError: a number out of range, a recipe that is none, or weights that are none.
        """
        check_ranges(self)
        for recipe in (self.short, self.long):
            parse_recipe(recipe)
        if not self.names:
            raise UsageError("--proxies must name at least one proxy, got none; name one such as naswot.")
        _ = self.lambdas  # which raises

    @property
    def names(self) -> list[str]:
        """The proxies one by one."""
        return parted(self.proxies)

    @property
    def lambdas(self) -> list[float]:
        """The numbers of `weights`.

        Raises:
            UsageError: one is no number from 0 to 1.
        """
        known, found = Range(0.0, 1.0), []
        for word in parted(self.weights):
            try:
                found.append(float(word))
            except ValueError:
                known.check("--weights", word)
            known.check("--weights", found[-1])
        return list(dict.fromkeys(found))
