"""Whole numbers that leave the range of their type, which torch and numpy wrap round without a word."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

WHOLE = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
COUNTED = (*WHOLE, torch.bool)
WATCHED = ("add", "sub", "rsub", "mul", "sum", "prod", "cumsum", "cumprod", "pow", "mm", "bmm", "dot", "mv")
WATCHED_CASTS = ("_to_copy",)
EXACT = 1e-6
"""Share by which a sum of whole numbers in float64 may be off by its own rounding."""
NUMPY = "overflow encountered"
"""Begins what numpy says of scalars, not of arrays."""


class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has no types here
    """Within it sums, products and conversions to whole numbers are computed once more in float64.

    Attributes:
        said: the first that differ, in words; None if none do.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.said: str | None = None

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        wide = self._wide(func, args, kwargs) if self.said is None else None
        result = func(*args, **kwargs)
        if wide is not None and isinstance(result, Tensor) and result.dtype in WHOLE:
            self._compare(func, result, wide)
        return result

    def _wide(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
        """Returns the result in float64, computed before an operation in place changes what it takes."""
        packet = func._schema.name.removeprefix("aten::")
        name = packet.rstrip("_") if packet not in WATCHED_CASTS else packet
        if name in WATCHED_CASTS:
            to = kwargs.get("dtype")
            return args[0].to(torch.float64, copy=True) if to in WHOLE and args[0].dtype is not to else None
        tensors = [one for one in args if isinstance(one, Tensor)]
        if name not in WATCHED or not tensors or any(one.dtype not in COUNTED for one in tensors):
            return None
        if kwargs.get("dtype", torch.int64) not in WHOLE:
            return None
        same = getattr(getattr(torch.ops.aten, name), func._overloadname, None)
        if same is None:
            return None
        options = {key: value for key, value in kwargs.items() if key not in ("dtype", "out")}
        return same(*tree_map(_double, args), **options)  # type: ignore[no-any-return]

    def _compare(self, func: Any, result: Tensor, wide: Tensor) -> None:
        found, wanted = result.double(), wide.trunc()
        off = (found - wanted).abs() > 1 + EXACT * wanted.abs()
        if bool(off.any()):
            place = off.reshape(-1).nonzero()[0]
            one = f"{wanted.reshape(-1)[place].item():.6g}"
            kind = str(result.dtype).removeprefix("torch.")
            self.said = (
                f"{func._schema.name.removeprefix('aten::').strip('_')} in {kind}, which holds up to "
                f"{torch.iinfo(result.dtype).max:,}, gave {found.reshape(-1)[place].item():,.0f} for {one}"
            )


def _double(value: Any) -> Any:
    return value.double() if isinstance(value, Tensor) else value


@contextmanager
def watching() -> Iterator[Watch]:
    """Watches whole numbers of torch, and scalars of numpy, which warn."""
    watch = Watch()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with watch:
            yield watch
    for one in told:
        if watch.said is None and NUMPY in str(one.message) and "scalar" in str(one.message):
            watch.said = f"numpy says {one.message}"
