"""Plain values, arrays and tensors in one file that runs no code: JSON beside numpy's own arrays."""

from __future__ import annotations

import io
import json
import math
import os
import stat
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nas_ray.errors import UsageError, describe

PLAN = "plan"
"""The name of the JSON text among the arrays of the file."""

_KEYS = (str, int, float, bool, type(None))


def packed(content: Any) -> bytes:
    """Returns a file with `content`.

    It is made of texts, truth values, numbers, None, lists, tuples, dicts, arrays and tensors.

    Raises:
        UsageError: something else is in it.
    """
    arrays = list[np.ndarray]()
    plan = json.dumps(_plan(content, "it", arrays)).encode()
    named = {f"a{number}": array for number, array in enumerate(arrays)}
    file = io.BytesIO()
    np.savez(file, **{PLAN: np.frombuffer(plan, dtype=np.uint8), **named})  # type: ignore[arg-type]
    return file.getvalue()


def read_plain(path: Path) -> Any:
    """Returns what `packed` put into a file.

    Raises:
        ValueError: in a few words, why it cannot be read.
    """
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise ValueError("it is no file of its own")
        with np.load(path, allow_pickle=False) as held:
            if not isinstance(held, np.lib.npyio.NpzFile):
                raise ValueError("it is another kind of file")
            return _content(json.loads(held[PLAN].tobytes()), held)
    except (OSError, EOFError, MemoryError, RecursionError, zipfile.BadZipFile) as error:
        raise ValueError(describe(error)) from error
    except (ArithmeticError, LookupError, NotImplementedError, RuntimeError, TypeError) as error:
        raise ValueError(f"it is damaged: {describe(error)}") from error
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise ValueError("it is damaged, or another kind of file") from error  # no advice to run its code


def _plan(value: Any, place: str, arrays: list[np.ndarray]) -> Any:
    """Returns `value` as JSON that says of every container what it is; arrays go into `arrays`."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or type(value) in (str, bool, int, float):
        return value
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_plan(item, f"{place}[{i}]", arrays) for i, item in enumerate(value)]}
    if isinstance(value, Mapping) and all(type(key) in _KEYS for key in value):
        return {"dict": [[key, _plan(item, f"{place}[{key!r}]", arrays)] for key, item in value.items()]}
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        arrays.append(value)
        return {"array": len(arrays) - 1}
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        flat = value.detach().cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
        arrays.append(flat.view(torch.uint8).numpy())
        kind = str(value.dtype).removeprefix("torch.")
        return {"tensor": [len(arrays) - 1, kind, list(value.shape)]}
    raise UsageError(
        "A state must be made of texts, numbers, truth values, None, lists, tuples, dicts, arrays and "
        f"tensors, but {place} is a {type(value).__name__}; turn it into one of these."
    )


def _content(plan: Any, held: Mapping[str, np.ndarray]) -> Any:
    if not isinstance(plan, dict):
        return plan
    ((kind, value),) = plan.items()
    if kind in ("list", "tuple"):
        items = [_content(item, held) for item in value]
        return items if kind == "list" else tuple(items)
    if kind == "dict":
        return {key: _content(item, held) for key, item in value}
    if kind == "array":
        return held[f"a{int(value)}"]
    if kind != "tensor":
        raise ValueError("it is of a newer version")
    return _tensor(held[f"a{int(value[0])}"], *value[1:])


def _tensor(flat: np.ndarray, kind: str, shape: list[int]) -> Any:
    import torch

    dtype = vars(torch).get(kind)
    whole = isinstance(dtype, torch.dtype) and math.prod(shape) * dtype.itemsize == flat.nbytes
    if not whole or flat.dtype != np.uint8:
        raise ValueError("a tensor in it is damaged")
    tensor = torch.empty(shape, dtype=dtype)
    if flat.size:  # torch does not see an empty tensor as one of bytes
        tensor.reshape(-1).view(torch.uint8).copy_(torch.from_numpy(flat.copy()))
    return tensor
