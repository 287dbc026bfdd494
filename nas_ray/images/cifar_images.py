"""CIFAR-10 and CIFAR-100 through torchvision, from disk; downloaded only when asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.images.splits import ArrayPixels, ChannelStats, Images, Source, Split, check_labels, describe
from nas_ray.process.deferred import deferred

# Mean and std of the 50,000 training images, as NATS-Bench used them (Dong et al., 2021), in 0..255.
_STATS = {
    "cifar10": ((125.3, 123.0, 113.9), (63.0, 62.1, 66.7)),
    "cifar100": ((129.3, 124.1, 112.4), (68.2, 65.4, 70.4)),
}
_FOLDERS = {"cifar10": "cifar-10-batches-py", "cifar100": "cifar-100-python"}  # as the archives unpack


def open_cifar(source: Source) -> Images:
    """Returns CIFAR-10 or CIFAR-100, whichever `source.spec` names.

    The published files are pickles. torchvision's constructor compares the md5 of every file with the
    published one before it loads any, so nothing but the authors' bytes is ever unpickled.

    Raises:
        UsageError: the files are neither on disk nor may be fetched, are changed, or cannot be fetched.
    """
    name = source.spec
    root = _find(source, _FOLDERS[name])
    cifar = _torchvision_class(name)
    train = _load(cifar, root, True, source)
    test = _load(cifar, root, False, source)
    mean, std = _STATS[name]
    stats = ChannelStats(_unit(mean), _unit(std))
    what = name.upper().replace("CIFAR", "CIFAR-")
    description = describe(what, len(train.labels), (32, 32), False, source.dataset.image_size)
    return Images(train, test, description, stats)


def _torchvision_class(name: str) -> Any:
    """Returns torchvision's class, imported without torch's compiler, which takes most of its import."""
    with deferred(("torch._dynamo",), ("torchvision",)):
        from torchvision import datasets
    return getattr(datasets, name.upper())


def _find(source: Source, folder: str) -> Path:
    for root in source.roots:
        if (root / folder).is_dir():
            return root
    if source.download:
        return source.roots[0]
    raise UsageError(
        f"{source.spec} images must be on disk, but there is no folder {folder} in "
        f"{' or '.join(map(str, source.roots))}: "
        f"set NAS_RAY_DATA to the folder that holds it, or add --download."
    )


def _load(cifar: Any, root: Path, train: bool, source: Source) -> Split:
    try:
        data = cifar(root, train=train, download=source.download)
    except (OSError, RuntimeError) as error:
        if source.download:
            raise UsageError(
                f"{source.spec} images must be downloaded into {root}, but that failed ({error}): "
                f"check the connection, or put {cifar.base_folder} there yourself."
            ) from error
        raise UsageError(
            f"{source.spec} images must be the published files, but one in {root / cifar.base_folder} is "
            f"missing or changed: delete that folder and add --download."
        ) from error
    labels = np.asarray(data.targets, dtype=np.int64)
    check_labels(labels, f"{source.spec}", source.dataset)
    return Split(ArrayPixels(data.data), labels)


def _unit(channels: tuple[float, float, float]) -> tuple[float, float, float]:
    red, green, blue = channels
    return red / 255, green / 255, blue / 255
