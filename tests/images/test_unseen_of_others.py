"""Images made of the images of others: labels from the parts that are found again in the pixels."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.images.digits import bundled_digits
from tests.images.test_unseen import array, opened

COUNT = 240
PIXELS, LABELS = bundled_digits()
BYTES = np.round(PIXELS / 16 * 255).astype(np.uint8)
PARTS = {"train": slice(0, 1_347), "test": slice(1_347, None)}


def digit_within(channel: np.ndarray, part: slice) -> int:
    """Returns which digit of a part of scikit-learn's a channel shows, wherever it is."""
    windows = np.lib.stride_tricks.sliding_window_view(channel, (8, 8)).reshape(-1, 64)
    whole = windows[windows.sum(1) == channel.sum()]
    known = BYTES[part].reshape(-1, 64)
    found = {
        int(LABELS[part][place]) for window in whole for place in np.flatnonzero((known == window).all(1))
    }
    (digit,) = found  # one, or this raises
    return digit


@pytest.mark.parametrize(
    ("kind", "result"),
    [("add", lambda digits: sum(digits) - 1), ("mult", lambda digits: np.prod(digits) % 10)],
)
def test_the_digits_make_the_class(kind, result) -> None:
    train, test, names = opened(f"generated:{kind},train={COUNT},test=100")
    assert names[0] == ("1" if kind == "add" else "0")
    for name, split in (("train", train), ("test", test)):
        shown = [
            [digit_within(image[:, :, channel], PARTS[name]) for channel in range(3)]
            for image in array(split)
        ]
        assert [result(digits) for digits in shown] == split.labels.tolist()
        assert {digit for digits in shown for digit in digits} == set(range(10))


def test_triples_are_drawn_evenly_and_places_are_everywhere() -> None:
    train, _, _ = opened("generated:mult,train=3000")
    images = array(train)[train.labels == 5]  # all odd and one of them 5: 61 triples
    shown = [
        tuple(digit_within(image[:, :, of], PARTS["train"]) for of in range(3)) for image in images[:150]
    ]
    assert len(set(shown)) > 45  # of 61, 150 times drawn; 56 are to be expected
    assert sum(digits.count(5) for digits in shown) / len(shown) == pytest.approx(75 / 61, abs=0.25)
    lit = (array(train) > 0).any(0).all(2)
    assert lit[1:-1, 1:-1].all()


def archive(path: Path, x: np.ndarray, y: np.ndarray, half: int) -> Path:
    np.savez(path, x_train=x[:half], y_train=y[:half], x_test=x[half:], y_test=y[half:])
    return path


def test_own_digits_as_an_archive_and_as_files_of_mnist(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(1, 256, (60, 28, 28), dtype=np.uint8), np.arange(60) % 10
    x[:, 1:, 1:] = y[:, None, None] * 20 + 7  # so that a digit is known by one pixel
    npz = opened(f"generated:add,images=npz:{archive(tmp_path / 'a.npz', x, y, 40)},train=60,test=40")
    for name, part in (("train", slice(0, 40)), ("t10k", slice(40, 60))):
        for what, numbers in (("images-idx3", x[part]), ("labels-idx1", y[part].astype(np.uint8))):
            head = bytes([0, 0, 8, numbers.ndim]) + np.array(numbers.shape, ">u4").tobytes()
            packed = gzip.compress(head + numbers.tobytes())
            if name == "train":
                (tmp_path / f"{name}-{what}-ubyte.gz").write_bytes(packed)
            else:
                (tmp_path / f"{name}-{what}-ubyte".replace("-idx", ".idx")).write_bytes(
                    gzip.decompress(packed)
                )
    files = opened(f"generated:add,images=idx:{tmp_path},train=60,test=40")
    for one, other in zip(npz[:2], files[:2], strict=True):
        np.testing.assert_array_equal(array(one), array(other))
        assert array(one).shape[1:] == (32, 32, 3)
        digits = (array(one)[:, 15, 15].astype(int) - 7) // 20
        assert (digits.sum(1) - 1).tolist() == one.labels.tolist()


def tiles_of(images: np.ndarray) -> np.ndarray:
    """Returns `[N, 4, S/2, S/2, ...]`, row by row."""
    half = images.shape[1] // 2
    corners = ((0, 0), (0, half), (half, 0), (half, half))
    return np.stack([images[:, row : row + half, column : column + half] for row, column in corners], axis=1)


def test_tiles_have_as_many_classes_as_is_said_and_parts_stay_apart() -> None:
    train, test, _ = opened("generated:tile,train=2800,test=400")
    seen = {}
    for name, split in (("train", train), ("test", test)):
        known = {
            pixels.tobytes(): int(label)
            for pixels, label in zip(BYTES[PARTS[name]], LABELS[PARTS[name]], strict=True)
        }
        tiles = [[tile.tobytes() for tile in of] for of in tiles_of(array(split))]
        classes = np.array([[known[tile] for tile in of] for of in tiles])
        assert [len(set(of)) - 1 for of in classes.tolist()] == split.labels.tolist()
        assert all(len(set(of)) == 4 for of in tiles)  # no image twice in the four
        seen[name] = classes
    for place in range(4):  # one of them says nothing: each class about as often for each label
        counts = np.histogram2d(train.labels, seen["train"][:, place], bins=(4, 10))[0]
        assert abs(counts - 70).max() < 5 * np.sqrt(70)
    two = seen["train"][train.labels == 1]
    alike = {tuple((of == of[0]).tolist()) for of in two}
    assert len(alike) == 7  # all ways in which four places share two classes


def test_the_same_image_is_never_taken_twice_where_there_are_but_four(tmp_path: Path) -> None:
    x = np.arange(32, dtype=np.uint8)[:, None, None].repeat(8, 1).repeat(8, 2)
    path = archive(tmp_path / "few.npz", x, np.arange(32) % 4, 16)
    train, _, _ = opened(f"generated:tile,images=npz:{path},size=16,train=400")
    values = tiles_of(array(train))[:, :, 0, 0]
    assert all(len(set(of)) == 4 for of in values.tolist())
    assert [len({value % 4 for value in of}) - 1 for of in values.tolist()] == train.labels.tolist()


@pytest.mark.parametrize("colours", [1, 3])
def test_tiles_shrink_by_means(tmp_path: Path, colours: int) -> None:
    x = np.random.default_rng(0).integers(0, 256, (32, 16, 16, 3), dtype=np.uint8)
    x = x if colours == 3 else x[..., 0]
    path = archive(tmp_path / "own.npz", x, np.arange(32) % 4, 16)
    large, _, _ = opened(f"generated:tile,images=npz:{path},size=32,train=20")
    small, _, _ = opened(f"generated:tile,images=npz:{path},size=16,train=20")
    assert large.labels.tolist() == small.labels.tolist()
    image = array(large)[3].astype(float)
    means = (image[0::2, 0::2] + image[1::2, 0::2] + image[0::2, 1::2] + image[1::2, 1::2]) / 4
    assert abs(array(small)[3] - means).max() <= 0.5


@pytest.mark.data
def test_tiles_of_cifar(data_dir: Path) -> None:
    train, _, _ = opened(f"generated:tile,images=npz:{data_dir / 'cifar10_slice.npz'},train=40")
    with np.load(data_dir / "cifar10_slice.npz") as slice_:
        known = {x.tobytes(): int(y) for x, y in zip(slice_["x_train"], slice_["y_train"], strict=True)}
    for of, label in zip(tiles_of(array(train)), train.labels, strict=True):
        assert len({known[np.ascontiguousarray(tile).tobytes()] for tile in of}) - 1 == label


@pytest.mark.parametrize(
    ("text", "change", "message"),
    [
        ("add,images=npz:PATH,size=12", {}, "size of generated:add must be 16 or more for the digits of "
         "npz:PATH, but 12 was given."),
        ("mult,images=npz:PATH", {"classes": 9}, "Images of generated:mult must be made of square grey "
         "images of ten digits, but npz:PATH has 9 classes of shape [16, 16]."),
        ("add,images=npz:PATH", {"shape": (16, 16, 3)}, "Images of generated:add must be made of square grey "
         "images of ten digits, but npz:PATH has 10 classes of shape [16, 16, 3]."),
        ("tile,images=npz:PATH,size=32", {"classes": 3}, "Images of generated:tile must be made of images of "
         "4 classes or more, but npz:PATH has 3."),
        ("tile,images=npz:PATH", {}, "size of generated:tile must be 32 for images of 16x16 pixels, or that "
         "divided by a whole number, and they must be square, but 64 was given."),
        ("tile,images=npz:PATH,size=32", {"classes": 25}, "Images that others are made of must have 4 or "
         "more of each class in each split, but npz:PATH has 2 training images of class 0."),
    ],
)  # fmt: skip
def test_unfit_images_are_refused_in_a_sentence(
    tmp_path: Path, text: str, change: dict, message: str
) -> None:
    shape, classes = change.get("shape", (16, 16)), change.get("classes", 10)
    x = np.random.default_rng(0).integers(0, 256, (100, *shape), dtype=np.uint8)
    path = str(archive(tmp_path / "a.npz", x, np.arange(100) % classes, 50))
    with pytest.raises(UsageError) as caught:
        opened(f"generated:{text}".replace("PATH", path))
    assert str(caught.value) == message.replace("PATH", path)


def test_damaged_files_of_mnist_are_refused_in_a_sentence(tmp_path: Path) -> None:
    spec = f"generated:add,images=idx:{tmp_path}"
    with pytest.raises(UsageError) as caught:
        opened(spec)
    assert str(caught.value) == (
        f"idx:FOLDER needs the four files of MNIST, but {tmp_path} has no train-images-idx3-ubyte with or "
        "without .gz: bring it."
    )
    file = tmp_path / "train-images-idx3-ubyte"
    for content in (
        b"",
        b"\0\0\x08\x01" + b"\0" * 40,
        b"\0\0\x08\x03" + np.array([2, 8, 8], ">u4").tobytes() + b"\1" * 127,
    ):
        file.write_bytes(content)
        with pytest.raises(UsageError) as caught:
            opened(spec)
        assert str(caught.value) == (
            f"{file} must be a whole file of MNIST's form, with bytes in 3 axes, but it is not: "
            "bring it again."
        )
    file.unlink()
    (tmp_path / f"{file.name}.gz").write_bytes(gzip.compress(b"\0" * 1_000)[:-4])
    with pytest.raises(UsageError, match=r"must be a whole file of MNIST's form"):
        opened(spec)
