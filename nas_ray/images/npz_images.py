"""Images from a NumPy archive: `npz:PATH` with arrays x_train, y_train, x_test, y_test."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil

from nas_ray.errors import UsageError
from nas_ray.images.spec import check_archive
from nas_ray.images.splits import ArrayPixels, Images, Source, Split, check_labels, describe, own_path

_KEYS = ("x_train", "y_train", "x_test", "y_test")
_SHAPES = "uint8 in 0..255 or float in 0..1, of shape [N, H, W, 3] or grey [N, H, W]"


def open_npz(source: Source) -> Images:
    """Returns the images of an archive; nothing in it is unpickled.

    Raises:
        UsageError: the file cannot be read, an array is missing or is not what it must be.
    """
    path = own_path(source)
    arrays = read_arrays(path)
    train = _split(arrays, "train", path, source)
    test = _split(arrays, "test", path, source)
    if len(train.labels) == 0:
        shape = _shape(arrays["x_train"])
        raise UsageError(f"x_train in {path} must hold at least one image, but its shape is {shape}.")
    pixels = arrays["x_train"]
    own = (int(pixels.shape[1]), int(pixels.shape[2]))
    what = describe(path.name, len(train.labels), own, pixels.ndim == 3, source.dataset.image_size)
    return Images(train, test, what)


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Returns the four arrays of an archive; nothing in it is unpickled.

    Raises:
        UsageError: the file cannot be read, or an array is missing.
    """
    check_archive(path)
    if not zipfile.is_zipfile(path) and not _is_bare(path):
        raise _unreadable(path, "it is no whole archive, such as np.savez writes")
    try:
        archive = np.load(path, allow_pickle=False)
    except Exception as error:  # NumPy, zipfile and the decompressors have no common exception
        raise _unreadable(path, error) from error
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise UsageError(
            f"npz:PATH needs an archive of {', '.join(_KEYS)}, but {path} holds one bare array: "
            f"write it with np.savez."
        )
    with archive:
        _check_size(path)
        missing = [key for key in _KEYS if key not in archive.files]
        if missing:
            raise UsageError(
                f"npz:PATH needs the arrays {', '.join(_KEYS)}, but {path} lacks {', '.join(missing)} "
                f"and holds {', '.join(archive.files) or 'nothing'}."
            )
        return {key: _member(archive, key, path) for key in _KEYS}


def _check_size(path: Path) -> None:
    """Checks that what the archive says it holds, unpacked, has room in memory.

    Raises:
        UsageError: it has not.
    """
    with zipfile.ZipFile(path) as packed:
        size = sum(member.file_size for member in packed.infolist())
    room = psutil.virtual_memory().available
    if size > room:
        raise _unreadable(
            path, f"unpacked it takes {size / 2**30:,.1f} GiB, and {room / 2**30:,.1f} are free"
        )


def _member(archive: Any, key: str, path: Path) -> npt.NDArray[Any]:
    try:
        array = archive[key]
    except Exception as error:  # a damaged header can fail in any way
        if "Object arrays" not in str(error):
            raise _unreadable(path, error) from error
        raise UsageError(
            f"{key} in {path} must be an array of numbers, but it holds Python objects, which are not loaded."
        ) from error
    if not isinstance(array, np.ndarray):  # NumPy returns the bytes of a member without its magic number
        raise _unreadable(path, f"{key} is no NumPy array")
    return array


def _is_bare(path: Path) -> bool:
    """Returns whether a file begins as one array does."""
    with path.open("rb") as file:
        return file.read(6) == b"\x93NUMPY"


def _unreadable(path: Path, error: Exception | str) -> UsageError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return UsageError(
        f"npz:PATH needs a complete NumPy archive, but {path} cannot be read "
        f"({reason}): copy or write it again."
    )


def _split(arrays: dict[str, npt.NDArray[Any]], name: str, path: Path, source: Source) -> Split:
    x_name, y_name = f"x_{name}", f"y_{name}"
    x, y = arrays[x_name], arrays[y_name]
    _check_form(x, x_name, path)
    if y.ndim != 1 or y.dtype.kind not in "iu":
        raise UsageError(
            f"{y_name} in {path} must be integers of shape [N], but it is {y.dtype} {_shape(y)}."
        )
    if len(x) != len(y):
        raise UsageError(
            f"{x_name} and {y_name} in {path} must have equal lengths, "
            f"but they hold {len(x)} images and {len(y)} labels."
        )
    labels = y.astype(np.int64)
    check_labels(labels, f"{y_name} in {path}", source.dataset)
    if x.dtype != np.uint8:
        _check_range(x, x_name, path)
        x = x.astype(np.float32)
    return Split(ArrayPixels(x), labels)


def _check_form(x: npt.NDArray[Any], name: str, path: Path) -> None:
    image_like = x.ndim == 3 or (x.ndim == 4 and x.shape[3] == 3)
    if not image_like or 0 in x.shape[1:] or not (x.dtype == np.uint8 or x.dtype.kind == "f"):
        raise UsageError(f"{name} in {path} must be {_SHAPES}, but it is {x.dtype} {_shape(x)}.")


def _check_range(x: npt.NDArray[Any], name: str, path: Path) -> None:
    if x.size == 0:
        return
    finite = np.isfinite(x)
    if not finite.all():
        first = int(np.argwhere(~finite)[0][0])
        raise UsageError(f"{name} in {path} must be finite, but image {first} holds NaN or infinity.")
    low, high = float(x.min()), float(x.max())
    if low < 0 or high > 1:
        raise UsageError(
            f"{name} in {path} must be float in 0..1, but it ranges from {low:g} to {high:g}: "
            f"rescale it, or store uint8."
        )


def _shape(array: npt.NDArray[Any]) -> str:
    return str(list(array.shape))
