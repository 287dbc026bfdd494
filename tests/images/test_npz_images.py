from __future__ import annotations

import contextlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.images.datasets import get_dataset
from nas_ray.images.sources import open_images
from nas_ray.images.splits import Images


def arrays(**changes: Any) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    content = {
        "x_train": rng.integers(0, 256, (6, 4, 5, 3), dtype=np.uint8),
        "y_train": np.arange(6),
        "x_test": rng.integers(0, 256, (2, 4, 5, 3), dtype=np.uint8),
        "y_test": np.array([9, 0]),
    }
    return {k: v for k, v in {**content, **changes}.items() if v is not None}


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "own.npz"


def opened(path: Path) -> Images:
    return open_images(f"npz:{path}", get_dataset("cifar10")).images


def refusal(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        opened(path)
    return str(caught.value)


def test_reads_colour_images(path):
    content = arrays()
    np.savez(path, **content)
    images = opened(path)
    assert images.description == "own.npz, 6 training images, 4x5x3 upsampled to 32x32x3"
    assert images.test.labels.tolist() == [9, 0]
    np.testing.assert_allclose(
        images.train.pixels[2].numpy(), content["x_train"][2].transpose(2, 0, 1) / 255, rtol=1e-6
    )


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_reads_grey_floats(path, dtype):
    grey = np.random.default_rng(0).random((3, 40, 40)).astype(dtype)
    np.savez(path, **arrays(x_train=grey, y_train=np.arange(3), x_test=grey[:2]))
    images = opened(path)
    assert images.description == "own.npz, 3 training images, 40x40 grey shrunk to 32x32x3"
    image = images.train.pixels[1].numpy()
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image, np.broadcast_to(grey[1].astype(np.float32), (3, 40, 40)))


def test_says_how_sizes_change(path):
    for shape, phrase in (
        ((6, 32, 32), "32x32 grey repeated to 32x32x3"),
        ((6, 64, 8), "64x8 grey resized to 32x32x3"),
    ):
        np.savez(path, **arrays(x_train=np.zeros(shape, np.uint8)))
        assert opened(path).description == f"own.npz, 6 training images, {phrase}"


def test_missing_file(path):
    assert refusal(path) == f"npz:PATH needs a NumPy archive, but there is no file {path}: check the path."


def test_truncated_file(path):
    np.savez(path, **arrays())
    path.write_bytes(path.read_bytes()[:-300])
    assert refusal(path) == (
        f"npz:PATH needs a complete NumPy archive, but {path} cannot be read "
        f"(it is no whole archive, such as np.savez writes): copy or write it again."
    )


def test_damaged_member(path):
    np.savez(path, **arrays())
    content = bytearray(path.read_bytes())
    start = content.index(b"NUMPY") + 300  # in the pixels of x_train
    content[start : start + 4] = bytes(255 - b for b in content[start : start + 4])
    path.write_bytes(content)
    assert refusal(path) == (
        f"npz:PATH needs a complete NumPy archive, but {path} cannot be read "
        f"(Bad CRC-32 for file 'x_train.npy'): copy or write it again."
    )


def test_every_truncation_and_a_lot_of_damage_is_one_sentence(path):
    np.savez_compressed(path, **arrays())
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(whole[: rng.integers(0, len(whole))] if rng.random() < 0.3 else whole)
        for position in rng.integers(0, max(len(damaged), 1), 8):
            if len(damaged):
                damaged[position] = rng.integers(256)
        path.write_bytes(damaged)
        with contextlib.suppress(UsageError):  # damage between the members goes unnoticed; no other error may
            opened(path)


def test_bare_array(path):
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    assert refusal(path) == (
        f"npz:PATH needs an archive of x_train, y_train, x_test, y_test, but {path} holds one bare array: "
        f"write it with np.savez."
    )


def test_missing_arrays(path):
    np.savez(path, **arrays(y_train=None, x_test=None))
    assert refusal(path) == (
        f"npz:PATH needs the arrays x_train, y_train, x_test, y_test, but {path} lacks y_train, x_test "
        f"and holds x_train, y_test."
    )


def test_pickled_objects_are_not_loaded(path):
    np.savez(path, **arrays(y_train=np.array([1, "a", None, 2, 3, 4], dtype=object)))
    assert refusal(path) == (
        f"y_train in {path} must be an array of numbers, but it holds Python objects, which are not loaded."
    )


FORM = "uint8 in 0..255 or float in 0..1, of shape [N, H, W, 3] or grey [N, H, W]"


@pytest.mark.parametrize(
    ("name", "array", "shown"),
    [
        ("x_train", np.zeros((6, 3, 4, 5), np.uint8), "uint8 [6, 3, 4, 5]"),
        ("x_train", np.zeros((6, 4), np.uint8), "uint8 [6, 4]"),
        ("x_train", np.zeros((6, 0, 4, 3), np.uint8), "uint8 [6, 0, 4, 3]"),
        ("x_train", np.zeros((6, 4, 4, 3), np.int64), "int64 [6, 4, 4, 3]"),
        ("x_test", np.zeros((2, 4, 4, 4), np.uint8), "uint8 [2, 4, 4, 4]"),
    ],
)
def test_wrong_form_of_images(path, name, array, shown):
    np.savez(path, **arrays(**{name: array}))
    assert refusal(path) == f"{name} in {path} must be {FORM}, but it is {shown}."


@pytest.mark.parametrize(
    ("labels", "shown"), [(np.zeros((6, 10), int), "int64 [6, 10]"), (np.zeros(6), "float64 [6]")]
)
def test_wrong_form_of_labels(path, labels, shown):
    np.savez(path, **arrays(y_train=labels))
    assert refusal(path) == f"y_train in {path} must be integers of shape [N], but it is {shown}."


def test_lengths_differ(path):
    np.savez(path, **arrays(y_train=np.arange(5)))
    assert refusal(path) == (
        f"x_train and y_train in {path} must have equal lengths, but they hold 6 images and 5 labels."
    )


def test_no_images(path):
    np.savez(path, **arrays(x_train=np.zeros((0, 4, 4, 3), np.uint8), y_train=np.zeros(0, int)))
    assert refusal(path) == (
        f"x_train in {path} must hold at least one image, but its shape is [0, 4, 4, 3]."
    )


@pytest.mark.parametrize("wrong", [10, -1])
def test_labels_outside_the_classes(path, wrong):
    np.savez(path, **arrays(y_test=np.array([0, wrong])))
    assert refusal(path) == (
        f"Labels must lie in 0..9, the classes of dataset 'cifar10', but y_test in {path} holds {wrong}: "
        f"relabel the images or choose a dataset with more classes."
    )


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_not_finite(path, wrong):
    x = np.zeros((6, 4, 4, 3), np.float32)
    x[3, 1, 2, 0] = wrong
    np.savez(path, **arrays(x_train=x))
    assert refusal(path) == f"x_train in {path} must be finite, but image 3 holds NaN or infinity."


def test_floats_outside_the_unit_range(path):
    np.savez(path, **arrays(x_train=np.linspace(-1, 255, 6 * 48).reshape(6, 4, 4, 3)))
    assert refusal(path) == (
        f"x_train in {path} must be float in 0..1, but it ranges from -1 to 255: rescale it, or store uint8."
    )


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda content: b"XXXXXXXX" + content[8:], "x_train is no NumPy array"),
        (lambda content: b"", "x_train is no NumPy array"),
        (lambda content: content[:10] + b"{((((((((((" + content[21:], None),
    ],
    ids=["magic", "empty", "header"],
)
def test_member_that_is_no_array(path, damage, reason):
    np.savez(path, **arrays())
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["x_train.npy"] = damage(members["x_train.npy"])
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    text = refusal(path)
    start = f"npz:PATH needs a complete NumPy archive, but {path} cannot be read ("
    assert text.startswith(start + (reason or ""))
    assert text.endswith("): copy or write it again.")
    assert "\n" not in text


def test_member_that_is_raw_text(path):
    np.savez(path, **arrays())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x_train", "hello")
    assert refusal(path) == (
        f"npz:PATH needs a complete NumPy archive, but {path} cannot be read (x_train is no NumPy array): "
        "copy or write it again."
    )
