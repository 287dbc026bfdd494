"""A minibatch holds no image twice, and is what it always was where no image is there twice."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nas_ray.errors import UsageError
from nas_ray.images.image_data import ImageDataModule
from nas_ray.proxies import PROXIES
from nas_ray.spaces import NatsTss


def archive(path: Path, x: np.ndarray, **changes: np.ndarray) -> str:
    y = np.arange(len(x)) % 2
    np.savez(path / "own.npz", **{"x_train": x, "y_train": y, "x_test": x[:2], "y_test": y[:2], **changes})
    return f"npz:{path / 'own.npz'}"


def noise(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 16, 16, 3), dtype=np.uint8)


def score(data: ImageDataModule) -> float:
    space = NatsTss()
    return PROXIES["naswot"](space.build(space[6111], data.num_classes), *data.minibatch())


def test_repeats_are_replaced_by_the_next_of_the_order_and_told(tmp_path: Path) -> None:
    x = noise(12)
    order = np.random.default_rng(0).permutation(12)
    x[order[2]] = x[order[0]]
    x[order[3]] = x[order[0]]
    data = ImageDataModule(archive(tmp_path, x, x_test=noise(2, seed=1)), dataset="own", batch_size=6)
    inputs, targets = data.minibatch()
    expected = [order[place] for place in (0, 1, 4, 5, 6, 7)]
    assert targets.tolist() == [place % 2 for place in expected]
    for image, place in zip(inputs, expected, strict=True):
        assert (image == data.train_images[int(place)][0]).all()
    assert data.note == (
        "Images: 2 images that equal others were left out of the minibatch, as no net can tell them apart: "
        f"image {order[2]} equals image {order[0]}, for example. The next of the same seeded order are in "
        "their place."
    )
    assert np.isfinite(score(data))
    assert data.minibatch()[1].tolist() == targets.tolist()
    assert data.note.count("left out") == 1


def test_files_are_named(tmp_path: Path) -> None:
    for name, pixels in (("cat", noise(3)), ("dog", noise(3, 1))):
        (tmp_path / name).mkdir()
        for number, array in enumerate(pixels):
            Image.fromarray(array).save(tmp_path / name / f"{number}.png")
    for name in ("1.png", "2.png"):
        shutil.copy(tmp_path / "cat" / "0.png", tmp_path / "cat" / name)
    data = ImageDataModule(f"folder:{tmp_path}", dataset="own", batch_size=4, split_seed=0)
    with pytest.raises(UsageError) as caught:
        data.minibatch()
    said = str(caught.value)
    assert said.startswith(
        f"A minibatch needs 4 different images, but the training split of folder:{tmp_path} has 3, as "
    )
    assert said.endswith(", for example: lower --batch-size to 3 or choose other images.")
    assert said.count(str(tmp_path / "cat")) == 2


@pytest.mark.parametrize("colour", [0, 255])
def test_images_of_one_colour_are_equal_and_refused(tmp_path: Path, colour: int) -> None:
    data = ImageDataModule(
        archive(tmp_path, np.full((12, 16, 16, 3), colour, np.uint8)), dataset="own", batch_size=4
    )
    with pytest.raises(UsageError) as caught:
        data.minibatch()
    assert str(caught.value).endswith(", for example: choose other images.")


@pytest.mark.parametrize("seed", range(4))
def test_the_draw_of_different_images_is_the_permutations(seed: int) -> None:
    data = ImageDataModule("digits", batch_size=64, batch_seed=seed)
    order = np.random.default_rng(seed).permutation(1347)[:64]
    assert data.minibatch()[1].tolist() == data.train_images.labels[order].tolist()
    assert data.note is None
