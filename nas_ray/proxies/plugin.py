"""Names on the command line become proxies; foreign ones are checked on a tiny net before a search starts."""

from __future__ import annotations

import contextlib
import io
import math
import pickle
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nas_ray.cluster import ship_by_value
from nas_ray.errors import UsageError, describe
from nas_ray.plugins import resolve
from nas_ray.proxies import PROXIES, Proxy
from nas_ray.proxies.measured import MEASURED

GROUP = "nas_ray.proxies"
RESERVED = {
    *("trial", "arch", "fitness", "seconds", "finished_at", "worker", "reused", "error"),
    *("accuracy", "valid_acc", "test_acc", "acc_source", "gpu_memory"),
}


def resolve_proxies(names: Sequence[str | Proxy]) -> dict[str, Proxy]:
    """Returns proxies by column name, given as built-in names, entry points, `module:function`, or functions.

    The column of `module:function`, or of a function, is the function's name. Whatever does not come with
    this package is checked (`check_proxy`) and, unless its module is installed, travels to the workers by
    value.

    Raises:
        UsageError: unknown name, two proxies of one name, nothing given, or a failed check.
    """
    proxies: dict[str, Proxy] = {}
    for given in names:
        proxy = resolve("proxy", given, {**PROXIES, **MEASURED}, GROUP) if isinstance(given, str) else given
        name = _name(given, proxy)
        if name in RESERVED or name.endswith("_seconds"):
            raise UsageError(
                f"A proxy cannot be named {name!r}, which is another column of the rows; rename it."
            )
        if name in proxies:
            raise UsageError(f"Each proxy needs its own name, but {name!r} was given twice; rename one.")
        if not is_built_in(name, proxy):
            check_proxy(name, proxy)
            ship_by_value(proxy)
        proxies[name] = proxy
    if not proxies:
        raise UsageError(f"At least one proxy is needed; known: {', '.join(sorted(PROXIES))}.")
    return proxies


def is_built_in(name: str, proxy: Any) -> bool:
    """Returns whether `proxy` is what this package calls `name`, a proxy or a measured cost."""
    return PROXIES.get(name) is proxy or MEASURED.get(name) is proxy


def _name(given: str | Proxy, proxy: Proxy) -> str:
    """Returns the column: what the command line says behind the colon, or the name of the function."""
    if isinstance(given, str):
        return given.rpartition(":")[2]
    return getattr(proxy, "__name__", type(proxy).__name__)


def score_names(proxies: dict[str, Proxy]) -> list[str]:
    """Returns the columns of rows: one per proxy, or `name.key` per entry of one that returns a dict."""
    names: list[str] = []
    for name, proxy in proxies.items():
        with contextlib.redirect_stdout(io.StringIO()):
            value = None if is_built_in(name, proxy) else proxy(tiny_net(), *_tiny_batch())
        names += [f"{name}.{key}" for key in value] if isinstance(value, dict) else [name]
    return names


def check_proxy(name: str, proxy: Any) -> None:
    """Runs `proxy` twice on a tiny net, so that a broken plug-in fails in a second and not after an hour.

    Raises:
        UsageError: it is not callable, raises, does not return a float or a dict of floats, is not
            deterministic, or changes its inputs, its targets or a global random state.
    """
    if not callable(proxy):
        raise UsageError(f"Proxy {name!r} must be a function (net, inputs, targets) -> float, got {proxy!r}.")
    inputs, targets = _tiny_batch()
    before = inputs.clone(), targets.clone()
    states = _random_states()
    dtype = torch.get_default_dtype()
    first, second = _value(name, proxy, inputs, targets), _value(name, proxy, inputs, targets)
    if torch.get_default_dtype() != dtype:
        torch.set_default_dtype(dtype)
        raise UsageError(f"Proxy {name!r} must leave torch's default dtype alone; convert tensors instead.")
    for library, state in _random_states().items():
        if state != states[library]:
            raise UsageError(
                f"Proxy {name!r} must leave {library}'s global random state alone; use a generator "
                "of its own, such as torch.Generator."
            )
    if not (torch.equal(inputs, before[0]) and torch.equal(targets, before[1])):
        raise UsageError(f"Proxy {name!r} must not change its inputs or targets; work on a clone.")
    if first != second:
        raise UsageError(
            f"Proxy {name!r} must be deterministic, but gave {first} and then {second} for equal nets."
        )


def _value(name: str, proxy: Any, inputs: Tensor, targets: Tensor) -> dict[str, str]:
    """Returns the scores as text, in which NaN equals NaN."""
    value = None
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            value = proxy(tiny_net(), inputs, targets)
        scores = value if isinstance(value, dict) else {name: value}
        numbers = {str(key): float(item) for key, item in scores.items()}
    except (Exception, SystemExit) as error:
        problem = f"raised {describe(error)}" if value is None else f"returned {_short(value)}"
        raise UsageError(
            f"Proxy {name!r} must return a float or a dict of floats on a small convolutional net, "
            f"but {problem}."
        ) from error
    if not scores or any(isinstance(item, str) for item in scores.values()):
        raise UsageError(
            f"Proxy {name!r} must return a float or a dict of floats on a small convolutional net, "
            f"but returned {_short(value)}."
        )
    wrong = [key for key in scores if not isinstance(key, str) or "," in key or key.endswith("_seconds")]
    if isinstance(value, dict) and wrong:
        raise UsageError(
            f"Proxy {name!r} must name its scores by texts without a comma that do not end in _seconds, got "
            f"{wrong[0]!r}."
        )
    return {
        key: f"{number:.12g}" if math.isfinite(number) else str(number) for key, number in numbers.items()
    }


def _short(value: Any) -> str:
    """Returns a few words on what a proxy returned."""
    shape = getattr(value, "shape", None)
    return f"a {type(value).__name__} of shape {tuple(shape)}" if shape else repr(value)[:80]


def _random_states() -> dict[str, bytes]:
    """Returns the global random states by library."""
    return {
        "torch": torch.random.get_rng_state().numpy().tobytes(),
        "numpy": pickle.dumps(np.random.get_state()),  # noqa: NPY002  # the global state is what is asked for
        "Python": repr(random.getstate()).encode(),
    }


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
