"""Searches without training by name, and the text that names one with changes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol, get_type_hints

from torch import Tensor

from nas_ray.errors import UsageError, printable, unknown_name
from nas_ray.shared_weights.prune.te_nas import TeNas
from nas_ray.shared_weights.prune.trail import Pruned
from nas_ray.shared_weights.prune.zero_cost_pt import ZeroCostPt


class Pruning(Protocol):
    """A search that prunes an initial supernet."""

    def __call__(
        self, space: object, num_classes: int, inputs: Tensor, targets: Tensor, seed: int = 0
    ) -> Pruned:
        """Returns the arch that is found on images `[M, 3, H, W]`, and all that was weighed."""


PRUNINGS: Mapping[str, type[Any]] = MappingProxyType({"zero-cost-pt": ZeroCostPt, "te-nas": TeNas})
"""Each is made with its options, and then called as a `Pruning`."""


def parse_pruning(text: str) -> Pruning:
    """Returns the search that `text` names, such as `zero-cost-pt` or `zero-cost-pt,proxy=synflow`.

    Raises:
        UsageError: an unknown name or option, or a value that cannot be.
    """
    name, *changes = (part.strip() for part in text.split(","))
    if name not in PRUNINGS:
        raise UsageError(unknown_name("search by pruning", name, list(PRUNINGS)))
    kind = PRUNINGS[name]
    kinds = get_type_hints(kind)
    options = [field.name for field in dataclasses.fields(kind)]
    values: dict[str, Any] = {}
    for change in changes:
        key, equals, value = (part.strip() for part in change.partition("="))
        if not equals:
            raise UsageError(f"A change of {name} must read NAME=VALUE, got '{printable([change])[0]}'.")
        if key not in options:
            raise UsageError(unknown_name(f"option of {name}", key, options))
        if key in values:
            raise UsageError(f"Each option of {name} must be given once, got {key} twice.")
        values[key] = value if kinds[key] is str else _whole(name, key, value)
    made: Pruning = kind(**values)
    return made


def _whole(name: str, key: str, text: str) -> int:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value != int(value):
        raise UsageError(f"{key} of {name} must be a whole number, got '{printable([text])[0]}'.")
    return int(value)
