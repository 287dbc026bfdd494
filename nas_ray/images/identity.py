"""Whether a run goes on with the images and the benchmark that it began with: hashes of what they hold.

Arrays are hashed whole, files byte by byte. Of files of more than `LARGEST_MB` together, the names, the sizes
and a fixed sample of so many bytes are.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas_ray.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

    from nas_ray.images.pixels import Pixels

LARGEST_MB = 1_024
"""Files of more than this many MiB together are not read whole: a second or two from a disk cache."""
_FILES = 16_384  # of a sample
_BLOCK = 64 * 2**10  # bytes of a sampled file that are read at one place
_DECODED = 4_096  # images that are neither array nor files
IMAGES, BENCHMARK = "images_sha256", "benchmark_sha256"
"""Keys of `run.json`; runs of before there were any lack them."""
_CHANGED = {
    IMAGES: "the images that it began with, but their pixels, labels or classes have changed",
    BENCHMARK: "the benchmark that it began with, but what it holds has changed",
}


def check_unchanged(
    stored: Mapping[str, Any], now: Mapping[str, str], what: str, way_out: str = "start a new run"
) -> None:
    """Checks that what a run is made from is what it was.

    Args:
        stored: `run.json`; a hash that it lacks is not compared.
        now: hashes by `IMAGES` and `BENCHMARK`.
        what: begins the sentence, such as `The run FOLDER`.
        way_out: ends it, for those who want the new ones.

    Raises:
        UsageError: something has changed.
    """
    for key, value in now.items():
        if stored.get(key) not in (None, value):
            raise UsageError(f"{what} must go on with {_CHANGED[key]}; bring the same back, or {way_out}.")


def images_sha256(pixels: Pixels, labels: np.ndarray) -> str:
    """Returns a hash of one split: all its images and labels in their order."""
    digest = hashlib.sha256(_bytes_of(labels))
    paths, array = getattr(pixels, "paths", None), getattr(pixels, "array", None)
    if paths is not None:
        digest.update(files_sha256(paths, named=False).encode())
    elif array is not None:
        digest.update(str((array.shape, array.dtype.str)).encode())
        digest.update(_bytes_of(array))
    else:
        for place in _sample(len(pixels), _DECODED):
            digest.update(_bytes_of(pixels[int(place)].numpy()))
    return digest.hexdigest()


def benchmark_sha256(benchmarks: Iterable[object]) -> str:
    """Returns a hash of the files whose numbers benchmarks tell; the name alone of one that has no files."""
    digest = hashlib.sha256()
    for benchmark in benchmarks:
        name, dataset = (getattr(benchmark, part, "") for part in ("name", "dataset"))
        digest.update(f"{name} {dataset} {files_sha256(getattr(benchmark, 'files', ()))}\n".encode())
    return digest.hexdigest()


def joined_sha256(*parts: object) -> str:
    """Returns a hash of texts."""
    return hashlib.sha256(repr(parts).encode(errors="backslashreplace")).hexdigest()


def files_sha256(paths: Sequence[str | Path], *, named: bool = True) -> str:
    """Returns a hash of files in their order; a file that cannot be read counts by its name alone.

    Args:
        paths: of the files.
        named: whether their names count too; in a sample, what is not read counts by its name in any case.
    """
    sizes = [size_of(path) for path in paths]
    whole = sum(sizes) <= LARGEST_MB * 2**20
    digest = hashlib.sha256(repr(sizes).encode())
    if named or not whole:
        names = [Path(path).parts[-2:] for path in paths]
        digest.update(repr(names).encode(errors="backslashreplace"))
    share = LARGEST_MB * 2**20 // max(1, min(len(paths), _FILES))
    for place in range(len(paths)) if whole else _sample(len(paths), _FILES):
        if sizes[place] > 0:
            digest.update(_content(paths[place], sizes[place], sizes[place] if whole else share))
    return digest.hexdigest()


def file_sha256(path: Path) -> bytes:
    """Returns a hash of a whole file; nothing if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return b""


def _content(path: str | Path, size: int, share: int) -> bytes:
    """Returns a hash of a file, or of blocks at equal distances that make up `share` bytes of it."""
    import numpy as np

    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            if size <= share:
                return hashlib.file_digest(file, "sha256").digest()
            for start in np.linspace(0, size - _BLOCK, max(2, share // _BLOCK)).astype(int):
                file.seek(max(0, int(start)))
                digest.update(file.read(_BLOCK))
    except OSError:
        return b"unreadable"
    return digest.digest()


def size_of(path: str | Path) -> int:
    """Returns the size of a file in bytes, -1 of what is none: to open a FIFO would block for ever."""
    try:
        return os.path.getsize(path) if os.path.isfile(path) else -1
    except OSError:
        return -1


def _sample(count: int, most: int) -> Sequence[int] | np.ndarray:
    """Returns all of `count` positions, or `most` of them, the same at every call."""
    if count <= most:
        return range(count)
    import numpy as np

    return np.sort(np.random.default_rng(0).choice(count, most, replace=False))


def _bytes_of(array: np.ndarray) -> memoryview:
    """Returns the content of an array without copying it, where it lies in one piece."""
    import numpy as np

    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
