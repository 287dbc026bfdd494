"""The settings beside an arch in the config of a trial: drawn from what `param_space` of a tuner says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from ray.tune.search.variant_generator import generate_variants, parse_spec_vars

from nas_ray.drivers.ray_compat import domain_of
from nas_ray.drivers.ray_names import SAMPLE
from nas_ray.errors import UsageError


class BesideArch:
    """What `param_space` has besides the arch, of which Tune leaves the drawing to its searcher.

    Draws depend on seed and number of an evaluation alone, so that one that goes out again has them again.

    Args:
        space: the `param_space` of a tuner.
        key: where its configs have the arch.

    Raises:
        UsageError: it has a grid, or the arch.
    """

    def __init__(self, space: Mapping[str, Any], key: str) -> None:
        if key in space:
            raise UsageError(
                f"param_space must leave {key!r} to the searcher, which puts the arch there; take it out, or "
                "name another key in TuneSearcher(..., key=...)."
            )
        drawn = {name: _open(value) for name, value in space.items()}
        for name, domains in drawn.items():
            if any(domain.is_grid() for domain in domains):
                raise UsageError(
                    f"What is beside an arch is drawn, and param_space[{name!r}] is a grid; use tune.choice, "
                    "or search it together with the arch (nas_ray.spaces.Product)."
                )
        self._space = {name: space[name] for name, domains in drawn.items() if domains}

    def __bool__(self) -> bool:
        """Returns whether anything is drawn."""
        return bool(self._space)

    def draw(self, seed: Any, number: int) -> dict[str, Any]:
        """Returns the settings of evaluation `number`: what Tune has to be told, as it keeps constants."""
        if not self._space:
            return {}
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
        return dict(next(iter(generate_variants(self._space, random_state=rng)))[1])

    def as_json(self) -> dict[str, Any]:
        """Returns what `from_json` makes the same of."""
        return {name: _plain(value) for name, value in self._space.items()}

    @classmethod
    def from_json(cls, state: Mapping[str, Any], key: str) -> BesideArch:
        """Returns what wrote `state`; classes of Tune's own domains alone are made."""
        return cls({name: _made(value) for name, value in state.items()}, key)


def _open(value: Any) -> list[Any]:
    """Returns what a value of a `param_space` leaves open: domains and grids."""
    _, domains, grids = parse_spec_vars({"": value})
    return [domain for _, domain in (*domains, *grids)]


def _plain(value: Any) -> Any:
    """Returns a domain, with all that is in it, as JSON holds it."""
    if isinstance(value, (list, tuple)):
        return {type(value).__name__: [_plain(item) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[name, _plain(item)] for name, item in value.items()]}
    if value is None or isinstance(value, (str, int, float)):
        return value
    if hasattr(value, "item"):  # a number of numpy's
        return value.item()
    of_ray = type(value).__module__ == SAMPLE
    return {"domain": type(value).__qualname__, "of": _plain(dict(vars(value))) if of_ray else None}


def _made(state: Any) -> Any:
    if not isinstance(state, dict):
        return state
    if "domain" in state:
        if state["of"] is None:
            raise UsageError(
                f"The domain {state['domain']} of param_space must be given again to go on: "
                "Tuner.restore(..., param_space=...)."
            )
        made = domain_of(state["domain"])
        vars(made).update(_made(state["of"]))
        return made
    ((kind, items),) = state.items()
    if kind == "dict":
        return {name: _made(item) for name, item in items}
    return {"list": list, "tuple": tuple}[kind](map(_made, items))
