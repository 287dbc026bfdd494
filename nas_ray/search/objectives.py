"""The objectives of a search on the command line: what they look at is computed, or it is told."""

from __future__ import annotations

from collections.abc import Sequence

from nas_ray.benchmarks.costs import Costs, check_signs, open_costs
from nas_ray.errors import UsageError, unknown_name
from nas_ray.rows import GPU_MEMORY, TRAINED, TRAINING, VALID_ACC
from nas_ray.searchers.fitness import Fitness
from nas_ray.searchers.options import option_defaults
from nas_ray.searchers.pareto import column_of, parse_objectives
from nas_ray.spaces.base import FiniteSpace

OPTION = "objectives="
ACCURACY = "accuracy"
"""Stands for `valid_acc` in `--objectives`."""


def with_objectives(
    texts: Sequence[str], objectives: str | None, searcher: object, name: str
) -> tuple[str, ...]:
    """Returns the options of a searcher with those of `--objectives`.

    Args:
        texts: options as `name=value`.
        objectives: as given; None for none.
        searcher: its class.
        name: of it.

    Raises:
        UsageError: both say objectives, or the searcher maximises one thing.
    """
    if objectives is None:
        return tuple(texts)
    if any(text.startswith(OPTION) for text in texts):
        raise UsageError(
            "Objectives are given once, with --objectives or with --searcher-args; leave one out."
        )
    if callable(searcher) and "objectives" not in option_defaults(searcher):
        raise UsageError(
            f"--objectives needs a searcher that maximises several things, got {name}; take nsga2 or "
            f"pareto_local_search, or --searcher random_weights --searcher-args of={name}."
        )
    listed = [VALID_ACC if one == ACCURACY else one for one in map(str, parse_objectives(objectives))]
    return (*texts, OPTION + ",".join(listed))


def search_costs(
    texts: Sequence[str], names: Sequence[str], scores: Sequence[str], space: object
) -> Costs | None:
    """Returns the costs that a search looks at; None for none.

    Args:
        texts: tables, as `--costs` has them.
        names: columns of the objectives.
        scores: what is computed, which is no cost, whatever it is called.
        space: whose archs these are.

    Raises:
        UsageError: tables for nothing, a space that cannot be listed, or as `open_costs`.
    """
    wanted = [name for name in names if ":" in name and name not in scores]
    if not texts and not wanted:
        return None
    if not wanted:
        raise UsageError(
            "--costs has no use without --objectives, such as naswot,-latency:pixel2; name them."
        )
    if not isinstance(space, FiniteSpace):
        raise UsageError(
            f"--costs needs a space whose archs can be listed, as its tables hold all of them, got "
            f"{type(space).__name__}."
        )
    return open_costs(texts, wanted, space)


def check_costs_small(objectives: Sequence[Fitness], costs: Costs) -> None:
    """Checks that no cost would be maximised.

    Raises:
        UsageError: one would.
    """
    check_signs([str(one) for one in objectives if column_of(one)], costs.columns)


def named_objectives(texts: Sequence[str]) -> list[str]:
    """Returns the columns that options of a searcher, such as `objectives=valid_acc,-flops`, name."""
    given = [text.removeprefix(OPTION) for text in texts if text.startswith(OPTION)]
    return [name for text in given if text for one in parse_objectives(text) if (name := column_of(one))]


def check_objectives(objectives: Sequence[Fitness], scores: Sequence[str]) -> None:
    """Checks that rows will have what the objectives look at.

    Raises:
        UsageError: one is no score of this search, and no column of every row.
    """
    known = [*scores, *(TRAINING if {*TRAINED} & {*scores} else ()), GPU_MEMORY, "seconds"]
    for name in filter(None, map(column_of, objectives)):
        if name not in known:
            said = unknown_name("objective", name, list(scores))
            add = "Train with --fidelity." if name in TRAINING else "Add a proxy with --proxies."
            raise UsageError(f"{said} {add}")
