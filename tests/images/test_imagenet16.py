from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.images.datasets import get_dataset
from nas_ray.images.sources import open_images
from nas_ray.images.splits import Images

NAMES = [*(f"train_data_batch_{i}" for i in range(1, 11)), "val_data"]


def content(index: int) -> dict[str, Any]:
    data = np.random.default_rng(index).integers(0, 256, (4, 768), dtype=np.uint8)
    return {"data": data, "labels": [1, 120, 121, 1000], "mean": data.mean(0)}


@pytest.fixture
def folder(tmp_path) -> Path:
    path = tmp_path / "ImageNet16"
    path.mkdir()
    for index, name in enumerate(NAMES):
        (path / name).write_bytes(pickle.dumps(content(index), protocol=2))  # as Python 2 wrote them
    return path


def opened(folder: Path, dataset: str = "ImageNet16-120") -> Images:
    return open_images("ImageNet16-120", get_dataset(dataset), folder.parent).images


def refusal(folder: Path, dataset: str = "ImageNet16-120", download: bool = False) -> str:
    with pytest.raises(UsageError) as caught:
        open_images("ImageNet16-120", get_dataset(dataset), folder.parent, download)
    return str(caught.value)


def test_keeps_the_first_120_classes(folder):
    images = opened(folder)
    assert images.description == "ImageNet16-120, 20 training images, 16x16x3"
    assert images.train.labels.tolist() == [0, 119] * 10
    assert images.test.labels.tolist() == [0, 119]
    third_file_second_image = content(2)["data"][1].reshape(3, 16, 16).astype(np.float32) / 255
    np.testing.assert_array_equal(images.train.pixels[5].numpy(), third_file_second_image)


def test_published_standardisation(folder):
    stats = opened(folder).stats
    assert stats is not None
    assert [round(255 * m, 4) for m in stats.mean] == [122.68, 116.66, 104.01]
    assert [round(255 * s, 4) for s in stats.std] == [63.22, 61.26, 65.09]


def test_not_on_disk_and_never_downloaded(tmp_path):
    places = f"{tmp_path / 'ImageNet16'} or {tmp_path / 'ImageNet16-120'}"
    way_out = "put the published batch files there, or set NAS_RAY_DATA to the folder above."
    start = f"ImageNet16-120 images must be on disk, but there is no folder {places}"
    assert refusal(tmp_path / "ImageNet16") == f"{start}: {way_out}"
    assert refusal(tmp_path / "ImageNet16", download=True) == (
        f"{start}, and --download only fetches cifar10 and cifar100: {way_out}"
    )


def test_missing_batch_file(folder):
    (folder / "train_data_batch_7").unlink()
    assert refusal(folder) == (
        f"ImageNet16-120 needs the files {', '.join(NAMES)}, but {folder} lacks train_data_batch_7."
    )


def test_truncated_batch_file_is_named(folder):
    path = folder / "train_data_batch_2"
    path.write_bytes(path.read_bytes()[:1000])
    assert str(path) in refusal(folder)


def test_a_pickle_that_runs_code_is_refused(folder, tmp_path):
    class Attack:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "attacked"),)

    (folder / "val_data").write_bytes(pickle.dumps(Attack()))
    assert str(folder / "val_data") in refusal(folder)
    assert not (tmp_path / "attacked").exists()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([1], "{path} must hold a dict with an array 'data' and 'labels', but it holds list."),
        (
            {"data": 1},
            "{path} must hold a dict with an array 'data' and 'labels', but it holds the keys data.",
        ),
        (
            {"data": np.zeros((2, 3072), np.uint8), "labels": [1, 2]},
            "data in {path} must be uint8 of shape [N, 768], but it is uint8 [2, 3072].",
        ),
        (
            {"data": np.zeros((2, 768), np.uint8), "labels": [1, 2, 3]},
            "labels in {path} must be 2 integers, but are int64 [3].",
        ),
        (
            {"data": np.zeros((2, 768), np.uint8), "labels": [1, 0]},
            "labels in {path} must lie in 1..1000, but there is 0.",
        ),
        (
            {"data": np.zeros((2, 768), np.uint8), "labels": [1, [2]]},
            "labels in {path} must be integers, but they are a ragged list.",
        ),
    ],
)
def test_wrong_content(folder, wrong, message):
    path = folder / "train_data_batch_1"
    path.write_bytes(pickle.dumps(wrong))
    assert refusal(folder) == message.format(path=path)


def test_labels_must_fit_the_dataset(folder):
    assert refusal(folder, "cifar10") == (
        "Labels must lie in 0..9, the classes of dataset 'cifar10', but ImageNet16-120 holds 119: "
        "relabel the images or choose a dataset with more classes."
    )
