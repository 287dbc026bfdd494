"""Images of one's own: classes and size are theirs, the split is fair, and no benchmark knows them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nas_ray.benchmarks import open_benchmark
from nas_ray.errors import UsageError
from nas_ray.images.image_data import ImageDataModule
from nas_ray.images.own_data import own_dataset, rounded_size
from nas_ray.search.arguments import SearchArgs


def folder(path: Path, counts: dict[str, int], size: tuple[int, int] = (12, 10)) -> Path:
    rng = np.random.default_rng(0)
    for name, count in counts.items():
        (path / name).mkdir(parents=True)
        for number in range(count):
            pixels = rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
            Image.fromarray(pixels).save(path / name / f"{number}.png")
    return path


def own(path: Path, **options: object) -> ImageDataModule:
    return ImageDataModule(f"folder:{path}", dataset="own", batch_size=2, **options)  # type: ignore[arg-type]


def test_classes_and_size_are_those_of_the_folder(tmp_path: Path) -> None:
    data = own(folder(tmp_path, {"cat": 6, "dog": 6, "eel": 6}, size=(40, 23)))
    assert (data.num_classes, data.image_size, data.classes) == (3, 24, ("cat", "dog", "eel"))
    assert data.minibatch()[0].shape == (2, 3, 24, 24)


def test_size_is_the_median_of_the_shorter_sides(tmp_path: Path) -> None:
    folder(tmp_path / "a", {"x": 3}, (16, 50))
    path = folder(tmp_path / "b", {"x": 3, "y": 2}, (100, 96))
    (tmp_path / "a" / "x").rename(path / "w")
    assert own_dataset(f"folder:{path}").image_size == 96
    assert own_dataset(f"folder:{path}", 32).image_size == 32


@pytest.mark.parametrize(
    ("side", "size"), [(3, 8), (9, 8), (11, 12), (64, 64), (70, 64), (100, 96), (4000, 224)]
)
def test_sizes_can_be_halved(side: float, size: int) -> None:
    assert rounded_size(side) == size


@pytest.mark.parametrize("size", [4, 30, 100])
def test_a_size_that_cannot_be_halved_is_refused(tmp_path: Path, size: int) -> None:
    with pytest.raises(UsageError) as caught:
        own(folder(tmp_path, {"a": 3, "b": 3}), image_size=size)
    assert str(caught.value) == (
        f"The image size must be a multiple of 4 from 8 to 64, or a multiple of 16 above, up to "
        f"2048, got {size}."
    )


def test_size_of_a_published_dataset_is_fixed() -> None:
    with pytest.raises(UsageError) as caught:
        ImageDataModule("digits", dataset="cifar10", image_size=64)
    assert str(caught.value) == (
        "The image size of dataset 'cifar10' is fixed; --image-size 64 needs --dataset own."
    )


def test_every_class_gives_one_image_in_five_to_the_test(tmp_path: Path) -> None:
    path = folder(tmp_path, {"a": 50, "b": 10, "c": 2, "d": 1})
    held_out = {}
    for seed in (0, 1):
        images = own(path, split_seed=seed)
        assert np.bincount(images.test_images.labels, minlength=4).tolist() == [10, 2, 1, 0]
        assert np.bincount(images.train_images.labels).tolist() == [40, 8, 1, 1]
        held_out[seed] = [images.test_images.resized(i).sum().item() for i in range(13)]
    assert held_out[0] != held_out[1]
    again = own(path, split_seed=1)
    assert held_out[1] == [again.test_images.resized(i).sum().item() for i in range(13)]


def test_unreadable_files_are_all_named_and_skipped_only_when_asked(tmp_path: Path) -> None:
    path = folder(tmp_path, {"a": 6, "b": 6})
    for name in ("a", "b"):
        (path / name / "broken.png").write_bytes(b"no image")
    with pytest.raises(UsageError) as caught:
        own(path)
    message = str(caught.value)
    assert message.startswith("All files must be readable images, but 2 of 14 are not: ")
    assert message.endswith("Repair or remove them, or leave them out with --skip-unreadable.")
    assert all(str(path / name / "broken.png") in message for name in ("a", "b"))
    images = own(path, skip_unreadable=True)
    assert len(images.train_images) + len(images.test_images) == 12
    assert [line.split(" (")[0] for line in images.skipped] == [
        str(path / name / "broken.png") for name in ("a", "b")
    ]


def test_nothing_readable_is_an_error_even_so(tmp_path: Path) -> None:
    path = folder(tmp_path, {"a": 0, "b": 0})
    for name in ("a", "b"):
        (path / name / "broken.png").write_bytes(b"no image")
    with pytest.raises(UsageError, match=r"^Images need at least one readable file, but none is: "):
        own(path, skip_unreadable=True)


@pytest.mark.parametrize("broken", [False, True])
def test_a_class_without_an_image_is_refused(broken: bool, tmp_path: Path) -> None:
    path = folder(tmp_path, {"a": 4, "b": 0})
    if broken:
        (path / "b" / "broken.png").write_bytes(b"no image")
    with pytest.raises(UsageError) as caught:
        own(path, skip_unreadable=True)
    assert str(caught.value) == (
        f"Every class folder must hold an image, but 1 of 2 in {path} hold none that can be used, such as "
        "'b'; fill or remove them."
    )


def test_what_archivers_leave_is_no_class(tmp_path: Path) -> None:
    path = folder(tmp_path, {"a": 4, "b": 4, "__MACOSX": 2})
    assert own(path).num_classes == 2


def test_an_archive_has_classes_and_size_too(tmp_path: Path) -> None:
    x = np.zeros((9, 20, 28, 3), dtype=np.uint8)
    np.savez(tmp_path / "own.npz", x_train=x, y_train=np.arange(9) % 3, x_test=x, y_test=np.arange(9) % 4)
    data = ImageDataModule(f"npz:{tmp_path / 'own.npz'}", dataset="own", batch_size=2)
    assert (data.num_classes, data.image_size, data.classes) == (4, 20, ("0", "1", "2", "3"))


def test_one_class_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        own(folder(tmp_path, {"a": 3}))
    assert str(caught.value) == (
        f"Own images must have at least 2 classes, but folder:{tmp_path} has 1; a class is a sub-folder, or "
        "a label of the archive."
    )


@pytest.mark.parametrize("images", ["auto", "digits", "folder:"])
def test_own_needs_images_of_ones_own(images: str) -> None:
    with pytest.raises(UsageError) as caught:
        ImageDataModule(images, dataset="own")
    assert str(caught.value) == (
        f"--dataset own needs images of your own, folder:PATH or npz:PATH, but {images!r} was given."
    )


def test_no_benchmark_knows_them() -> None:
    assert open_benchmark("auto", "own") is None
    with pytest.raises(UsageError) as caught:
        open_benchmark("nb201", "own")
    assert str(caught.value) == (
        "No benchmark knows the accuracy on your own images; leave --benchmark nb201 out, or name the "
        "dataset that these images are of with --dataset."
    )


@pytest.mark.parametrize(
    ("given", "dataset"),
    [
        ({"images": "folder:x"}, "own"),
        ({"images": "folder:x", "dataset": "cifar100"}, "cifar100"),
        ({"images": "npz:x"}, "cifar10"),
        ({"images": "npz:x", "dataset": "own"}, "own"),
        ({}, "cifar10"),
    ],
)
def test_a_folder_implies_own_and_nothing_else_does(given: dict[str, str], dataset: str) -> None:
    assert SearchArgs(**given).dataset == dataset  # type: ignore[arg-type]
