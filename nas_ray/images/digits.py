"""scikit-learn's bundled digits."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from nas_ray.images.splits import ArrayPixels, Images, Source, Split, check_labels, describe

_DIGITS_TRAIN = 1_347  # three quarters of 1,797, in the published order


def open_digits(source: Source) -> Images:
    """Returns scikit-learn's bundled digits: 1,347 training and 450 test images, 8x8 grey in 17 levels.

    Source: Alpaydin, Kaynak, "Optical Recognition of Handwritten Digits", 1998 (its test part).
    """
    pixels, labels = bundled_digits()
    array = (pixels / 16).astype(np.float32)
    check_labels(labels, "digits", source.dataset)
    train = Split(ArrayPixels(array[:_DIGITS_TRAIN]), labels[:_DIGITS_TRAIN])
    test = Split(ArrayPixels(array[_DIGITS_TRAIN:]), labels[_DIGITS_TRAIN:])
    what = describe("scikit-learn digits", len(train.labels), (8, 8), True, source.dataset.image_size)
    return Images(train, test, what)


def bundled_digits() -> tuple[np.ndarray, np.ndarray]:
    """Returns `[1797, 8, 8]` pixels of 0 to 16 and `[1797]` labels.

    They are read from the file in scikit-learn's folder where it is; its import takes more than a second.
    """
    spec = find_spec("sklearn")  # found, not imported
    file = Path(spec.origin).parent / "datasets" / "data" / "digits.csv.gz" if spec and spec.origin else None
    if file is not None and file.is_file():
        table = np.loadtxt(file, delimiter=",", dtype=np.int64)
        return table[:, :-1].reshape(-1, 8, 8), table[:, -1]
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return bunch.images, bunch.target.astype(np.int64)
