"""Copies between the splits are told."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nas_ray.images.image_data import ImageDataModule


def folder_of(tmp_path: Path) -> Path:
    """Returns two classes in given parts, all images different, and most files of one size."""
    rng = np.random.default_rng(0)
    for part, count in (("train", 6), ("test", 2)):
        for name in ("a", "b"):
            (tmp_path / part / name).mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / part / name / f"{number}.bmp")
    return tmp_path


def test_copies_of_files_are_counted_and_named(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    assert ImageDataModule(f"folder:{folder}", dataset="own", batch_size=4).copies is None
    source, copy = folder / "train" / "a" / "3.bmp", folder / "test" / "b" / "copy.bmp"
    shutil.copy(source, copy)
    images = ImageDataModule(f"folder:{folder}", dataset="own", batch_size=4)
    assert images.copies == (
        f"1 of the 5 test images are copies of training images, such as {copy} of the test part and {source} "
        "of the training part; accuracy on them says nothing of new images, so remove the copies."
    )
    assert images.note is not None
    assert images.copies in images.note


@pytest.mark.parametrize("copied", [0, 2])
def test_copies_in_an_archive(copied: int, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (10, 8, 8, 3), dtype=np.uint8)
    pixels[6 : 6 + copied] = pixels[:copied]
    labels = np.arange(10) % 2
    arrays = {"x_train": pixels[:6], "y_train": labels[:6], "x_test": pixels[6:], "y_test": labels[6:]}
    np.savez(tmp_path / "own.npz", **arrays)
    copies = ImageDataModule(f"npz:{tmp_path / 'own.npz'}", dataset="own", batch_size=2).copies
    assert copies is None if copied == 0 else str(copies).startswith("2 of the 4 test images are copies")
