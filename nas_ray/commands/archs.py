"""Archs on the command line, as far as their text tells; a light module, for quick answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nas_ray.commands.names import HAND_DESIGNED
from nas_ray.errors import UsageError, unknown_name
from nas_ray.spaces.settings import AT, space_name
from nas_ray.train.args import NO_ARCH
from nas_ray.training.task_args import check_reads

if TYPE_CHECKING:
    from nas_ray.search.tune_recipe.args import TuneRecipeArgs
    from nas_ray.train.args import TrainArgs

_OP = "(none|skip_connect|nor_conv_1x1|nor_conv_3x3|avg_pool_3x3)"


def _from(node: int) -> str:
    return r"\|".join(f"{_OP}~{source}" for source in range(node))


ARCHS = {
    "nats-tss": (
        r"\+".join(rf"\|{_from(node)}\|" for node in (1, 2, 3)),
        "|skip_connect~0|+|none~0|nor_conv_3x3~1|+|none~0|none~1|nor_conv_1x1~2|",
    ),
    "nats-sss": ("(8|16|24|32|40|48|56|64)(:(8|16|24|32|40|48|56|64)){4}", "64:32:8:16:24"),
    "hand-designed": ("(?!)", HAND_DESIGNED[0]),
}
"""By space, the pattern of its archs and an example."""


def check_archs(args: TrainArgs | TuneRecipeArgs) -> None:
    """Checks the archs of a training, where their space is built in.

    Raises:
        UsageError: there is none to train, one is no arch, or the space is of images and the task a text.
    """
    if args.arch is None:
        raise UsageError(NO_ARCH)
    check_reads(args.task, args.space)
    space = space_name(args.space)
    pattern, example = ARCHS.get(space, ("(?s:.*)", ""))
    beside: Sequence[str] = getattr(args, "beside", ())
    for name in (args.arch, *(part for text in beside for part in text.split(","))):
        ready = name in HAND_DESIGNED or name.partition(":")[0] == "random" or AT in name
        if not ready and not re.fullmatch(pattern, name):
            raise UsageError(
                f"An arch of {space} must read like {example}, or be the name of a hand-designed net. "
                f"{unknown_name('net', name, list(HAND_DESIGNED))}"
            )
