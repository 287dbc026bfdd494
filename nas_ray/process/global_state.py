"""The state of a process that code of others may change under ours: saved before it, put back behind it."""

from __future__ import annotations

import decimal
import os
import pickle
import random
import sys
import warnings
from functools import cache
from types import TracebackType
from typing import Any

import numpy as np

from nas_ray.process.pieces import GENERATOR, Piece


class KeptState:
    """A context manager at whose end the global state of Python, numpy and torch is what it was before.

    Torch counts only where it is loaded already. What belongs to one thread is that of the calling one.

    Args:
        random: whether the states of the global random generators belong to it. A searcher that draws from
            them is to draw something else each time.

    Attributes:
        changed: what had been changed, once it is over.
    """

    def __init__(self, *, random: bool = True) -> None:
        self.changed: list[Piece] = []
        self._random = random
        self._saved: list[tuple[Piece, Any]] = []
        self._guard: Any = None

    def __enter__(self) -> KeptState:
        pieces = [piece for piece in _pieces("torch" in sys.modules) if self._random or not piece.random]
        self._saved = [(piece, piece.read()) for piece in pieces]
        if "torch" in sys.modules:
            from nas_ray.process.torch_state import inference_guard

            self._guard = inference_guard()
            self._guard.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        now = [(piece, value, piece.read()) for piece, value in self._saved]
        if self._guard is not None:
            self._guard.__exit__()
        for piece, value, found in now:
            if found != value:
                self.changed.append(piece)
                piece.write(value)


@cache
def _pieces(with_torch: bool) -> list[Piece]:
    pieces = [
        Piece("numpy's global random state", _numpy_random, _set_numpy_random, GENERATOR, random=True),
        Piece("Python's global random state", random.getstate, random.setstate, GENERATOR, random=True),
        Piece("numpy's handling of errors", np.geterr, lambda value: np.seterr(**value)),
        Piece("numpy's print options", np.get_printoptions, lambda value: np.set_printoptions(**value)),
        Piece("the decimal context", _Decimals, _set_decimals),
        Piece("the environment variables", lambda: dict(os.environ), _set_environment),
        Piece("the working directory", _directory, _set_directory),
        Piece("the filters of warnings", lambda: list(warnings.filters), _set_warnings),
        Piece("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
        Piece("the standard streams", lambda: (sys.stdin, sys.stdout, sys.stderr), _set_streams),
    ]
    if not with_torch:
        return pieces
    from nas_ray.process.torch_state import pieces as of_torch

    return [*pieces, *of_torch()]


numpy_random: Any = np.random
"""Whose stub lacks some of it."""


def _numpy_random() -> tuple[Any, bytes]:
    """Returns the bit generator behind `numpy.random`, and its state."""
    return numpy_random.get_bit_generator(), pickle.dumps(numpy_random.get_state(legacy=False))


def _set_numpy_random(value: tuple[Any, bytes]) -> None:
    numpy_random.set_bit_generator(value[0])
    numpy_random.set_state(pickle.loads(value[1]))  # bytes of our own


class _Decimals:
    """The decimal context of the thread, and what it says."""

    def __init__(self) -> None:
        self.context = decimal.getcontext()
        self.settings = self.context.copy()

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, _Decimals) and self.context is other.context
        return same and repr(self.settings) == repr(other.settings)  # type: ignore[attr-defined]

    __hash__ = None  # type: ignore[assignment]


def _set_decimals(value: _Decimals) -> None:
    for name in ("prec", "rounding", "Emin", "Emax", "capitals", "clamp"):
        setattr(value.context, name, getattr(value.settings, name))
    value.context.flags = dict(value.settings.flags)
    value.context.traps = dict(value.settings.traps)
    decimal.setcontext(value.context)


def _set_environment(value: dict[str, str]) -> None:
    for name in set(os.environ) - set(value):
        del os.environ[name]
    os.environ.update({name: text for name, text in value.items() if os.environ.get(name) != text})


def _directory() -> str | None:
    """Returns the working directory, None where it is gone."""
    try:
        return os.getcwd()
    except OSError:
        return None


def _set_directory(value: str | None) -> None:
    if value is not None:
        os.chdir(value)


def _set_warnings(value: list[Any]) -> None:
    warnings.filters[:] = value  # type: ignore[index]  # a list, whatever its stub says
    warnings._filters_mutated()  # type: ignore[attr-defined]  # what `warnings.catch_warnings` calls


def _set_streams(value: tuple[Any, Any, Any]) -> None:
    sys.stdin, sys.stdout, sys.stderr = value
