"""ImageNet16-120 from the published batch files, unpickled with nothing but arrays allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nas_ray.errors import UsageError
from nas_ray.images.splits import ArrayPixels, ChannelStats, Images, Source, Split, check_labels, describe
from nas_ray.safe_files.pickles import safe_load

_CLASSES = 120  # of 1000: the first 120 of the published numbering
_SIZE = 16
_TRAIN = tuple(f"train_data_batch_{i}" for i in range(1, 11))
_TEST = ("val_data",)
_FOLDERS = ("ImageNet16", "ImageNet16-120")
# Mean and std of the training images, as NATS-Bench used them (Dong et al., 2021), in 0..255.
_MEAN = (122.68 / 255, 116.66 / 255, 104.01 / 255)
_STD = (63.22 / 255, 61.26 / 255, 65.09 / 255)


def open_imagenet16(source: Source) -> Images:
    """Returns the 120 classes of 16x16 ImageNet that NATS-Bench used; `val_data` is the test split.

    Source: Chrabaszcz, Loshchilov, Hutter, "A Downsampled Variant of ImageNet", 2017 (the files); Dong, Yang,
    "NAS-Bench-201", 2020 (the 120 classes).

    Raises:
        UsageError: a batch file is missing or is not what was published.
    """
    folder = _find(source)
    train, test = _load(folder, _TRAIN), _load(folder, _TEST)
    for split in (train, test):
        check_labels(split.labels, "ImageNet16-120", source.dataset)
    what = describe("ImageNet16-120", len(train.labels), (_SIZE, _SIZE), False, source.dataset.image_size)
    return Images(train, test, what, ChannelStats(_MEAN, _STD))


def _find(source: Source) -> Path:
    folders = [root / name for root in source.roots for name in _FOLDERS]
    for folder in folders:
        if folder.is_dir():
            return folder
    asked = ", and --download only fetches cifar10 and cifar100" if source.download else ""
    raise UsageError(
        f"ImageNet16-120 images must be on disk, but there is no folder "
        f"{' or '.join(map(str, folders))}{asked}: "
        f"put the published batch files there, or set NAS_RAY_DATA to the folder above."
    )


def _load(folder: Path, names: tuple[str, ...]) -> Split:
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise UsageError(
            f"ImageNet16-120 needs the files {', '.join((*_TRAIN, *_TEST))}, "
            f"but {folder} lacks {', '.join(missing)}."
        )
    batches = [_batch(folder / name) for name in names]
    labels = np.concatenate([batch[1] for batch in batches])
    if len(labels) == 0:
        raise UsageError(
            f"ImageNet16-120 needs images with labels 1..{_CLASSES}, but {folder / names[0]} holds none."
        )
    return Split(ArrayPixels(np.concatenate([batch[0] for batch in batches])), labels)


def _batch(path: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Returns images `[N, 16, 16, 3]` and labels `[N]` in 0..119; other classes are dropped at once."""
    content = safe_load(path, what="ImageNet16 batch file")
    data, labels = _fields(content, path)
    if data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != 3 * _SIZE * _SIZE:
        raise UsageError(
            f"data in {path} must be uint8 of shape [N, {3 * _SIZE * _SIZE}], "
            f"but it is {data.dtype} {list(data.shape)}."
        )
    if labels.dtype.kind not in "iu" or labels.shape != (len(data),):
        raise UsageError(
            f"labels in {path} must be {len(data)} integers, but are {labels.dtype} {list(labels.shape)}."
        )
    if len(labels) and not 1 <= labels.min() <= labels.max() <= 1000:
        wrong = labels[(labels < 1) | (labels > 1000)][0]
        raise UsageError(f"labels in {path} must lie in 1..1000, but there is {wrong}.")
    kept = labels <= _CLASSES
    images = data[kept].reshape(-1, 3, _SIZE, _SIZE).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), labels[kept].astype(np.int64) - 1


def _fields(content: Any, path: Path) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    keys = sorted(map(str, content)) if isinstance(content, dict) else []
    if "data" not in keys or "labels" not in keys or not isinstance(content["data"], np.ndarray):
        held = f"the keys {', '.join(keys)}" if keys else type(content).__name__
        raise UsageError(f"{path} must hold a dict with an array 'data' and 'labels', but it holds {held}.")
    try:
        return np.asarray(content["data"]), np.asarray(content["labels"])
    except ValueError as error:
        raise UsageError(f"labels in {path} must be integers, but they are a ragged list.") from error
