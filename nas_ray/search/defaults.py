"""What a search computes and maximises where nothing is said.

It was chosen on one half of NATS-TSS by CIFAR-10 validation accuracy alone, by a rule that can be run again:
`nas-ray choose-score --for-searches`. `docs/default_fitness.md` has what was tried.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Final, TypeVar

from nas_ray.images.datasets import OWN
from nas_ray.images.image_args import DataArgs
from nas_ray.proxies import PROXIES
from nas_ray.proxies.measured import MEASURED
from nas_ray.search.argument_groups import DEFAULT, EstimateArgs
from nas_ray.spaces import SearchSpace
from nas_ray.spaces.known import known_name
from nas_ray.spaces.product import arch_space
from nas_ray.spaces.wrapping import innermost
from nas_ray.terminal.lists import parted

A = TypeVar("A", bound=EstimateArgs)


@dataclass(frozen=True)
class Default:
    """What is computed of archs, and what is maximised of it.

    Attributes:
        proxies: built-in names.
        kind: of the fitness, which takes all of them.
        where: the archs that it is for, for people.
    """

    proxies: tuple[str, ...]
    kind: str
    where: str

    @property
    def fitness(self) -> str:
        """The fitness as a command takes it."""
        if self.kind == "single":
            return self.proxies[0]
        return f"{self.kind}:{','.join(self.proxies)}"


CELLS: Final = Default(("logsynflow", "skip"), "log_rank_sum", "cells of nats-tss, which looks at no images")
"""What `choose-score --for-searches` chooses."""

OWN_IMAGES: Final = Default(
    ("naswot", "logsynflow", "skip"), "normalised_sum", "cells of nats-tss on images of your own"
)
"""FreeREA's score as published: as good on the half that was chosen on, and it looks at the images."""

SIZES: Final = Default(("synflow",), "single", "widths of nats-sss, which looks at no images")
"""There are no skip connections to choose, and of the LogSynFlow that is left the supernet has SynFlow."""

OTHERS: Final = Default(("naswot", "synflow"), "rank_sum", "nets of any kind")
"""For all other spaces, where `skip` has nothing to count, and for widths on images of one's own."""

DEFAULTS: Final[dict[str, tuple[Default, Default]]] = {
    "nats-tss": (CELLS, OWN_IMAGES),
    "nats-sss": (SIZES, OTHERS),
}
"""By the name of a space, the second for images of one's own."""


def default_of(space: SearchSpace, args: EstimateArgs) -> Default:
    """Returns the default for the archs of `space`, whatever is around it, and the images of `args`."""
    name = known_name(innermost(arch_space(space)))
    published, own = DEFAULTS.get(name or "", (OTHERS, OTHERS))
    return own if isinstance(args, DataArgs) and args.dataset == OWN else published


def said_out(args: A, space: SearchSpace) -> A:
    """Returns `args` with the proxies and the fitness that they mean, so that `run.json` names these.

    Without `--proxies` they are the scores that `--fitness` names, or else the default of the space; without
    `--fitness` as well it is that of the default. Proxies without a fitness are left to `parse_fitness`.

    Args:
        args: of a search; such that say all are returned as they are.
        space: whose archs are judged.
    """
    default = default_of(space, args)
    names = parted(args.proxies)
    unsaid, fitness = names == [DEFAULT], args.fitness
    if unsaid and fitness is None and args.fidelity is None:
        fitness = DEFAULT
    if fitness == DEFAULT:
        fitness, names = default.fitness, [*names, DEFAULT]
    elif unsaid and fitness is not None:
        names = _named_in(fitness) or names
    if not unsaid and DEFAULT not in names:
        return args
    whole = [one for name in names for one in (default.proxies if name == DEFAULT else (name,))]
    return dataclasses.replace(args, proxies=tuple(dict.fromkeys(whole)), fitness=fitness)


def _named_in(fitness: str) -> list[str]:
    """Returns the built-in proxies and costs that the text of a fitness names."""
    kind, colon, listed = fitness.partition(":")
    known = {**PROXIES, **MEASURED}
    return [name for text in (listed if colon else kind).split(",") if (name := text.strip()) in known]
