"""A foreign proxy is tried on a tiny net before a search starts, and its columns are noted."""

from __future__ import annotations

import contextlib
import io
import math
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from nas_ray.errors import UsageError, describe
from nas_ray.process.foreign_code import ForeignCode
from nas_ray.proxies.values import KEYS, Values, is_key, named_values
from nas_ray.rows import shown

_columns: WeakKeyDictionary[Any, tuple[str, tuple[str, ...]]] = WeakKeyDictionary()
"""Name and columns of each proxy that was checked; one that cannot be a key is checked again."""


def checked_columns(name: str, proxy: Any) -> tuple[str, ...]:
    """Returns the columns that a proxy filled when it was checked in this process; none if it was not."""
    try:
        noted, columns = _columns.get(proxy, ("", ()))
    except TypeError:  # it has no hash
        return ()
    return tuple(name + column.removeprefix(noted) for column in columns)


def check_proxy(name: str, proxy: Any) -> tuple[str, ...]:
    """Runs `proxy` twice on a tiny net, so that a broken plug-in fails in a second and not after an hour.

    Returns its columns, which `checked_columns` knows from then on.

    Raises:
        UsageError: it is not callable, raises, does not return a float or a dict of floats, is not
            deterministic, or changes its inputs, its targets, a global random state or a setting of torch.
    """
    if not callable(proxy):
        raise UsageError(f"Proxy {name!r} must be a function (net, inputs, targets) -> float, got {proxy!r}.")
    inputs, targets = _tiny_batch()
    before = inputs.clone(), targets.clone()
    first, second = _value(name, proxy, inputs, targets), _value(name, proxy, inputs, targets)
    if not (torch.equal(inputs, before[0]) and torch.equal(targets, before[1])):
        raise UsageError(f"Proxy {name!r} must not change its inputs or targets; work on a clone.")
    shown_twice = _shown(first), _shown(second)
    if shown_twice[0] != shown_twice[1]:
        raise UsageError(
            f"Proxy {name!r} must be deterministic, but gave {shown_twice[0]} and then {shown_twice[1]} for "
            "equal nets."
        )
    with contextlib.suppress(TypeError):
        _columns[proxy] = name, tuple(first)
    return tuple(first)


def _value(name: str, proxy: Any, inputs: Tensor, targets: Tensor) -> Values:
    """Returns the scores by column.

    Raises:
        UsageError: it raises, returns something else, or leaves the state of the process changed.
    """
    value = nothing = object()
    try:
        with ForeignCode() as call, contextlib.redirect_stdout(io.StringIO()):
            value = proxy(tiny_net(), inputs, targets)
        _check_keys(name, value)
        values = named_values(name, value)
    except UsageError:
        raise
    except Exception as error:
        problem = f"raised {describe(error)}" if value is nothing else f"returned {_short(value)}"
        raise UsageError(
            f"Proxy {name!r} must return a float or a dict of floats on a small convolutional net, "
            f"but {problem}."
        ) from error
    for piece in call.kept.changed:
        if piece.advice:
            raise UsageError(f"Proxy {name!r} must leave {piece.name} alone; {piece.advice}.")
    return values


def _check_keys(name: str, value: Any) -> None:
    wrong = [key for key in value if not is_key(key)] if isinstance(value, dict) else []
    if wrong:
        raise UsageError(f"Proxy {name!r} must name its scores by {KEYS}, got {wrong[0]!r}.")


def _shown(values: Values) -> dict[str, str]:
    """Returns the scores as text, in which NaN equals NaN."""
    return {key: f"{number:.12g}" if math.isfinite(number) else str(number) for key, number in values.items()}


def _short(value: Any) -> str:
    """Returns a few words on what a proxy returned."""
    shape = getattr(value, "shape", None)
    return f"a {type(value).__name__} of shape {tuple(shape)}" if shape else shown(value)


def tiny_net(outputs: int = 10) -> nn.Module:
    """Returns a small convolutional net, the same at every call."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2d(8, 8, 3, padding=1, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(8, outputs),
        )


def _tiny_batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(20, 3, 8, 8, generator=generator), torch.arange(20) % 10
