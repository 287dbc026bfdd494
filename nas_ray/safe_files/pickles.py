"""Loads pickles of plain data, and nothing that could run code.

Two published sources that this package reads are pickles: the NATS-Bench archives and the image batches of
CIFAR and ImageNet16. An ordinary unpickler imports and calls whatever such a file names.

Here every global that a pickle names goes through `find_class`, which the unpickler asks *before* it imports,
creates or calls anything. It knows eight names. Each NumPy name stands for a small function of this module,
never for the object itself, so a crafted state cannot reach NumPy's own `__setstate__` unchecked, and NumPy
2, which has moved `numpy.core`, need not import it. What a file builds before its first refused global is
therefore text, numbers and containers, and it is thrown away. A separate pass over the opcodes
(`pickletools.genops`) would refuse the same files at four times the price: 44 ms beside the 12 ms of reading
one NATS-Bench archive.

Extension codes and persistent ids, the two ways around a global, fail in the unpickler: nothing registers
any.

The unpickler's memo is an array as long as the largest index that a file names, so eight bytes could reserve
64 GB. A walk over the opcodes that looks at nothing else bounds the indices first: 4 ms for an archive.
"""

from __future__ import annotations

import bz2
import io
import math
import os
import pickle
import pickletools
import stat
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np

from nas_ray.errors import UsageError

MAX_BYTES = 256 * 2**20
"""Largest accepted pickle in bytes, after decompression; the largest of CIFAR and ImageNet16 has 155 MB."""

_NUMBERS = frozenset(["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"])
_NDARRAY = "numpy.ndarray"


class _RefusedError(ValueError):
    """The file is well formed and holds what must not be loaded."""


def safe_load(
    source: Path | BinaryIO, *, what: str, compressed: bool = False, max_bytes: int = MAX_BYTES
) -> Any:
    """Returns the plain data of a pickle: text, numbers, containers, `OrderedDict`, NumPy numbers and arrays.

    Text of Python 2 pickles is decoded as Latin-1, which is what their arrays need.

    Args:
        source: a path, or a binary file from its current position.
        what: the word for an error message, such as `"NATS-Bench archive"`.
        compressed: the file is compressed with bz2.
        max_bytes: larger pickles are refused; at most one byte more is ever decompressed.

    Raises:
        UsageError: no readable file, an empty or truncated one, another format, too large, or a pickle that
            names anything else than plain data.
    """
    name = str(source) if isinstance(source, Path) else str(getattr(source, "name", "a stream"))
    kind = "bz2-compressed pickle" if compressed else "pickle"
    try:
        data = _read(source, compressed, max_bytes)
        _check_memo(data)
        return _Unpickler(io.BytesIO(data), encoding="latin1").load()
    except OSError as error:
        reason = f"it cannot be read ({error.strerror or error})"
    except _RefusedError as error:
        reason = str(error)
    except EOFError:
        reason = "it is truncated"
    except Exception as error:  # damaged opcodes can fail in any way
        detail = " ".join(str(error).split())
        damaged = f"it is damaged ({type(error).__name__}: {detail})"
        reason = "it is truncated" if "truncated" in detail else damaged
    raise UsageError(
        f"The {what} must be a {kind} of plain data, got {name}: {reason}; get it again from its publisher."
    )


def _read(source: Path | BinaryIO, compressed: bool, max_bytes: int) -> bytes:
    if isinstance(source, Path):
        mode = os.stat(source).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # to open a FIFO would block for ever
            raise _RefusedError("it is no regular file")
        with source.open("rb") as file:
            return _read(file, compressed, max_bytes)
    data = source.read(max_bytes + 1)
    if not data:
        raise _RefusedError("it is empty")
    if compressed:
        if not data.startswith(b"BZh"):
            raise _RefusedError("it is not compressed with bz2")
        data = bz2.BZ2File(io.BytesIO(data)).read(max_bytes + 1)
    if len(data) > max_bytes:
        raise _RefusedError(f"it holds more than {max_bytes:,} bytes")
    return data


_PUT, _LONG_BINPUT, _STOP = b"pr."
_FIXED = [0] * 256  # bytes of an opcode with its argument, 0 where `_check_memo` has to look
_LINES = dict.fromkeys(b"ILSVFgpP", 1) | dict.fromkeys(b"ci", 2)  # arguments that are lines: how many
# arguments that start with their length: how many bytes it takes
_LENGTHS = dict.fromkeys(b"UC\x8a\x8c", 1) | dict.fromkeys(b"TBX\x8b", 4) | dict.fromkeys(b"\x8d\x8e\x96", 8)
for _op in pickletools.opcodes:
    if _op.code not in "r." and (_op.arg is None or _op.arg.n >= 0):
        _FIXED[ord(_op.code)] = 1 + (_op.arg.n if _op.arg else 0)


def _check_memo(data: bytes) -> None:
    """Refuses memo indices larger than their positions, which no pickler writes.

    A cut or unknown opcode ends the walk: the unpickler stops there as well, and says why.
    """
    at, end, fixed = 0, len(data), _FIXED
    while at < end:
        code = data[at]
        if fixed[code]:
            at += fixed[code]
            continue
        after = at + 1
        if code in _LINES:
            for _ in range(_LINES[code]):
                after = data.find(b"\n", after) + 1
                if not after:
                    return
            if code == _PUT:
                _check_index(data[at + 1 : after - 1], at)
        elif code in _LENGTHS:
            after += _LENGTHS[code]
            after += int.from_bytes(data[at + 1 : after], "little")
        elif code == _LONG_BINPUT:
            after += 4
            _check_index(int.from_bytes(data[at + 1 : after], "little"), at)
        else:
            return
        at = after


def _check_index(index: int | bytes, at: int) -> None:
    try:
        fits = int(index) <= at
    except ValueError:
        fits = False
    if not fits:
        raise _RefusedError(f"it numbers an object {str(index)[:60]} at byte {at}, which no pickler writes")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Returns the stand-in for `module.name`.

        Raises:
            _RefusedError: any name that `_KNOWN` does not have.
        """
        if (module, name) not in _KNOWN:
            raise _RefusedError(f"it names the global {module}.{name}, which is not plain data")
        return _KNOWN[module, name]


class _Plain:
    """What the names in `_KNOWN` do.

    They are bound methods because a pickle can set attributes of what it is given, and a bound method takes
    none. They are not bound to the unpickler: its memo would hold them, and so itself with all it has loaded.
    """

    def dtype(self, code: object, align: object = False, copy: object = True) -> _Dtype:
        if code not in _NUMBERS:
            _refuse("dtype", code)
        return _Dtype(str(code))

    def scalar(self, dtype: object, data: object) -> Any:
        if not isinstance(dtype, _Dtype) or not isinstance(data, bytes) or len(data) != dtype.value.itemsize:
            _refuse("scalar", data)
        return np.frombuffer(data, dtype.value)[0]

    def reconstruct(self, subtype: object, shape: object, code: object) -> _Array:
        if subtype != _NDARRAY:
            _refuse("array of type", subtype)
        return _Array(0, np.uint8)

    def encode(self, text: object, encoding: object) -> bytes:
        if not isinstance(text, str) or encoding != "latin1":
            raise _RefusedError(
                f"it asks for bytes in the encoding {repr(encoding)[:60]}, which is not latin1"
            )
        return text.encode("latin1")


class _Dtype:
    """Stands for a `numpy.dtype` of numbers; its state may change the byte order and nothing else."""

    __slots__ = ("value",)

    def __init__(self, code: str) -> None:
        self.value: np.dtype[Any] = np.dtype(code)

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) < 5 or state[1] not in ("<", ">", "=", "|"):
            raise _RefusedError(f"it holds a NumPy dtype with the state {repr(state)[:60]}, not a number's")
        if any(part is not None for part in state[2:5]):  # subarray, field names, fields
            raise _RefusedError("it holds a NumPy dtype with fields, not a number's")
        self.value = self.value.newbyteorder(state[1])


class _Array(np.ndarray[Any, Any]):
    """An array whose state is checked before NumPy sees it; pickled and copied as a plain array."""

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran, data = state
        if isinstance(data, str):  # a Python 2 pickle
            data = data.encode("latin1")
        if not isinstance(dtype, _Dtype) or not isinstance(data, bytes):
            raise _RefusedError("it holds a NumPy array that is not made of numbers")
        if not all(isinstance(n, int) and n >= 0 for n in shape):
            raise _RefusedError(f"it holds a NumPy array of shape {repr(shape)[:60]}, which is no shape")
        if math.prod(shape) * dtype.value.itemsize != len(data):
            raise _RefusedError(
                f"it holds {len(data)} bytes for a NumPy array of shape {shape}, {dtype.value}"
            )
        checked: Any = (1, tuple(shape), dtype.value, bool(fortran), data)
        super().__setstate__(checked)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.view(np.ndarray).__reduce_ex__(protocol)


def _refuse(kind: str, value: object) -> NoReturn:
    raise _RefusedError(f"it holds a NumPy {kind} {repr(value)[:60]}, which is not made of numbers")


_PLAIN = _Plain()
_KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("numpy", "dtype"): _PLAIN.dtype,
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy.core.multiarray", "scalar"): _PLAIN.scalar,
    ("numpy._core.multiarray", "scalar"): _PLAIN.scalar,
    ("numpy.core.multiarray", "_reconstruct"): _PLAIN.reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _PLAIN.reconstruct,
    ("_codecs", "encode"): _PLAIN.encode,
}
