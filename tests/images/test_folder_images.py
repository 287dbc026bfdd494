from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nas_ray.errors import UsageError
from nas_ray.images import folder_images
from nas_ray.images.datasets import get_dataset
from nas_ray.images.image_data import ImageDataModule
from nas_ray.images.sources import open_images
from nas_ray.images.splits import Images

COLOURS = {"RGB": (100, 20, 30), "RGBA": (100, 20, 30, 40), "LA": (100, 40), "L": 100, "I;16": 51400}


def write(path: Path, mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, (6, 4), COLOURS[mode]).save(path)


def opened(path: Path, dataset: str = "cifar10") -> Images:
    return open_images(f"folder:{path}", get_dataset(dataset)).images


def refusal(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        opened(path)
    return str(caught.value)


def test_holds_out_one_image_in_five(tmp_path):
    for i in range(10):
        write(tmp_path / "pets" / ("cat" if i % 2 else "dog") / f"{i}.png")
    images = opened(tmp_path / "pets")
    assert images.description == "folder pets, 2 classes, 8 training images, resized to 32x32x3"
    train, test = images.train.pixels.paths, images.test.pixels.paths
    assert len(test) == 2
    assert not set(train) & set(test)
    for split in (images.train, images.test):
        names = [Path(path).parent.name for path in split.pixels.paths]
        assert [["cat", "dog"].index(name) for name in names] == split.labels.tolist()


@pytest.mark.parametrize("part", ["test", "val"])
def test_takes_the_folders_own_test_part(tmp_path, part):
    for name in ("a", "b"):
        write(tmp_path / "train" / name / "0.png")
    write(tmp_path / part / "b" / "1.png")  # class a has no test image: b must still be class 1
    images = opened(tmp_path)
    assert images.train.labels.tolist() == [0, 1]
    assert images.test.labels.tolist() == [1]


def test_train_part_alone_is_split(tmp_path):
    for i in range(5):
        write(tmp_path / "train" / "a" / f"{i}.png")
    images = opened(tmp_path)
    assert (len(images.train.labels), len(images.test.labels)) == (4, 1)


def test_hidden_folders_are_no_classes(tmp_path):
    write(tmp_path / ".thumbnails" / "0.png")
    write(tmp_path / "a" / "0.png")
    assert opened(tmp_path).train.labels.tolist() == [0]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("RGB", [100, 20, 30]),
        ("RGBA", [231, 218, 220]),  # 40/255 of the colour, the rest white
        ("L", [100, 100, 100]),
        ("LA", [231, 231, 231]),
        ("I;16", [51400 * 255 / 65535] * 3),
    ],
)
def test_every_mode_becomes_rgb(tmp_path, mode, expected):
    write(tmp_path / "a" / "0.png", mode)
    image = opened(tmp_path).train.pixels[0]
    assert image.shape == (3, 4, 6)
    np.testing.assert_allclose(255 * image[:, 0, 0].numpy(), expected, rtol=1e-5)


def test_floats_without_a_range_are_refused(tmp_path):
    path = tmp_path / "a" / "0.tiff"
    path.parent.mkdir()
    Image.new("F", (2, 2), 0.5).save(path)
    with pytest.raises(UsageError) as caught:
        opened(tmp_path).train.pixels[0]
    assert str(caught.value) == (
        f"Images must be readable, but {path} is not (its pixels are 32-bit floats without a known range): "
        f"repair or remove it."
    )


def test_files_are_decoded_when_asked_for(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    for i in range(50):
        Image.new("RGB", (6, 4), (i, 20, 30)).save(tmp_path / "a" / f"{i}.png")
    decoded = []
    read = folder_images.read_image
    monkeypatch.setattr(folder_images, "read_image", lambda path: decoded.append(path) or read(path))
    monkeypatch.setattr(folder_images, "_STATS_IMAGES", 10)
    data = ImageDataModule(f"folder:{tmp_path}", batch_size=4)
    assert len(decoded) == 10
    data.minibatch()
    assert len(decoded) == 14


def test_no_such_folder(tmp_path):
    path = tmp_path / "none"
    assert refusal(path) == f"folder:PATH needs a folder, but {path} is not one: check the path."


def test_no_classes(tmp_path):
    write(tmp_path / "0.png")
    assert refusal(tmp_path) == (
        f"folder:PATH needs one sub-folder of images per class, but {tmp_path} has none."
    )


def test_no_images(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "notes.txt").write_text("no image")
    assert refusal(tmp_path) == (
        f"folder:PATH needs images, but none of the 1 class folders of {tmp_path} holds a file that ends in "
        f".jpg, .jpeg, .png, .ppm, .bmp, .pgm, .tif, .tiff, .webp."
    )


def test_more_classes_than_the_dataset(tmp_path):
    for i in range(11):
        write(tmp_path / f"class{i}" / "0.png")
    assert refusal(tmp_path) == (
        f"folder:PATH needs at most 10 class folders, the classes of dataset 'cifar10', "
        f"but {tmp_path} has 11: choose a dataset with more classes."
    )
    assert len(opened(tmp_path, "cifar100").train.labels) == 11


def test_test_class_that_was_never_trained(tmp_path):
    write(tmp_path / "train" / "a" / "0.png")
    write(tmp_path / "test" / "b" / "0.png")
    assert refusal(tmp_path) == (
        f"The classes of {tmp_path / 'test'} must all have a folder in {tmp_path / 'train'}, "
        f"but 'b' has none."
    )


@pytest.mark.parametrize("damage", ["garbage", "truncated"])
def test_unreadable_image_is_named(tmp_path, damage):
    path = tmp_path / "a" / "0.png"
    rng = np.random.default_rng(0)
    path.parent.mkdir()
    Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(path)
    content = path.read_bytes()
    path.write_bytes(b"not an image" if damage == "garbage" else content[: len(content) // 2])
    with pytest.raises(UsageError) as caught:
        ImageDataModule(f"folder:{tmp_path}", batch_size=1)
    # the reason in brackets is Pillow's and differs between its versions
    start, end = (
        re.escape(f"Images must be readable, but {path} is not ("),
        re.escape("): repair or remove it."),
    )
    assert re.fullmatch(f"{start}[^()]+{end}", str(caught.value))


def test_a_fifo_is_an_unreadable_image(tmp_path):
    path = tmp_path / "a" / "0.png"
    path.parent.mkdir()
    os.mkfifo(path)  # to open it would block for ever
    with pytest.raises(UsageError) as caught:
        ImageDataModule(f"folder:{tmp_path}", batch_size=1)
    assert str(caught.value) == (
        f"Images must be readable, but {path} is not (it is no regular file): repair or remove it."
    )
