"""Which folders hold classes, which are parts of a split, and what is no image at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nas_ray.errors import UsageError
from nas_ray.images.datasets import get_dataset
from nas_ray.images.image_data import ImageDataModule
from nas_ray.images.own_data import own_dataset
from nas_ray.images.sources import open_images
from nas_ray.images.splits import Images


def photos(root: Path, *folders: str, count: int = 3, name: str = "{}.png") -> Path:
    """Writes `count` images, all different, into each of `folders`."""
    for folder in folders:
        (root / folder).mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(list(f"{folder}{name}".encode()))
        for number in range(count):
            pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / folder / name.format(number), format="PNG")
    return root


def opened(path: Path) -> Images:
    return open_images(f"folder:{path}", get_dataset("cifar10")).images


def counts(path: Path) -> tuple[tuple[str, ...], int, int]:
    images = opened(path)
    assert own_dataset(f"folder:{path}").num_classes == len(images.classes)
    return images.classes, len(images.train.labels), len(images.test.labels)


def refusal(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        opened(path)
    return str(caught.value)


LEFT = [
    ".ipynb_checkpoints",
    "@eaDir",
    ".AppleDouble",
    "#recycle",
    "$RECYCLE.BIN",
    "lost+found",
    ".Trash-1000",
    ".thumbnails",
    "__MACOSX",
    "@Recycle",
    "System Volume Information",
    "#snapshot",
]


@pytest.mark.parametrize("left", LEFT)
@pytest.mark.parametrize("place", ["", "cat", "cat/young"])
def test_what_file_managers_leave_is_no_image_at_any_depth(tmp_path: Path, left: str, place: str) -> None:
    photos(tmp_path, "cat", "cat/young", "dog", count=4)
    photos(tmp_path, f"{place}/{left}/deeper".strip("/"), f"{place}/{left}".strip("/"))
    assert counts(tmp_path) == (("cat", "dog"), 9, 3)


@pytest.mark.parametrize("left", ["._0.png", ".hidden.jpg", "Thumbs.db", "desktop.ini", ".DS_Store"])
def test_hidden_files_are_no_images(tmp_path: Path, left: str) -> None:
    photos(tmp_path, "cat", "dog", count=5)
    photos(tmp_path, "cat", count=1, name=left)
    assert counts(tmp_path) == (("cat", "dog"), 8, 2)


def test_a_class_may_begin_with_a_sign(tmp_path: Path) -> None:
    photos(tmp_path, "#1", "@home", "$5")
    assert counts(tmp_path)[0] == ("#1", "$5", "@home")


@pytest.mark.parametrize("train", ["train", "Training", "TRN", "train_set", "Train-Images"])
@pytest.mark.parametrize("test", ["test", "Testing", "tst", "val", "Valid", "validation", "DEV"])
def test_common_names_of_parts_in_any_case(tmp_path: Path, train: str, test: str) -> None:
    photos(tmp_path, f"{train}/cat", f"{train}/dog", count=4)
    photos(tmp_path, f"{test}/cat", f"{test}/dog", count=2)
    assert counts(tmp_path) == (("cat", "dog"), 8, 4)


@pytest.mark.parametrize("valid", ["val", "valid", "Validation", "dev"])
def test_a_third_part_is_told_and_not_passed_over(tmp_path: Path, valid: str) -> None:
    photos(tmp_path, "train/cat", "train/dog", count=4)
    photos(tmp_path, "test/cat", "test/dog", f"{valid}/cat", f"{valid}/dog", count=2)
    data = ImageDataModule(f"folder:{tmp_path}", dataset="own", batch_size=2)
    assert (len(data.train_images), len(data.test_images)) == (8, 4)
    assert data.note == (
        f"Images: of {tmp_path}, train is trained on and test is tested with; {valid} beside them is not "
        "used. A training holds out its own part of the training images for validation; to use that of the "
        "folder too, move its images into those of train."
    )


def test_a_test_part_without_classes_is_told(tmp_path: Path) -> None:
    photos(tmp_path, "train/cat", "train/dog", "test", count=5)
    data = ImageDataModule(f"folder:{tmp_path}", dataset="own", batch_size=2)
    assert (len(data.train_images), len(data.test_images)) == (8, 2)
    assert data.note == (
        f"Images: of {tmp_path}, train is trained on and one image in five of it is held out; test beside it "
        "is not used."
    )


def test_parts_may_lie_in_one_more_folder(tmp_path: Path) -> None:
    photos(tmp_path, "data/images/train/cat", "data/images/train/dog", count=4)
    photos(tmp_path, "data/images/test/cat", "__MACOSX/data", count=2)
    (tmp_path / "readme.txt").write_text("photos")
    assert counts(tmp_path) == (("cat", "dog"), 8, 2)


def test_the_classes_of_a_part_may_lie_in_one_more_folder(tmp_path: Path) -> None:
    photos(tmp_path, "train/images/cat", "train/images/dog", "test/images/cat", "test/images/dog", count=4)
    assert counts(tmp_path) == (("cat", "dog"), 8, 8)


def test_classes_may_lie_in_one_more_folder(tmp_path: Path) -> None:
    assert counts(photos(tmp_path, "flowers/rose", "flowers/daisy", count=5)) == (("daisy", "rose"), 8, 2)


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    assert counts(photos(tmp_path, "car", "plane", "train", count=5)) == (("car", "plane", "train"), 12, 3)
    assert opened(tmp_path).note == (
        f"Images: train of {tmp_path} is taken for a class, like the folders beside it."
    )


@pytest.mark.parametrize("extra", [("test/cat", "test/dog"), ("Valid/cat",), ("more/cat", "more/dog")])
def test_a_class_that_holds_those_beside_it_is_refused(tmp_path: Path, extra: tuple[str, ...]) -> None:
    said = refusal(photos(tmp_path, "cat", "dog", *extra))
    name = extra[0].partition("/")[0]
    assert said == (
        f"Each folder of a class must hold images of that class, but {name} of {tmp_path} holds folders such "
        "as 'cat', which is a class beside it; use PATH/CLASS/image or PATH/train/CLASS/image and "
        "PATH/test/CLASS/image."
    )


def test_classes_may_hold_folders(tmp_path: Path) -> None:
    photos(tmp_path, "cat/indoors", "cat/garden", "dog/kennel", "dog", count=5)
    assert counts(tmp_path) == (("cat", "dog"), 16, 4)


@pytest.mark.parametrize(
    "folders",
    [
        ("cam1/cat", "cam1/dog", "cam2/cat", "cam2/dog"),
        ("cam1/cat", "cam1/dog", "cam2/Cat", "cam2/dog", "cam2/eel"),
        ("cat/train", "cat/test", "dog/train", "dog/test"),
        ("cat/train", "cat/test", "dog/train"),
        ("train/a/cat", "train/a/dog", "train/b/cat", "train/b/dog", "test/a/cat"),
        ("images/cat", "images/dog", "labels/cat", "labels/dog"),
    ],
)
def test_classes_of_the_same_folders_are_refused(tmp_path: Path, folders: tuple[str, ...]) -> None:
    said = refusal(photos(tmp_path, *folders))
    assert said.startswith("Each folder of a class must hold images of that class, but ")
    assert "all hold a folder" in said
    with pytest.raises(UsageError):
        own_dataset(f"folder:{tmp_path}")


@pytest.mark.parametrize(
    "parts",
    [
        ("train", "test"),
        ("Training", "Testing", "Validation"),
        ("val", "tst"),
        ("train", "test", "notes"),
    ],
)
def test_parts_without_classes_are_refused(tmp_path: Path, parts: tuple[str, ...]) -> None:
    first, second = sorted(name for name in parts if name != "notes")[:2]
    assert refusal(photos(tmp_path, *parts)) == (
        f"The parts of a split must hold one folder per class, but {first} and {second} of {tmp_path} would "
        f"be classes themselves; sort the images into folders such as {first}/CLASS, or rename what is a "
        "class."
    )


@pytest.mark.parametrize("folders", [("test/a", "test/b", "val/a", "val/b"), ("train", "test/a", "test/b")])
def test_parts_need_one_to_train_on(tmp_path: Path, folders: tuple[str, ...]) -> None:
    assert refusal(photos(tmp_path, *folders)).startswith("The parts of a split must hold one folder per")


def test_two_parts_of_one_kind_are_refused(tmp_path: Path) -> None:
    photos(tmp_path, "train/cat", "train/dog", "Training/cat", "Training/dog")
    assert refusal(tmp_path) == (
        f"{tmp_path} must have one folder to train on, but has Training and train; put their images "
        "together, or move one away."
    )


def test_extensions_in_any_case_and_links_count(tmp_path: Path) -> None:
    photos(tmp_path / "elsewhere", "eel", count=5)
    root = photos(tmp_path / "here", "cat", count=5, name="{}.PNG")
    (root / "eel").symlink_to(tmp_path / "elsewhere" / "eel")
    assert counts(root) == (("cat", "eel"), 8, 2)
