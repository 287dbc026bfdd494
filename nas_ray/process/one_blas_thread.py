"""Matrix products of numpy on one thread, as those of torch in `one_thread`."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any


def one_blas_thread() -> AbstractContextManager[Any]:
    """Leaves products of small matrices one thread meanwhile, where more would wait for each other."""
    limited: AbstractContextManager[Any] = _libraries().limit(limits=1, user_api="blas")
    return limited


@cache
def _libraries() -> Any:
    """Returns the libraries that are loaded, which takes milliseconds to find out."""
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]  # of scikit-learn

    return ThreadpoolController()
